/**
 * Branches that come from peers are in memory until they are whole: so many bytes of them at a time, as
 * `memoryOf` counts them.
 */

import { StreamoError } from "../errors.ts";
import type { Registry } from "../repo/registry.ts";

const MIB = 2 ** 20;

/** Bytes of branches that are held in one process. */
export class HoldBudget {
  readonly #branchBytes: number;
  readonly #allBytes: number;
  #bytes = 0;

  /** At most `branchBytes` of one branch, `allBytes` of all. */
  constructor(branchBytes: number, allBytes: number) {
    this.#branchBytes = branchBytes;
    this.#allBytes = allBytes;
  }

  /** `too_large` if a branch of `bytes` bytes can never be held: before any of it is there. */
  check(bytes: number): void {
    if (bytes <= this.#branchBytes) return;
    const message = `a branch of ${bytes} bytes cannot take the place of the one here: ` +
      `at most ${this.#branchBytes} are held`;
    throw new StreamoError("too_large", message);
  }

  /** Counts `bytes` more; `too_large` where there is no room. */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#allBytes) {
      const message = `${this.#bytes} bytes of branches are held: no room for more now`;
      throw new StreamoError("too_large", message);
    }
    this.#bytes += bytes;
  }

  /** They are not in memory any more. */
  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What may be held of peers' branches. */
export interface HoldBudgets {
  /** Of what peers offer: anybody may. */
  readonly offered: HoldBudget;
  /** Of what this side asks for because its own log parts from it, and cannot sign. */
  readonly fetched: HoldBudget;
  /** Of what a signer asks for, to merge: only itself can have signed it. */
  readonly merged: HoldBudget;
}

const known = new WeakMap<Registry, HoldBudgets>();

/** The budgets of all conversations of `registry`. */
export function holdBudgets(registry: Registry): HoldBudgets {
  let budgets = known.get(registry);
  if (budgets === undefined) {
    budgets = {
      offered: new HoldBudget(32 * MIB, 128 * MIB),
      fetched: new HoldBudget(128 * MIB, 256 * MIB),
      merged: new HoldBudget(512 * MIB, 512 * MIB),
    };
    known.set(registry, budgets);
  }
  return budgets;
}
