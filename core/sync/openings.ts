/** Repos that are being opened for a peer, and what came for them since. */

import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";

/** Bytes that wait here while the repos that they belong to are opened. */
const WAITING_BYTES = 16 * 2 ** 20;

interface Waiting {
  readonly bytes: number;
  readonly take: () => void;
}

/** See the head of this file. */
export class Openings {
  readonly #waiting = new Map<Key, Waiting[]>();
  #bytes = 0;

  /** How many are being opened. */
  get count(): number {
    return this.#waiting.size;
  }

  /** Whether the repo of `key` is. */
  has(key: Key): boolean {
    return this.#waiting.has(key);
  }

  /** From now on what comes for `key` waits. */
  begin(key: Key): void {
    this.#waiting.set(key, []);
  }

  /** Runs `take` when the repo is open, if it is being opened; in the order of asking. */
  whenOpen(key: Key, bytes: number, take: () => void): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return take();
    waiting.push({ bytes, take });
    this.#bytes += bytes;
    if (this.#bytes > WAITING_BYTES) {
      throw new StreamoError("too_large", "more than fits in memory while repos are opened");
    }
  }

  /** The repo is open, or does not open: `guard` runs what waited. */
  end(key: Key, guard: (work: () => void) => void): void {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    for (const { bytes, take } of waiting) {
      this.#bytes -= bytes;
      // Waits again behind a message that opens the repo again.
      guard(() => this.whenOpen(key, bytes, take));
    }
  }
}
