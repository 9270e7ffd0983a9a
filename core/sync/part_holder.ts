/** The side of a conversation that is asked for parts of logs: it tells of heads, and proves blocks. */

import { type Code, StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { StoreSource } from "../log/store_source.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import { Serial } from "../serial.ts";
import { answer, parseReading } from "./ask.ts";
import type { Identification, Peer } from "./auth.ts";
import type { Message } from "./messages.ts";
import { Openings } from "./openings.ts";
import type { Load, PartMessage } from "./part_messages.ts";
import { encodePart } from "./parts.ts";
import type { Room } from "./room.ts";
import { coded, toldOf } from "./told.ts";
import type { Waiting } from "./waiting.ts";

/** Logs that one peer may watch. */
const WATCHED_MAX = 10_000;
/** Questions of one peer that wait for their answers. */
const QUEUED_MAX = 64;

/** What it needs of its conversation. */
export interface PartHolderOptions {
  readonly registry: Registry;
  /** See `ConversationOptions`. */
  readonly admit?: (
    key: Key,
    via: readonly string[],
    peer: Peer,
  ) => Code | undefined | Promise<Code | undefined>;
  /** The peer does not watch a log any more that it was admitted to. */
  readonly onLeave?: (key: Key) => void;
  /** Who asks. */
  readonly identification: Identification;
  /** For what came and waits. */
  readonly waiting: Waiting;
  readonly room: Room;
  readonly send: (data: Message | Uint8Array) => void;
  /** Runs what may break the rules. */
  readonly guard: (work: () => void) => void;
}

interface Watched {
  readonly repo: Repo;
  readonly stop: () => void;
}

/** See the head of this file. */
export class PartHolder {
  readonly #options: PartHolderOptions;
  readonly #watched = new Map<Key, Watched>();
  readonly #openings: Openings;
  readonly #serial = new Serial();
  #queued = 0;
  /** Goes on answering: the peer has read what it was sent. */
  #goOn: () => void = () => {};
  #isEnded = false;

  /** Nothing is watched yet. */
  constructor(options: PartHolderOptions) {
    this.#options = options;
    this.#openings = new Openings(options.waiting);
  }

  /** Takes what the peer asks for. */
  take(message: Extract<PartMessage, { type: "watch" | "unwatch" | "load" }>, bytes: number): void {
    const { key } = message;
    this.#openings.whenOpen(key, bytes, () => {
      if (message.type === "unwatch") return this.#leave(key);
      if (message.type === "load") return this.#queue(message);
      const watched = this.#watched.get(key);
      if (watched === undefined) this.#watch(key);
      else this.#tell(watched.repo);
    });
  }

  /** Whether the peer watches `key`, or soon does. */
  isWatched(key: Key): boolean {
    return this.#watched.has(key) || this.#openings.has(key);
  }

  /** The peer has read some of what it was sent. */
  resume(): void {
    this.#goOn();
  }

  /** The conversation is over. */
  end(): void {
    this.#isEnded = true;
    this.#openings.end();
    this.#goOn();
    for (const key of [...this.#watched.keys()]) this.#leave(key);
  }

  async #watch(key: Key): Promise<void> {
    const { registry, guard, onLeave } = this.#options;
    this.#openings.begin(key);
    let isAdmitted = false;
    try {
      const refusal = await this.#refusal(key);
      if (refusal !== undefined) {
        return this.#fail(new StreamoError(refusal, "this peer does not serve that repo"), key);
      }
      isAdmitted = true;
      const repo = await registry.open(key);
      if (this.#isEnded) return registry.release(key);
      this.#watched.set(key, { repo, stop: repo.on("advance", () => this.#tell(repo)) });
      this.#tell(repo);
    } catch (error) {
      this.#fail(coded(error), key);
    } finally {
      if (isAdmitted && !this.#watched.has(key)) onLeave?.(key);
      this.#openings.opened(key, guard);
    }
  }

  async #refusal(key: Key): Promise<Code | undefined> {
    const { admit, identification } = this.#options;
    const count = this.#watched.size + this.#openings.count;
    if (admit === undefined || count > WATCHED_MAX) return "refused";
    await identification.judged;
    return await admit(key, [], identification);
  }

  #tell({ key, head }: Repo): void {
    this.#options.send({ type: "newest", key, head });
  }

  #leave(key: Key): void {
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    watched.stop();
    this.#watched.delete(key);
    this.#options.registry.release(key);
    this.#options.onLeave?.(key);
  }

  /** One after the other: a peer takes the time of one. */
  #queue(load: Load): void {
    if (++this.#queued > QUEUED_MAX) {
      throw new StreamoError("too_large", `more than ${QUEUED_MAX} parts are asked for at once`);
    }
    this.#serial.run(async () => {
      await this.#untilRoom();
      this.#queued--;
      if (!this.#isEnded) await this.#answer(load);
    });
  }

  async #untilRoom(): Promise<void> {
    while (!this.#isEnded && !this.#options.room.has(this)) {
      await new Promise<void>((resolve) => this.#goOn = resolve);
    }
  }

  async #answer({ key, id, reading, ...ask }: Load): Promise<void> {
    try {
      if (!this.#watched.has(key)) {
        throw new StreamoError("refused", `parts of ${key} are asked for, which is not watched`);
      }
      const { store } = this.#options.registry;
      const source = StoreSource.of(store, this.#watched.get(key)!.repo.log.crypto);
      const what = reading === undefined ? undefined : parseReading(reading);
      this.#options.send(encodePart(id, await answer(source, key, { ...ask, reading: what })));
    } catch (error) {
      this.#fail(coded(error), key, id);
    }
  }

  #fail(error: StreamoError, key: Key, id?: number): void {
    const message = toldOf(error).slice(0, 500);
    this.#options.send({ type: "failed", key, id, code: error.code, message });
  }
}
