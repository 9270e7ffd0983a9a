/** Two peers over one connection: the first words, then any number of channels. */

import { type Code, StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import type { Peer } from "./auth.ts";
import { Channel } from "./channel.ts";
import { releaseNumber, takeNumber } from "./channel_numbers.ts";
import { decodeFrame } from "./frame.ts";
import {
  decodeMessage,
  encodeMessage,
  type Hello,
  isAboutLog,
  type LogMessage,
  type Message,
  type TopicMessage,
} from "./messages.ts";
import { Presence, type PresenceOptions } from "./presence.ts";
import type { Transport } from "./transport.ts";

/** Channels that one peer may open. */
const CHANNELS_MAX = 10_000;
/** Bytes that wait for a slow peer before no more blocks are sent to it. */
const ROOM_BYTES = 16 * 2 ** 20;
/** Bytes that wait for a peer that asks on and does not read the answers. */
const BUFFER_BYTES = 2 * ROOM_BYTES;
/** Bytes that wait here while the repos that they belong to are opened. */
const WAITING_BYTES = 16 * 2 ** 20;
/** RFC 6455 leaves 4000 to 4999 to applications; browsers may not send the protocol's own 1002. */
const BROKEN_RULE = 4002;

/** How a conversation is held. */
export interface ConversationOptions extends PresenceOptions {
  /** The repos of this side. */
  readonly registry: Registry;
  /** The connection. */
  readonly transport: Transport;
  /** Name and version of this software, for people. */
  readonly software: string;
  /** The repo to look at first, if this side has one. */
  readonly home?: Key;
  /** What this side is called in `via`, if it is a relay. */
  readonly relay?: string;
  /**
   * Whether the peer may have, and push to, a log: a code refuses it. Nothing is served by default.
   * `via`: the relays by way of which it is asked for; `peer`: who asks, as far as it has shown by then.
   */
  readonly admit?: (
    key: Key,
    via: readonly string[],
    peer: Peer,
  ) => Code | undefined | Promise<Code | undefined>;
  /** The peer asks for an open log by way of these relays from now on. */
  readonly onVia?: (key: Key, via: readonly string[]) => void;
  /** The peer does not use a log any more that it was admitted to. */
  readonly onLeave?: (key: Key) => void;
  /** The peer has said hello. */
  readonly onHello?: (hello: Hello) => void;
  /**
   * Something about a channel changed.
   * @ignore
   */
  readonly onStatus?: (channel: Channel) => void;
  /** Called once at the end; with an error if one side broke the rules, and the log that it is about. */
  readonly onEnd?: (reason: string, error?: StreamoError, key?: Key) => void;
}

/** Something that came for a repo while it was being opened. */
interface Waiting {
  readonly bytes: number;
  readonly take: () => void;
}

/** One connection's conversation. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #channels = new Map<Key, Channel>();
  /** Keys by the number of the peer's frames. */
  readonly #numbers = new Map<number, Key>();
  /** The other way round: a key has one number, so that these do not grow. */
  readonly #numberOf = new Map<Key, number>();
  /** For whom this side asks. */
  readonly #via = new Map<Key, readonly string[]>();
  /** Repos being opened for the peer, and what came for them since. */
  readonly #opening = new Map<Key, Waiting[]>();
  #isGreeted = false;
  #isEnded = false;
  #error: StreamoError | undefined;
  #errorKey: Key | undefined;
  #heardAt = 0;
  #waitingBytes = 0;
  /** Channels that have blocks to send when the peer has read what it was sent. */
  readonly #stalled = new Set<Channel>();
  #isProbing = false;
  readonly #presence: Presence;

  /** Says hello over `transport`. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    const { transport, software, home, relay } = options;
    this.#presence = new Presence(options, {
      send: (data) => this.#send(data),
      bufferedBytes: () => this.bufferedBytes,
    });
    transport.onMessage = (data) => this.#receive(data);
    transport.onClose = (reason) => this.#ended(reason);
    const { challenge } = this.#presence.identification;
    this.#send({ type: "hello", protocol: 1, software, home, relay, challenge });
  }

  /** Counts what was heard: a connection on which it stands still may be dead. */
  get heard(): number {
    return this.#heardAt;
  }

  /** Bytes that wait for the peer to read them. */
  get bufferedBytes(): number {
    return this.#options.transport.bufferedBytes;
  }

  /**
   * The open channels.
   * @ignore
   */
  get channels(): ReadonlyMap<Key, Channel> {
    return this.#channels;
  }

  /**
   * Asks the peer for a repo's log, and offers it this side's; `via`: for others, by way of these relays.
   * @ignore
   */
  open(repo: Repo, via?: readonly string[]): Channel {
    const known = this.#channels.get(repo.key);
    const isOpen = known?.isOpener === true && known.repo === repo;
    if (!isOpen) this.#drop(repo.key);
    const channel = isOpen ? known : this.#newChannel(repo, true);
    if (via === undefined) this.#via.delete(repo.key);
    else this.#via.set(repo.key, via);
    channel.start();
    return channel;
  }

  /** Stops following a repo. */
  close(key: Key): void {
    if (this.#drop(key)) this.#send({ type: "close", key });
  }

  /** Shows the peer that this side holds `signer`; to be called after its hello. */
  authenticate(signer: Signer): Promise<void> {
    return this.#presence.authenticate(signer);
  }

  /** Asks the peer to do something about a topic. */
  ask(message: TopicMessage): void {
    this.#send(message);
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.#send({ type: "ping" });
  }

  /** Ends the conversation; a code of RFC 6455. */
  end(code: number, reason: string): void {
    this.#options.transport.close(code, reason);
    this.#ended(reason);
  }

  #newChannel(repo: Repo, isOpener: boolean): Channel {
    const channel = new Channel({
      repo,
      isOpener,
      number: takeNumber(this.#options.registry, repo.key),
      send: (data) => this.#send(this.#withVia(data)),
      hasRoom: (channel) => this.#hasRoom(channel),
      onStatus: (channel) => this.#options.onStatus?.(channel),
      onViolation: (error) => this.#violation(error, repo.key),
    });
    this.#channels.set(repo.key, channel);
    return channel;
  }

  #withVia(data: Message | Uint8Array): Message | Uint8Array {
    if (data instanceof Uint8Array || data.type !== "open") return data;
    return { ...data, via: this.#via.get(data.key) };
  }

  #receive(data: string | Uint8Array): void {
    if (this.#isEnded) return;
    this.#heardAt++;
    this.#guard(() => {
      if (typeof data === "string") this.#onMessage(decodeMessage(data), data.length * 2);
      else this.#onFrame(data);
    });
    if (this.#stalled.size > 0) this.#resume();
  }

  #guard(work: () => void): void {
    try {
      if (!this.#isEnded) work();
    } catch (error) {
      if (!(error instanceof StreamoError)) throw error;
      this.#violation(error);
    }
  }

  #onMessage(message: Message, bytes: number): void {
    if (message.type === "hello") {
      if (this.#isGreeted) throw new StreamoError("malformed", "a second hello");
      this.#presence.identification.greet(message.challenge);
      this.#isGreeted = true;
      return this.#options.onHello?.(message);
    }
    if (!this.#isGreeted) throw new StreamoError("malformed", `${message.type} before hello`);
    if (message.type === "ping") return this.#send({ type: "pong" });
    if (message.type === "pong") {
      this.#isProbing = false;
      return;
    }
    if (!isAboutLog(message)) return this.#presence.take(message);
    this.#whenOpen(message.key, bytes, () => this.#onKeyMessage(message, bytes));
  }

  #onKeyMessage(message: LogMessage, bytes: number): void {
    const { key, type } = message;
    const channel = this.#channels.get(key);
    if (channel === undefined) {
      if (type === "open") this.#answer(message, bytes);
      return;
    }
    if (type === "open" || type === "opened") this.#bind(message.channel, key);
    if (type === "open" && !channel.isOpener) this.#options.onVia?.(key, message.via ?? []);
    if (type !== "close") return channel.onMessage(message, bytes);
    if (!channel.isOpener) return void this.#drop(key);
    const code = "closed";
    channel.onMessage({ type: "reject", key, code, message: "the peer left", head: undefined }, 0);
  }

  /** Runs `take` when the repo is open, if it is being opened; in the order of asking. */
  #whenOpen(key: Key, bytes: number, take: () => void): void {
    const waiting = this.#opening.get(key);
    if (waiting === undefined) return take();
    waiting.push({ bytes, take });
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > WAITING_BYTES) {
      throw new StreamoError("too_large", "more than fits in memory while repos are opened");
    }
  }

  #opened(key: Key): void {
    const waiting = this.#opening.get(key) ?? [];
    this.#opening.delete(key);
    for (const { bytes, take } of waiting) {
      this.#waitingBytes -= bytes;
      // Waits again behind a message that opens the repo again.
      this.#guard(() => this.#whenOpen(key, bytes, take));
    }
  }

  #bind(number: number, key: Key): void {
    this.#unbind(key);
    this.#numbers.set(number, key);
    this.#numberOf.set(key, number);
  }

  #unbind(key: Key): void {
    const number = this.#numberOf.get(key);
    this.#numberOf.delete(key);
    if (number !== undefined && this.#numbers.get(number) === key) this.#numbers.delete(number);
  }

  #onFrame(bytes: Uint8Array): void {
    const { channel: number, run } = decodeFrame(bytes);
    const key = this.#numbers.get(number);
    // Frames that were on their way when the channel was closed.
    if (key === undefined) return;
    if (run.head.key !== key) {
      throw new StreamoError("wrong_key", `a head of ${run.head.key} on the channel of ${key}`);
    }
    this.#whenOpen(
      key,
      bytes.length,
      () => this.#channels.get(key)?.onRun(run, bytes.length),
    );
  }

  #answer(message: Extract<Message, { type: "open" }>, bytes: number): void {
    const { key } = message;
    if (this.#channels.size + this.#opening.size >= CHANNELS_MAX) {
      return this.#reject(key, "refused", `more than ${CHANNELS_MAX} repos on one connection`);
    }
    const { registry, admit = () => "refused" as const, onLeave } = this.#options;
    const open = async () => {
      const { identification } = this.#presence;
      await identification.judged;
      const refusal = await admit(key, message.via ?? [], identification);
      if (refusal !== undefined) {
        return this.#reject(key, refusal, "this peer does not serve that repo");
      }
      let isTaken = false;
      try {
        const repo = await registry.open(key);
        // This side may have asked for the log itself meanwhile.
        const known = this.#channels.get(key);
        isTaken = !this.#isEnded && known === undefined;
        if (!isTaken) registry.release(key);
        if (!this.#isEnded) (known ?? this.#newChannel(repo, false)).onMessage(message, bytes);
      } finally {
        if (!isTaken) onLeave?.(key);
      }
    };
    this.#opening.set(key, []);
    this.#bind(message.channel, key);
    open().catch((error) => {
      const known = error instanceof StreamoError ? error : undefined;
      this.#reject(key, known?.code ?? "storage", known?.message ?? "the repo does not open");
    }).finally(() => {
      if (!this.#channels.has(key)) this.#unbind(key);
      this.#opened(key);
    });
  }

  #reject(key: Key, code: Code, message: string): void {
    this.#send({ type: "reject", key, code, message, head: undefined });
  }

  /** Closes the channel of `key`; whether there was one. */
  #drop(key: Key): boolean {
    const channel = this.#channels.get(key);
    if (channel === undefined) return false;
    const { registry, onLeave } = this.#options;
    channel.close();
    this.#channels.delete(key);
    this.#via.delete(key);
    this.#stalled.delete(channel);
    this.#unbind(key);
    releaseNumber(registry, key);
    // What this side asked for was opened by whoever asked.
    if (channel.isOpener) return true;
    registry.release(key);
    onLeave?.(key);
    return true;
  }

  #hasRoom(channel: Channel): boolean {
    if (this.#options.transport.bufferedBytes < ROOM_BYTES) return true;
    // The answer comes when the peer has read everything before it.
    this.#probe();
    this.#stalled.add(channel);
    return false;
  }

  #probe(): void {
    if (this.#isProbing) return;
    this.#isProbing = true;
    this.ping();
  }

  #resume(): void {
    if (this.#options.transport.bufferedBytes >= ROOM_BYTES) return this.#probe();
    const stalled = [...this.#stalled];
    this.#stalled.clear();
    for (const channel of stalled) channel.resume();
  }

  #violation(error: StreamoError, key?: Key): void {
    if (this.#isEnded) return;
    this.#error = error;
    this.#errorKey = key;
    this.end(BROKEN_RULE, `${error.code}: ${error.message}`);
  }

  #ended(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const key of [...this.#channels.keys()]) this.#drop(key);
    this.#presence.leave();
    this.#options.onEnd?.(reason, this.#error, this.#errorKey);
  }

  /** Text is a message that is encoded already. */
  #send(data: Message | string | Uint8Array): void {
    if (this.#isEnded) return;
    const { bufferedBytes } = this.#options.transport;
    if (bufferedBytes > BUFFER_BYTES) {
      const message = `${bufferedBytes} bytes wait for a peer that does not read`;
      return this.#violation(new StreamoError("too_large", message));
    }
    const isEncoded = typeof data === "string" || data instanceof Uint8Array;
    this.#options.transport.send(isEncoded ? data : encodeMessage(data));
  }
}
