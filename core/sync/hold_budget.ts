/** Branches that peers offer are in memory until they are whole: so many bytes of them at a time. */

import { StreamoError } from "../errors.ts";
import type { Registry } from "../repo/registry.ts";

/** Bytes of one branch that a peer offers. */
export const HELD_BYTES: number = 32 * 2 ** 20;
/** Bytes of all of them in one process. */
const ALL_BYTES = 4 * HELD_BYTES;

/** What the peers of one registry have offered. */
export class HoldBudget {
  #bytes = 0;

  /** Counts `bytes` more, `held` of which are counted already; `too_large` past the limits. */
  take(bytes: number, held: number): void {
    if (held + bytes > HELD_BYTES || this.#bytes + bytes > ALL_BYTES) {
      const message = `a branch of ${held + bytes} bytes cannot take the place of the one here`;
      throw new StreamoError("too_large", message);
    }
    this.#bytes += bytes;
  }

  /** They are not in memory any more. */
  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

const budgets = new WeakMap<Registry, HoldBudget>();

/** The budget of all conversations of `registry`. */
export function holdBudget(registry: Registry): HoldBudget {
  let budget = budgets.get(registry);
  if (budget === undefined) budgets.set(registry, budget = new HoldBudget());
  return budget;
}
