/** Counts what a piece of work looks at: shared parts let few stored bytes stand for any amount. */

import { StreamoError } from "../errors.ts";

/** Throws when more is spent than was allowed. */
export class Meter {
  readonly #what: string;
  readonly #most: number;
  #left: number;

  /** Allows `most` entries and elements for `what`, as in "comparing". */
  constructor(what: string, most: number) {
    this.#what = what;
    this.#most = most;
    this.#left = most;
  }

  /** Notes that `count` more are looked at; `budget` if that is too many. */
  spend(count: number): void {
    this.#left -= count;
    if (this.#left >= 0) return;
    const message = `${this.#what} takes more than ${this.#most} entries and elements`;
    throw new StreamoError("budget", message, { elements: this.#most });
  }
}
