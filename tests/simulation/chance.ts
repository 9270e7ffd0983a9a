/** Random choices of one part of a run. */

import { randomSource } from "../suites/random.ts";

/** A stream of choices: each part of a run has its own, so that they do not disturb each other. */
export class Chance {
  readonly #random: { integer(low: number, high: number): number };

  /** The stream `name` of a seed. */
  constructor(seed: number, name: string) {
    let hash = seed | 0;
    for (const letter of name) {
      hash = Math.imul(hash ^ letter.charCodeAt(0), 0x5bd1e995) ^ hash >>> 13;
    }
    this.#random = randomSource(hash);
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return this.#random.integer(low, high);
  }

  /** A number from 0 up to 1. */
  fraction(): number {
    return this.#random.integer(0, 2 ** 30 - 1) / 2 ** 30;
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.integer(0, 255));
  }

  /** True so often, of 1. */
  is(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of `choices`. */
  of<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)];
  }

  /** From `low` to `high`, mostly near `low`. */
  skewed(low: number, high: number): number {
    return low + (high - low) * this.fraction() ** 3;
  }
}
