/** Repos that are being opened for a peer, and what came for them since. */

import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { Waiting } from "./waiting.ts";

/** Bytes that wait here while the repos that they belong to are opened. */
const WAITING_BYTES = 16 * 2 ** 20;

interface Entry {
  readonly bytes: number;
  readonly take: () => void;
}

/** See the head of this file. */
export class Openings {
  readonly #entries = new Map<Key, Entry[]>();
  readonly #waiting: Waiting;
  #bytes = 0;
  #isEnded = false;

  /** Nothing is being opened; `waiting` counts for the whole connection. */
  constructor(waiting: Waiting) {
    this.#waiting = waiting;
  }

  /** How many are being opened. */
  get count(): number {
    return this.#entries.size;
  }

  /** Whether the repo of `key` is. */
  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** From now on what comes for `key` waits. */
  begin(key: Key): void {
    this.#entries.set(key, []);
  }

  /** Runs `take` when the repo is open, if it is being opened; in the order of asking. */
  whenOpen(key: Key, bytes: number, take: () => void): void {
    const entries = this.#entries.get(key);
    if (entries === undefined) return take();
    if (this.#isEnded) return;
    entries.push({ bytes, take });
    this.#bytes += bytes;
    this.#waiting.take(bytes);
    if (this.#bytes > WAITING_BYTES) {
      throw new StreamoError("too_large", "more than fits in memory while repos are opened");
    }
  }

  /** The repo is open, or does not open: `guard` runs what waited. */
  opened(key: Key, guard: (work: () => void) => void): void {
    const entries = this.#entries.get(key) ?? [];
    this.#entries.delete(key);
    for (const { bytes, take } of entries) {
      this.#give(bytes);
      // Waits again behind a message that opens the repo again.
      guard(() => this.whenOpen(key, bytes, take));
    }
  }

  /** The connection has ended: nothing waits any more, however long a repo takes to open. */
  end(): void {
    this.#isEnded = true;
    for (const entries of this.#entries.values()) {
      for (const { bytes } of entries.splice(0)) this.#give(bytes);
    }
  }

  #give(bytes: number): void {
    this.#bytes -= bytes;
    this.#waiting.give(bytes, 1);
  }
}
