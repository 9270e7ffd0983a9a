/** `/streams/KEY/events`: server-sent events, one for each new head. */

import type { Key } from "../../core/identity/key.ts";
import { sameHead, type VerifiedHead } from "../../core/log/head.ts";
import type { Store } from "../../core/log/store.ts";
import type { Changes } from "./changes.ts";

/** What an event stream reads. */
export interface EventsOptions {
  readonly store: Store;
  readonly changes: Changes;
  readonly key: Key;
  /** Silence after which a comment is sent, so that proxies keep the connection. */
  readonly keepAliveMs: number;
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** Called once, when the stream has ended. */
  readonly onEnd: () => void;
}

/**
 * A stream of events: the head now, and every newer one while the client keeps up. One that does not is
 * told only the newest, so nothing piles up here. `lastEventId` is what the client has seen.
 *
 *     id: BLOCKS
 *     event: head
 *     data: {"key":KEY,"epoch":0,"blocks":3,"bytes":512,"record":480,"root":HEX}
 */
export async function headEvents(
  options: EventsOptions,
  lastEventId: string | null,
): Promise<ReadableStream<Uint8Array>> {
  const source = new HeadSource(options, lastEventId);
  await source.start();
  return new ReadableStream({
    pull: (controller) => source.pull(controller),
    cancel: () => source.end(),
  }, { highWaterMark: 0 });
}

class HeadSource {
  readonly #options: EventsOptions;
  readonly #seen: string | null;
  #sent: VerifiedHead | undefined;
  #isFirst = true;
  #ended = false;
  /** Whether the head may have moved since it was last read. */
  #changed = true;
  #wake: () => void = () => undefined;
  #stop: () => void = () => undefined;
  readonly #onAbort = (): void => this.end();

  constructor(options: EventsOptions, seen: string | null) {
    this.#options = options;
    this.#seen = seen;
  }

  async start(): Promise<void> {
    const { changes, key, signal } = this.#options;
    this.#stop = await changes.on(key, () => {
      this.#changed = true;
      this.#wake();
    });
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.end();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    this.#stop();
    this.#wake();
    this.#options.onEnd();
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const text = await this.#next();
      // After a cancellation the controller takes nothing more, not even the end.
      if (text !== undefined) controller.enqueue(new TextEncoder().encode(text));
      else if (this.#options.signal.aborted) controller.close();
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** The next event or comment; undefined at the end. */
  async #next(): Promise<string | undefined> {
    // Tells proxies and clients at once that the stream is open.
    if (this.#isFirst) {
      this.#isFirst = false;
      return "retry: 2000\n\n";
    }
    while (!this.#ended) {
      if (this.#changed) {
        this.#changed = false;
        const event = await this.#readHead();
        if (event !== undefined && !this.#ended) return event;
      } else if (await this.#silence()) return ": still here\n\n";
    }
    return undefined;
  }

  async #readHead(): Promise<string | undefined> {
    const { store, key } = this.#options;
    const head = (await store.head(key))?.head;
    if (head === undefined || sameHead(head, this.#sent)) return undefined;
    const isSeen = this.#sent === undefined && this.#seen === String(head.blocks);
    this.#sent = head;
    if (isSeen) return undefined;
    const { epoch, blocks, bytes, record } = head;
    const data = { key, epoch, blocks, bytes, record, root: head.root.toHex() };
    return `id: ${blocks}\nevent: head\ndata: ${JSON.stringify(data)}\n\n`;
  }

  /** Waits for a change, or the end; true if there was neither for a while. */
  #silence(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), this.#options.keepAliveMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }
}
