/** A log of a later epoch, on its way from one peer. */

import type { Log } from "../log/log.ts";
import type { Timer } from "../platform.ts";

/** Without another block for so long, the way is free for others. */
const STALL_MS = 30_000;

/**
 * While it is under way, blocks of the log that it replaces wait (those written here, and those of other
 * peers): a store that is given some forgets what it has of the later epoch. It ends when that epoch
 * is whole, when the peer leaves, or when nothing comes any more.
 */
export class Raising {
  readonly log: Log;
  /** Whoever brings it. */
  readonly source: unknown;
  readonly #timer: Timer;
  readonly #ended = Promise.withResolvers<void>();
  readonly #onStall: () => void;
  #stop: () => void = () => {};

  /** `onStall` is to end it. */
  constructor(log: Log, source: unknown, timer: Timer, onStall: () => void) {
    this.log = log;
    this.source = source;
    this.#timer = timer;
    this.#onStall = onStall;
  }

  /** Resolves at the end. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** A block has come. */
  touch(): void {
    this.#stop();
    this.#stop = this.#timer(this.#onStall, STALL_MS);
  }

  /** Whoever waits goes on. */
  end(): void {
    this.#stop();
    this.#ended.resolve();
  }
}
