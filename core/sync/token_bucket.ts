/** A bound on how often something happens. */

import type { Clock } from "../platform.ts";

/** How often something may happen: `burst` times at once, and `perSecond` in the long run. */
export interface Rate {
  /** At once, after a time of quiet. */
  readonly burst: number;
  /** In the long run. */
  readonly perSecond: number;
}

/** Tokens that are taken one by one and come back with time. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  /** A full one. */
  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#at = clock();
  }

  /** Takes a token; false if there is none. */
  take(): boolean {
    const now = this.#clock();
    // A clock that was set back gives nothing, and takes nothing away.
    const seconds = Math.max(0, now - this.#at) / 1000;
    this.#at = now;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + seconds * this.#rate.perSecond);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
