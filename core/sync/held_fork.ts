/** A branch that comes from a peer, held beside the log until it is whole. */

import { type Code, StreamoError } from "../errors.ts";
import { memoryOf } from "../log/block.ts";
import { type Head, sameHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import type { Input } from "./channel_state.ts";
import type { HoldBudget, HoldBudgets } from "./hold_budget.ts";

/** One channel's. */
export class HeldFork {
  readonly #offered: HoldBudget;
  readonly #fetched: HoldBudget;
  #isAsked = false;
  #log: Log | undefined;
  #bytes = 0;
  /** This side's own head when it began. */
  #against: Head | undefined;

  /** Nothing is held yet. */
  constructor({ offered, fetched, merged }: HoldBudgets, canMerge: boolean) {
    this.#offered = offered;
    this.#fetched = canMerge ? merged : fetched;
  }

  /**
   * Begins with `log`, which has what both have in common, `against` the head of this side's own. `asked`
   * covers what this side asks for; gives what happens instead, if that can never be held.
   */
  begin(log: Log, against: Head | undefined, asked: Head | undefined): Input | undefined {
    this.end();
    this.#isAsked = asked !== undefined;
    this.#log = log;
    this.#against = against;
    try {
      if (asked !== undefined) this.#check(asked);
    } catch (error) {
      return this.dropped(error, against);
    }
  }

  /**
   * Lets go of what is held because of `error`, if that only says that the branch does not fit, is too
   * large, or comes too late. One that was asked for and loses against the same `head` as before is a lie.
   */
  dropped(error: unknown, head: Head | undefined): Input {
    this.end();
    if (!(error instanceof StreamoError) || !this.#isLate(error.code, head)) throw error;
    const { code, message } = error;
    return { type: "dropped", code, message };
  }

  /** Whether `run` is the next one. */
  awaits(run: Run): boolean {
    return this.#log?.heldLength === run.first;
  }

  /** Takes the next run; gives the branch when that was the last one. */
  async take(run: Run): Promise<Log | undefined> {
    const total = run.blocks.reduce((sum, { length }) => sum + length, 0);
    const bytes = memoryOf(run.blocks.length, total);
    this.#budget.take(bytes);
    this.#bytes += bytes;
    const log = this.#log!;
    const isWhole = await log.hold(run);
    this.#check(run.head);
    return isWhole ? log : undefined;
  }

  /** Lets go of what is held. */
  end(): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
    this.#log = undefined;
  }

  #isLate(code: Code, head: Head | undefined): boolean {
    if (code === "stale") return !this.#isAsked || !sameHead(head, this.#against);
    return code === "conflict" || code === "too_large";
  }

  get #budget(): HoldBudget {
    return this.#isAsked ? this.#fetched : this.#offered;
  }

  /** What is refused is refused before it is here. */
  #check(head: Head): void {
    const { length, sealedBytes } = this.#log!;
    this.#budget.check(memoryOf(head.blocks - length, head.bytes - sealedBytes));
  }
}
