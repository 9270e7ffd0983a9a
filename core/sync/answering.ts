/** The side of a conversation that is asked for logs: opens them, and parks those that are quiet. */

import { type Code, StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { Advance } from "../log/advance.ts";
import { systemTimer, type Timer } from "../platform.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import type { Identification, Peer } from "./auth.ts";
import type { Channel } from "./channel.ts";
import { Follows } from "./follows.ts";
import { ListAnswerer } from "./list_answerer.ts";
import { LIST_MAX } from "./lists.ts";
import { type Message, PARK_MAX } from "./messages.ts";
import { Openings } from "./openings.ts";
import type { PeerNumbers } from "./peer_numbers.ts";
import { coded, toldOf } from "./told.ts";
import type { Waiting } from "./waiting.ts";

/** Logs that one peer may follow. */
const FOLLOWED_MAX = LIST_MAX;
/** A log is parked when nothing has happened to it for this long, or up to twice as long. */
const PARK_MS = 30_000;

/** What it needs of its conversation. */
export interface AnsweringOptions {
  /** What the peer is called in `via`, if it is a relay. */
  readonly relay: string | undefined;
  readonly registry: Registry;
  /** See `ConversationOptions`. */
  readonly admit?: (
    key: Key,
    via: readonly string[] | undefined,
    peer: Peer,
  ) => Code | undefined | Promise<Code | undefined>;
  readonly onLeave?: (key: Key) => void;
  readonly timer?: Timer;
  /** Who asks. */
  readonly identification: Identification;
  /** For what came and waits. */
  readonly waiting: Waiting;
  /** The open channels, also those that this side has opened. */
  readonly channels: ReadonlyMap<Key, Channel>;
  readonly numbers: PeerNumbers;
  readonly send: (data: Message | Uint8Array) => void;
  readonly newChannel: (repo: Repo) => Channel;
  readonly close: (key: Key) => void;
  /** Runs what may break the rules. */
  readonly guard: (work: () => void) => void;
}

/** What one peer has asked for. */
export class Answering {
  readonly #options: AnsweringOptions;
  readonly #timer: Timer;
  /** Logs that the peer follows and to which nothing happens. */
  readonly #follows: Follows;
  readonly #openings: Openings;
  #list: ListAnswerer | undefined;
  #stopParking: (() => void) | undefined;
  #isEnded = false;

  /** Nothing was asked for yet. */
  constructor(options: AnsweringOptions) {
    const { registry, waiting, timer = systemTimer } = options;
    this.#openings = new Openings(waiting);
    this.#options = options;
    this.#timer = timer;
    this.#follows = new Follows(registry, (key, advance) => this.#wake(key, advance));
  }

  /** The list of logs that the peer opens together. */
  get list(): ListAnswerer {
    const { registry, send } = this.#options;
    return this.#list ??= new ListAnswerer({
      registry,
      send,
      mayHave: (key) => this.#mayFollow(key),
      follow: (keys) => this.#followList(keys),
      isQuiet: (key) => this.#follows.has(key),
      pause: () => new Promise((resolve) => void this.#timer(resolve, 0)),
    });
  }

  /** Runs `take` when the repo is open, if it is being opened; in the order of asking. */
  whenOpen(key: Key, bytes: number, take: () => void): void {
    this.#openings.whenOpen(key, bytes, take);
  }

  /** Whether the peer has asked for `key`, or is told about it, and there is a channel or soon is. */
  isAwake(key: Key): boolean {
    return this.#openings.has(key) || this.#options.channels.get(key)?.isOpener === false;
  }

  /** Whether the peer follows `key`. */
  has(key: Key): boolean {
    return this.isAwake(key) || this.#follows.has(key);
  }

  /** The peer asks for a log that has no channel. */
  open(message: Extract<Message, { type: "open" }>, bytes: number): void {
    const { key } = message;
    this.#follows.delete(key);
    try {
      this.#checkRoom(1);
    } catch (error) {
      return this.#reject(key, "refused", (error as StreamoError).message);
    }
    this.#options.numbers.bind(message.channel, key);
    this.#openRepo(key, message.via ?? [], (channel) => channel.onMessage(message, bytes));
  }

  /** The peer does not follow a log any more that has no channel. */
  leave(key: Key): boolean {
    return this.#follows.delete(key);
  }

  /** The conversation is over. */
  end(): void {
    this.#isEnded = true;
    this.#stopParking?.();
    this.#openings.end();
    for (const key of this.#follows.end()) this.#options.onLeave?.(key);
  }

  #followList(keys: readonly Key[]): void {
    if (this.#isEnded) return;
    const { channels } = this.#options;
    this.#checkRoom(keys.length);
    this.#follows.addList(keys, (key) => channels.has(key) || this.#openings.has(key));
  }

  /** The log of `key`, which the peer follows, moved on. */
  #wake(key: Key, advance: Advance | undefined): void {
    // What both had is known if this process saw what came after it; a later epoch begins anew.
    const isKnown = advance !== undefined && !this.#list?.isOpen &&
      (advance.from > 0 || advance.head.epoch === 0);
    this.#openRepo(key, undefined, (channel, isNew) => {
      const isNewest = isKnown && channel.repo.head === advance.head;
      if (isNew) channel.wake(isNewest ? advance.from : undefined, advance);
    });
  }

  /** Opens the repo for the peer; `begin` is what its channel begins with. */
  async #openRepo(
    key: Key,
    via: readonly string[] | undefined,
    begin: (channel: Channel, isNew: boolean) => void,
  ): Promise<void> {
    const { registry, numbers, channels, newChannel, guard } = this.#options;
    this.#openings.begin(key);
    let isAdmitted = false;
    try {
      const refusal = await this.#refusal(key, via);
      if (refusal !== undefined) {
        return this.#reject(key, refusal, "this peer does not serve that repo");
      }
      isAdmitted = true;
      const repo = await registry.open(key);
      // This side may have asked for the log itself meanwhile.
      const known = channels.get(key);
      if (known !== undefined || this.#isEnded) registry.release(key);
      if (!this.#isEnded) begin(known ?? newChannel(repo), known === undefined);
      this.#parkLater();
    } catch (error) {
      const known = coded(error);
      this.#reject(key, known.code, toldOf(known));
    } finally {
      const channel = channels.get(key);
      if (channel === undefined) numbers.unbind(key);
      if (isAdmitted && channel?.isOpener !== false) this.#options.onLeave?.(key);
      this.#openings.opened(key, guard);
    }
  }

  /** Whether the peer may follow a log of its list. */
  async #mayFollow(key: Key): Promise<boolean> {
    // A list says no way: what a relay lists it asks for by way of itself alone.
    const { relay } = this.#options;
    const refusal = await this.#refusal(key, relay === undefined ? undefined : [relay]);
    if (refusal !== undefined) this.#follows.delete(key);
    else if (!this.#follows.has(key) && !this.isAwake(key)) this.#options.onLeave?.(key);
    return refusal === undefined;
  }

  async #refusal(key: Key, via?: readonly string[]): Promise<Code | undefined> {
    const { admit, identification } = this.#options;
    if (admit === undefined) return "refused";
    await identification.judged;
    return await admit(key, via, identification);
  }

  #reject(key: Key, code: Code, message: string): void {
    this.#options.send({ type: "reject", key, code, message, head: undefined });
  }

  #checkRoom(more: number): void {
    const { channels } = this.#options;
    const count = channels.size + this.#openings.count + this.#follows.count;
    if (count + more <= FOLLOWED_MAX) return;
    throw new StreamoError("too_large", `more than ${FOLLOWED_MAX} repos on one connection`);
  }

  #parkLater(): void {
    if (this.#isEnded) return;
    this.#stopParking ??= this.#timer(() => this.#park(), PARK_MS);
  }

  /** Closes the channels of logs to which nothing happens: an entry each is enough to follow them. */
  #park(): void {
    const { channels, close, send } = this.#options;
    this.#stopParking = undefined;
    const answered = [...channels.values()].filter(({ isOpener }) => !isOpener);
    const keys = answered.filter((channel) => channel.rests()).map(({ repo }) => repo.key);
    for (const key of keys) {
      close(key);
      this.#follows.add(key);
    }
    for (let at = 0; at < keys.length; at += PARK_MAX) {
      send({ type: "park", keys: keys.slice(at, at + PARK_MAX) });
    }
    if (keys.length < answered.length) this.#parkLater();
  }
}
