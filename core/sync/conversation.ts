/** Two peers over one connection: the first words, then any number of channels. */

import { malformed } from "../codec/reader.ts";
import { type Code, StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { systemTimer, type Timer } from "../platform.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import type { Peer } from "./auth.ts";
import { Channel } from "./channel.ts";
import { releaseNumber, takeNumber } from "./channel_numbers.ts";
import { Answering } from "./answering.ts";
import { Asking } from "./asking.ts";
import { Frame } from "./frame.ts";
import { holdBudgets } from "./hold_budget.ts";
import { decodeListFrame, type ListFrame } from "./lists.ts";
import { isAboutLog, type LogMessage } from "./log_messages.ts";
import { decodeMessage, encodeMessage, type Hello, type Message } from "./messages.ts";
import { isAboutPart } from "./part_messages.ts";
import { Parts } from "./parts.ts";
import { PeerNumbers } from "./peer_numbers.ts";
import { Presence, type PresenceOptions } from "./presence.ts";
import { Room, ROOM_BYTES } from "./room.ts";
import { coded } from "./told.ts";
import type { Transport } from "./transport.ts";
import { type Waiting, waitingFor } from "./waiting.ts";

/** Bytes that wait for a peer that asks on and does not read the answers. */
const BUFFER_BYTES = 2 * ROOM_BYTES;
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
   * `via`: the relays by way of which it is asked for, undefined if these are as before; `peer`: who asks, as far as it has shown by then.
   * May be asked again about one log.
   */
  readonly admit?: (
    key: Key,
    via: readonly string[] | undefined,
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
  /** How long the peer may take to say hello; as long as it likes by default. */
  readonly helloMs?: number;
  /** Waits for that, and until logs to which nothing happens are parked; the platform's by default. */
  readonly timer?: Timer;
  /** Called once at the end; with an error if one side broke the rules, and the log that it is about. */
  readonly onEnd?: (reason: string, error?: StreamoError, key?: Key) => void;
}

/** One connection's conversation. */
export class Conversation {
  /** What is said besides logs, once the peer has said hello. */
  readonly presence: Presence;
  readonly #options: ConversationOptions;
  readonly #channels = new Map<Key, Channel>();
  // Most connections are idle, and many: what follows is made when it is needed.
  #numbers: PeerNumbers | undefined;
  #answering: Answering | undefined;
  #asking: Asking | undefined;
  #parts: Parts | undefined;
  #room: Room | undefined;
  #waiting: Waiting | undefined;
  #isGreeted = false;
  #stopAwaiting: (() => void) | undefined;
  #isEnded = false;
  #error: StreamoError | undefined;
  #errorKey: Key | undefined;
  #heardAt = 0;

  /** Says hello over `transport`. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    const { transport, software, home, relay } = options;
    this.presence = new Presence(options, this);
    this.#awaitHello(options);
    transport.onMessage = (data) => this.#receive(data);
    transport.onClose = (reason) => this.#ended(reason);
    const { challenge } = this.presence.identification;
    this.send({ type: "hello", protocol: 1, software, home, relay, challenge });
  }

  /**
   * What is read of logs without having them.
   * @ignore
   */
  get parts(): Parts {
    if (this.#parts !== undefined) return this.#parts;
    const parts = new Parts({
      ...this.#options,
      // Whoever follows a log and watches it has not left it with one of the two.
      onLeave: (key) => this.#answering?.has(key) !== true && this.#options.onLeave?.(key),
      identification: this.presence.identification,
      waiting: this.#waits(),
      room: this.#roomFor(),
      send: (data) => this.send(data),
      guard: (work) => this.guard(work),
    });
    if (this.#isEnded) parts.end();
    return this.#parts = parts;
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
    this.#ask().open(channel, via);
    return channel;
  }

  /**
   * The same for many: of those that are equal on both sides next to nothing is said. `relay`: for others,
   * by way of this one alone; the peer knows its name.
   * @ignore
   */
  openAll(repos: Iterable<Repo>, relay?: string): void {
    const via = relay === undefined ? undefined : [relay];
    const all = [...repos];
    const listed = all.splice(0, this.#ask().listed(all.length));
    for (const { key } of listed) this.#drop(key);
    const channels = listed.map((repo) => this.#newChannel(repo, true));
    if (channels.length > 0) this.#ask().offer(channels, via);
    for (const repo of all) this.open(repo, via);
  }

  /** Stops following a repo. */
  close(key: Key): void {
    if (this.#drop(key)) this.send({ type: "close", key });
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.send({ type: "ping" });
  }

  /** Ends the conversation; a code of RFC 6455. */
  end(code: number, reason: string): void {
    this.#options.transport.close(code, reason);
    this.#ended(reason);
  }

  /**
   * Says something; text is a message that is encoded already.
   * @ignore
   */
  send(data: Message | string | Uint8Array): void {
    if (this.#isEnded) return;
    const { bufferedBytes } = this.#options.transport;
    if (bufferedBytes > BUFFER_BYTES) {
      const message = `${bufferedBytes} bytes wait for a peer that does not read`;
      return this.#violation(new StreamoError("too_large", message));
    }
    const isEncoded = typeof data === "string" || data instanceof Uint8Array;
    this.#options.transport.send(isEncoded ? data : encodeMessage(data));
  }

  /**
   * Whatever a peer can make fail ends its connection, and nothing else of this process.
   * @ignore
   */
  guard(work: () => void): void {
    try {
      if (!this.#isEnded) work();
    } catch (error) {
      this.#violation(coded(error));
    }
  }

  #ask(): Asking {
    return this.#asking ??= new Asking({
      channels: this.#channels,
      send: (data) => this.send(data),
    });
  }

  #answer(): Answering {
    const { registry, admit, timer } = this.#options;
    return this.#answering ??= new Answering({
      relay: this.presence.relay,
      registry,
      admit,
      timer,
      onLeave: (key) => this.#left(key),
      identification: this.presence.identification,
      waiting: this.#waits(),
      channels: this.#channels,
      numbers: this.#numbered(),
      send: (data) => this.send(data),
      newChannel: (repo) => this.#newChannel(repo, false),
      close: (key) => this.#close(key),
      guard: (work) => this.guard(work),
    });
  }

  #numbered(): PeerNumbers {
    return this.#numbers ??= new PeerNumbers();
  }

  #waits(): Waiting {
    return this.#waiting ??= waitingFor(this.#options.registry);
  }

  #roomFor(): Room {
    return this.#room ??= new Room(this.#options.transport, () => this.ping());
  }

  #newChannel(repo: Repo, isOpener: boolean): Channel {
    const { key } = repo;
    const number = takeNumber(this.#options.registry, key);
    const channel = new Channel({
      repo,
      isOpener,
      number,
      send: (data) => isOpener ? this.#ask().send(key, number, data) : this.send(data),
      budgets: holdBudgets(this.#options.registry),
      waiting: this.#waits(),
      // Who only reads acknowledges now and then.
      onSent: isOpener ? (bytes) => this.#roomFor().count(bytes) : undefined,
      hasRoom: (channel, most) => this.#roomFor().has(channel, most),
      onStatus: (channel) => this.#options.onStatus?.(channel),
      onViolation: (error) => this.#violation(error, key),
    });
    this.#channels.set(key, channel);
    return channel;
  }

  #awaitHello({ helloMs, timer = systemTimer }: ConversationOptions): void {
    const late = () => this.#violation(new StreamoError("refused", `no hello in ${helloMs} ms`));
    if (helloMs !== undefined) this.#stopAwaiting = timer(late, helloMs);
  }

  #receive(data: string | Uint8Array): void {
    if (this.#isEnded) return;
    this.#heardAt++;
    this.guard(() => {
      if (typeof data === "string") this.#onMessage(decodeMessage(data), data.length * 2);
      else this.#onFrame(data);
    });
    this.#room?.resume();
  }

  #onMessage(message: Message, bytes: number): void {
    if (message.type === "hello") {
      if (this.#isGreeted) throw new StreamoError("malformed", "a second hello");
      this.#isGreeted = true;
      this.#stopAwaiting?.();
      this.#stopAwaiting = undefined;
      this.presence.greet(message);
      return this.#options.onHello?.(message);
    }
    if (!this.#isGreeted) throw new StreamoError("malformed", `${message.type} before hello`);
    if (message.type === "ping") return this.send({ type: "pong" });
    if (message.type === "pong") return this.#room?.onPong();
    if (message.type === "keys") return this.#ask().onKeys();
    if (message.type === "settled") return this.#answer().list.onSettled();
    if (message.type === "park") return this.#asking?.onParked(message.keys);
    if (isAboutPart(message)) return this.parts.take(message, bytes);
    if (!isAboutLog(message)) return this.presence.take(message);
    this.#answer().whenOpen(message.key, bytes, () => this.#onKeyMessage(message, bytes));
  }

  #onKeyMessage(message: LogMessage, bytes: number): void {
    const { key, type } = message;
    const channel = this.#channels.get(key);
    if (channel === undefined) {
      if (type === "open") this.#answer().open(message, bytes);
      if (type === "close") this.#drop(key);
      return;
    }
    this.#asking?.onHeard(key);
    if (type === "open" || type === "opened") this.#numbered().bind(message.channel, key);
    if (type === "open" && !channel.isOpener) this.#options.onVia?.(key, message.via ?? []);
    if (type !== "close") return channel.onMessage(message, bytes);
    if (!channel.isOpener) return void this.#drop(key);
    const code = "closed";
    channel.onMessage({ type: "reject", key, code, message: "the peer left", head: undefined }, 0);
  }

  #onFrame(bytes: Uint8Array): void {
    if (!this.#isGreeted) throw malformed("a frame before hello");
    if (this.#parts?.takeFrame(bytes)) return;
    const list = decodeListFrame(bytes);
    if (list !== undefined) return this.#onList(list);
    const frame = new Frame(bytes);
    const { channel: number, head } = frame;
    const numbers = this.#numbered();
    const isUnnamed = !numbers.has(head.key) && this.#answer().isAwake(head.key);
    // A log that was parked when it moved on here: the peer has not said its number.
    if (isUnnamed) numbers.bind(number, head.key);
    const key = numbers.keyOf(number);
    // Frames that were on their way when the channel was closed.
    if (key === undefined) return;
    if (head.key !== key) {
      throw new StreamoError("wrong_key", `a head of ${head.key} on the channel of ${key}`);
    }
    this.#answer().whenOpen(
      key,
      bytes.length,
      () => this.#channels.get(key)?.onFrame(frame),
    );
  }

  #onList(frame: ListFrame): void {
    const fail = (error: unknown) => this.#violation(coded(error));
    if (frame.type === "list") this.#answer().list.onList(frame).catch(fail);
    else if (frame.type === "keys") this.#answer().list.onKeys(frame.keys).catch(fail);
    else this.#ask().onCompared(frame.body).catch(fail);
  }

  /** Closes the channel of `key`, or what it has instead; whether there was one. */
  #drop(key: Key): boolean {
    const channel = this.#channels.get(key);
    const isThere = this.#close(key) || this.#answering?.leave(key) === true;
    if (isThere && channel?.isOpener !== true) this.#left(key);
    return isThere;
  }

  #close(key: Key): boolean {
    const channel = this.#channels.get(key);
    if (channel === undefined) return false;
    const { registry } = this.#options;
    channel.close();
    this.#channels.delete(key);
    this.#room?.delete(channel);
    this.#numbers?.unbind(key);
    this.#asking?.drop(key);
    releaseNumber(registry, key);
    // What this side asked for was opened by whoever asked.
    if (!channel.isOpener) registry.release(key);
    return true;
  }

  #left(key: Key): void {
    if (this.#parts?.isWatched(key) !== true) this.#options.onLeave?.(key);
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
    this.#stopAwaiting?.();
    for (const key of [...this.#channels.keys()]) this.#drop(key);
    this.#answering?.end();
    this.#parts?.end();
    this.presence.leave();
    this.#options.onEnd?.(reason, this.#error, this.#errorKey);
  }
}
