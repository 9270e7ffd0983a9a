/** A branch that comes from a peer, held beside the log until it is whole. */

import { StreamoError } from "../errors.ts";
import { type Head, sameHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import type { HoldBudget } from "./hold_budget.ts";

/** One channel's. */
export class HeldFork {
  /** What a peer may offer; undefined for what this side asked for. */
  #budget: HoldBudget | undefined;
  #log: Log | undefined;
  #bytes = 0;
  /** This side's own head when it began. */
  #against: Head | undefined;

  /** Begins with `log`, which has what both have in common, `against` the head of this side's own. */
  begin(log: Log, against: Head | undefined, budget: HoldBudget | undefined): void {
    this.end();
    this.#log = log;
    this.#against = against;
    this.#budget = budget;
  }

  /**
   * Whether `error` only says that the branch does not fit, or comes too late. One that was asked for and
   * loses against the same `head` as before is a lie.
   */
  isLate(error: unknown, head: Head | undefined): error is StreamoError {
    if (!(error instanceof StreamoError)) return false;
    const isOffered = this.#budget !== undefined;
    if (error.code === "stale") return isOffered || !sameHead(head, this.#against);
    return error.code === "conflict" || error.code === "too_large";
  }

  /** Whether `run` is the next one. */
  awaits(run: Run): boolean {
    return this.#log?.heldLength === run.first;
  }

  /** Takes the next run; gives the branch when that was the last one. */
  async take(run: Run): Promise<Log | undefined> {
    const bytes = run.blocks.reduce((sum, { length }) => sum + length, 0);
    this.#budget?.take(bytes, this.#bytes);
    this.#bytes += bytes;
    const log = this.#log!;
    return await log.hold(run) ? log : undefined;
  }

  /** Lets go of what is held. */
  end(): void {
    this.#budget?.give(this.#bytes);
    this.#bytes = 0;
    this.#log = undefined;
  }
}
