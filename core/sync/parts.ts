/**
 * Parts of logs over one connection, for readers that hold little of them: asked for and answered.
 *
 *     part   [5] [id] and then the bytes of `proof_body.ts`
 */

import { Reader } from "../codec/reader.ts";
import { Writer } from "../codec/writer.ts";
import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { SignedHead } from "../log/head.ts";
import { type Ask, readingText } from "./ask.ts";
import { FRAME_MAX_BYTES } from "./frame.ts";
import type { PartMessage } from "./part_messages.ts";
import { PartHolder, type PartHolderOptions } from "./part_holder.ts";

/** The first byte of such a frame. */
export const PART = 5;
/** Questions that are on their way at a time: the others wait here. */
const ASKED_MAX = 16;

/** What somebody who watches a log is told. */
export interface Watcher {
  /** The peer's head, not verified. */
  readonly onNewest: (head: SignedHead | undefined) => void;
  /** The peer does not let it be watched. */
  readonly onFailed: (error: StreamoError) => void;
}

interface Question {
  readonly send: () => void;
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: StreamoError) => void;
}

/** Both sides of it. */
export class Parts {
  readonly #options: PartHolderOptions;
  readonly #holder: PartHolder;
  readonly #watchers = new Map<Key, Watcher>();
  /** By id, in the order of asking; the first ones are on their way. */
  readonly #questions = new Map<number, Question>();
  readonly #waiting: number[] = [];
  #asked = 0;
  #nextId = 0;
  #isEnded = false;

  /** Nothing was asked for yet. */
  constructor(options: PartHolderOptions) {
    this.#options = options;
    this.#holder = new PartHolder(options);
  }

  /** Hears of the peer's heads of `key` from now on. */
  watch(key: Key, watcher: Watcher): void {
    this.#watchers.set(key, watcher);
    this.#options.send({ type: "watch", key });
  }

  /** No longer. */
  unwatch(key: Key): void {
    if (this.#watchers.delete(key)) this.#options.send({ type: "unwatch", key });
  }

  /**
   * The peer's answer about a log that is watched; rejects with the code that it gives, `unreachable`
   * when the connection ends.
   */
  load(key: Key, { log, at, reading, first, end }: Ask): Promise<Uint8Array> {
    if (this.#isEnded) return Promise.reject(gone());
    const id = this.#nextId++;
    const message = { key, id, log, at, reading: readingText(reading), first, end };
    return new Promise((resolve, reject) => {
      const send = () => this.#options.send({ type: "load", ...message });
      this.#questions.set(id, { send, resolve, reject });
      this.#waiting.push(id);
      this.#askOn();
    });
  }

  /** Whether the peer watches this side's `key`. */
  isWatched(key: Key): boolean {
    return this.#holder.isWatched(key);
  }

  /** Takes a message about parts; `bytes` is what it keeps in memory until it is done. */
  take(message: PartMessage, bytes: number): void {
    const { key, type } = message;
    if (type === "newest") return this.#watchers.get(key)?.onNewest(message.head);
    if (type !== "failed") return this.#holder.take(message, bytes);
    const error = new StreamoError(message.code, message.message, { key });
    if (message.id !== undefined) return this.#answered(message.id)?.reject(error);
    const watcher = this.#watchers.get(key);
    this.#watchers.delete(key);
    watcher?.onFailed(error);
  }

  /** Takes a frame, if it is a part. */
  takeFrame(bytes: Uint8Array): boolean {
    if (bytes[0] !== PART) return false;
    if (bytes.length > FRAME_MAX_BYTES) {
      throw new StreamoError("too_large", `a frame of ${bytes.length} bytes`);
    }
    const reader = new Reader(bytes, 1);
    const id = reader.varint();
    // An answer that nobody waits for costs nothing.
    this.#answered(id)?.resolve(bytes.subarray(reader.at));
    return true;
  }

  /** The connection has ended. */
  end(): void {
    this.#isEnded = true;
    this.#holder.end();
    for (const { reject } of this.#questions.values()) reject(gone());
    this.#questions.clear();
    this.#waiting.length = 0;
  }

  #answered(id: number): Question | undefined {
    const question = this.#questions.get(id);
    if (question === undefined || this.#waiting.includes(id)) return undefined;
    this.#questions.delete(id);
    this.#asked--;
    this.#askOn();
    return question;
  }

  #askOn(): void {
    while (this.#asked < ASKED_MAX && this.#waiting.length > 0) {
      this.#asked++;
      this.#questions.get(this.#waiting.shift()!)!.send();
    }
  }
}

/** The frame with which question `id` is answered. */
export function encodePart(id: number, body: Uint8Array): Uint8Array {
  const writer = new Writer(body.length + 16);
  writer.u8(PART);
  writer.varint(id);
  writer.raw(body);
  return writer.view();
}

function gone(): StreamoError {
  return new StreamoError("unreachable", "the connection ended before the answer");
}
