/** Two peers over one connection: the first words, then any number of channels. */

import { type Code, StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import { Channel } from "./channel.ts";
import { decodeFrame } from "./frame.ts";
import { decodeMessage, encodeMessage, type Message } from "./messages.ts";
import type { Transport } from "./transport.ts";

/** Channels that one peer may open. */
const CHANNELS_MAX = 10_000;

/** How a conversation is held. */
export interface ConversationOptions {
  readonly registry: Registry;
  readonly transport: Transport;
  /** Name and version of this software, for people. */
  readonly software: string;
  /** The repo to look at first, if this side has one. */
  readonly home?: Key;
  /** Whether the peer may have, and push to, a log: a code refuses it. Nothing is served by default. */
  readonly admit?: (key: Key) => Code | undefined | Promise<Code | undefined>;
  readonly onHello?: (hello: Extract<Message, { type: "hello" }>) => void;
  /** Something about a channel changed. */
  readonly onStatus?: (channel: Channel) => void;
  /** Called once at the end; with an error if one side broke the rules. */
  readonly onEnd?: (reason: string, error?: StreamoError) => void;
}

/** One connection's conversation. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #channels = new Map<Key, Channel>();
  /** Keys by the number of the peer's frames. */
  readonly #numbers = new Map<number, Key>();
  /** Answers being prepared: later messages for the key wait for them. */
  readonly #opening = new Map<Key, Promise<void>>();
  #isGreeted = false;
  #isEnded = false;
  #error: StreamoError | undefined;
  #heardAt = 0;

  /** Says hello over `transport`. */
  constructor(options: ConversationOptions) {
    this.#options = options;
    const { transport, software, home } = options;
    transport.onMessage = (data) => this.#receive(data);
    transport.onClose = (reason) => this.#ended(reason);
    this.#send({ type: "hello", protocol: 1, software, home });
  }

  /** Counts what was heard: a connection on which it stands still may be dead. */
  get heard(): number {
    return this.#heardAt;
  }

  /** The open channels. */
  get channels(): ReadonlyMap<Key, Channel> {
    return this.#channels;
  }

  /** Asks the peer for a repo's log, and offers it this side's. */
  open(repo: Repo): Channel {
    const channel = this.#newChannel(repo, true);
    channel.start();
    return channel;
  }

  /** Stops following a repo. */
  close(key: Key): void {
    this.#channels.get(key)?.close();
    if (this.#channels.delete(key)) this.#send({ type: "close", key });
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
      number: channelNumber(this.#options.registry, repo.key),
      send: (data) => this.#send(data),
      onStatus: (channel) => this.#options.onStatus?.(channel),
      onViolation: (error) => this.#violation(error),
    });
    this.#channels.set(repo.key, channel);
    return channel;
  }

  #receive(data: string | Uint8Array): void {
    if (this.#isEnded) return;
    this.#heardAt++;
    try {
      if (typeof data === "string") this.#onMessage(decodeMessage(data));
      else this.#onFrame(data);
    } catch (error) {
      if (!(error instanceof StreamoError)) throw error;
      this.#violation(error);
    }
  }

  #onMessage(message: Message): void {
    if (message.type === "hello") {
      if (this.#isGreeted) throw new StreamoError("malformed", "a second hello");
      this.#isGreeted = true;
      return this.#options.onHello?.(message);
    }
    if (!this.#isGreeted) throw new StreamoError("malformed", `${message.type} before hello`);
    if (message.type === "ping") return this.#send({ type: "pong" });
    if (message.type === "pong") return;
    const { key } = message;
    if (message.type === "open" || message.type === "opened") {
      this.#numbers.set(message.channel, key);
    }
    const opening = this.#opening.get(key);
    if (opening !== undefined) {
      opening.then(() => this.#channels.get(key)?.onMessage(message));
      return;
    }
    const channel = this.#channels.get(key);
    if (channel !== undefined) {
      channel.onMessage(message);
      if (message.type === "close") this.#forget(key);
    } else if (message.type === "open") this.#answer(message);
  }

  #onFrame(bytes: Uint8Array): void {
    const { channel: number, run } = decodeFrame(bytes);
    const key = this.#numbers.get(number);
    // Frames that were on their way when the channel was closed.
    if (key === undefined) return;
    if (run.head.key !== key) {
      throw new StreamoError("wrong_key", `a head of ${run.head.key} on the channel of ${key}`);
    }
    const take = () => this.#channels.get(key)?.onRun(run, bytes.length);
    const opening = this.#opening.get(key);
    if (opening === undefined) take();
    else opening.then(take);
  }

  #answer(message: Extract<Message, { type: "open" }>): void {
    const { key } = message;
    if (this.#channels.size + this.#opening.size >= CHANNELS_MAX) {
      return this.#reject(key, "refused", `more than ${CHANNELS_MAX} repos on one connection`);
    }
    const { registry, admit = () => "refused" as const } = this.#options;
    const open = async () => {
      const refusal = await admit(key);
      if (refusal !== undefined) {
        return this.#reject(key, refusal, "this peer does not serve that repo");
      }
      const repo = await registry.open(key);
      if (this.#isEnded) return registry.release(key);
      this.#newChannel(repo, false).onMessage(message);
    };
    const opening = open().catch((error) => {
      const known = error instanceof StreamoError ? error : undefined;
      this.#reject(key, known?.code ?? "storage", known?.message ?? "the repo does not open");
    }).finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
  }

  #reject(key: Key, code: Code, message: string): void {
    this.#send({ type: "reject", key, code, message, head: undefined });
  }

  #forget(key: Key): void {
    if (this.#channels.delete(key)) this.#options.registry.release(key);
  }

  #violation(error: StreamoError): void {
    if (this.#isEnded) return;
    this.#error = error;
    // 1002: protocol error.
    this.end(1002, `${error.code}: ${error.message}`);
  }

  #ended(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const channel of this.#channels.values()) {
      channel.close();
      if (!channel.isOpener) this.#options.registry.release(channel.repo.key);
    }
    this.#channels.clear();
    this.#options.onEnd?.(reason, this.#error);
  }

  #send(data: Message | Uint8Array): void {
    if (this.#isEnded) return;
    this.#options.transport.send(data instanceof Uint8Array ? data : encodeMessage(data));
  }
}

/** One number a key for all peers of a registry: a frame is encoded once and sent to everybody. */
const numbers = new WeakMap<Registry, Map<Key, number>>();

function channelNumber(registry: Registry, key: Key): number {
  let known = numbers.get(registry);
  if (known === undefined) numbers.set(registry, known = new Map());
  const number = known.get(key) ?? known.size;
  known.set(key, number);
  return number;
}
