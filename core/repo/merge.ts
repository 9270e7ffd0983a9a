/** Three-way merge of two branches of one log. */

import type { Space } from "../codec/chunks.ts";
import { containerOf } from "../codec/container.ts";
import { decode } from "../codec/decode.ts";
import { editMap, type MapEdit } from "../codec/edit.ts";
import { encode } from "../codec/encode.ts";
import { EMPTY_MAP, type Item, type Path, type Value } from "../codec/value.ts";
import { copyItem } from "./copy.ts";
import { diffEntries, type Maybe, sameItem } from "./diff.ts";
import { ABSENT, type Stat, statItem } from "./snapshot.ts";

/** Which value to keep: one side's as it is, or another. */
export type Choice = "mine" | "theirs" | { readonly value: Value };

/** Both sides changed one place, in ways that do not combine. Values are decoded when asked for. */
export interface Conflict {
  /** The place. */
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
  /** Whether this device's change has the later time. */
  readonly mineIsLater: boolean;
  /** Also keeps something at another path of the value, in place of what is there. */
  also(path: Path, choice: Choice): void;
}

/** Says what to keep. Both values stay in history whatever it says. */
export type OnConflict = (conflict: Conflict) => Choice;

/** The later change wins. */
export function laterWins({ mineIsLater }: Pick<Conflict, "mineIsLater">): Choice {
  return mineIsLater ? "mine" : "theirs";
}

/** Two branches, and how to decide between them. */
export interface Branches {
  /** The branch whose changes are taken over. */
  readonly mine: Space;
  /** The branch that goes on; what is merged is written to it. */
  readonly theirs: Space;
  /** Addresses below this mean the same in both. */
  readonly sharedBytes: number;
  readonly mineIsLater: boolean;
  readonly onConflict: OnConflict;
  /** What conflicts keep at other places; filled while merging. */
  readonly extras: { readonly path: Path; readonly item: Item }[];
}

/**
 * What `mine` and `theirs` made of `base`, in the branch of `theirs`: maps by key, all else as a
 * whole. A value that one side deleted and the other changed stays.
 */
export function mergeItems(
  branches: Branches,
  base: Maybe,
  mine: Maybe,
  theirs: Maybe,
  path: Path = [],
): Maybe {
  const { mine: from, theirs: to } = branches;
  if (sameItem(mine, base)) return theirs;
  if (sameItem(theirs, base)) return copy(branches, mine);
  if (mine === ABSENT) return theirs;
  if (theirs === ABSENT) return copy(branches, mine);
  const mineMap = containerOf(from, mine);
  const theirMap = containerOf(to, theirs);
  if (mineMap?.kind !== "map" || theirMap?.kind !== "map") {
    return resolveConflict(branches, base, mine, theirs, path);
  }
  const baseNode = containerOf(to, base === ABSENT ? EMPTY_MAP : base);
  const baseMap = baseNode?.kind === "map" ? baseNode : undefined;
  const theirChanges = new Map(
    diffEntries(to, baseMap, theirMap).map((entry) => [entry.key, entry]),
  );
  const edits: MapEdit[] = [];
  // The base is shared by both branches, so it can be read in either.
  for (const { key, before, after } of diffEntries(from, baseMap, mineMap)) {
    const their = theirChanges.get(key);
    const merged = their === undefined
      ? copy(branches, after)
      : mergeItems(branches, before, after, their.after, [...path, key]);
    if (their !== undefined && sameItem(merged, their.after)) continue;
    edits.push({ key, put: merged !== ABSENT, item: merged === ABSENT ? undefined : merged });
  }
  return edits.length === 0 ? theirs : editMap(to, theirMap, edits);
}

function resolveConflict(
  branches: Branches,
  base: Maybe,
  mine: Item,
  theirs: Item,
  path: Path,
): Item {
  const { mine: from, theirs: to, mineIsLater, onConflict, extras } = branches;
  const itemOf = (choice: Choice): Item => {
    if (choice === "theirs") return theirs;
    if (choice === "mine") return copyItem(from, mine, to, branches.sharedBytes);
    return encode(to, choice.value, path);
  };
  return itemOf(onConflict({
    path,
    mineStat: statItem(from, mine),
    theirsStat: statItem(to, theirs),
    get base() {
      return base === ABSENT ? undefined : decode(to, base);
    },
    get mine() {
      return decode(from, mine);
    },
    get theirs() {
      return decode(to, theirs);
    },
    mineIsLater,
    also: (path, choice) => extras.push({ path, item: itemOf(choice) }),
  }));
}

function copy({ mine, theirs, sharedBytes }: Branches, item: Maybe): Maybe {
  return item === ABSENT ? ABSENT : copyItem(mine, item, theirs, sharedBytes);
}
