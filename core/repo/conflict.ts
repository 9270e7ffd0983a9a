/** What a program is asked where two branches of one log do not combine. */

import type { Path, Value } from "../codec/value.ts";
import type { Stat } from "./snapshot.ts";

/** Which value to keep: one side's as it is, or another. */
export type Choice = "mine" | "theirs" | { readonly value: Value };

/** Both sides changed one place, in ways that do not combine. Values are decoded when asked for. */
export interface Conflict {
  /** The place; inside lists, in the list as it is merged. */
  readonly path: Path;
  /** What this device has there. */
  readonly mineStat: Stat;
  /** What the other has there. */
  readonly theirsStat: Stat;
  /** What both began with; undefined if there was nothing. */
  readonly base: Value;
  /** What this device made of it. */
  readonly mine: Value;
  /** What the other made of it. */
  readonly theirs: Value;
  /** Whether this device's change has the later time; of equal times, whether it is the smaller value. */
  readonly mineIsLater: boolean;
  /** Also keeps something at another path of the value, in place of what is there. */
  also(path: Path, choice: Choice): void;
}

/** Says what to keep. Both values stay in history whatever it says. */
export type OnConflict = (conflict: Conflict) => Choice;

/** The later change wins; of equal times the smaller value, on every device the same. */
export function laterWins({ mineIsLater }: Pick<Conflict, "mineIsLater">): Choice {
  return mineIsLater ? "mine" : "theirs";
}
