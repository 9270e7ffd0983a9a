/** Three-way merge of values in logs that share no addresses: those of two epochs. */

import { Space } from "../codec/chunks.ts";
import { containerOf, mapEntries } from "../codec/container.ts";
import { DEFAULT_BUDGET } from "../codec/decode.ts";
import { editMap, type MapEdit } from "../codec/edit.ts";
import { Meter } from "../codec/meter.ts";
import { compareText } from "../codec/text.ts";
import type { Item, Path } from "../codec/value.ts";
import { Comparer, type Place } from "./compare.ts";
import type { OnConflict } from "./conflict.ts";
import { copyItem } from "./copy.ts";
import { diffEntries, type EntryChange } from "./diff_map.ts";
import type { Maybe } from "./same_item.ts";
import { Overlay } from "./overlay.ts";
import { Merge } from "./merge.ts";
import { ABSENT, childItem } from "../codec/find.ts";

/** Past the addresses of a log, and of an overlay over one. */
const BOTH_START = 2 ** 50;

/** Logs and how to decide between them. */
export interface Logs {
  /** Where the base is read: the log of one of the two sides. */
  readonly base: Space;
  /** The log whose changes are taken over. */
  readonly mine: Space;
  /** The log that goes on; what is merged is written to it. */
  readonly theirs: Space;
  /** Addresses below this mean the same in all of them. */
  readonly sharedBytes: number;
  /** As in `Branches`. */
  readonly order: number;
  readonly onConflict: OnConflict;
}

/** One merge of values across logs. */
export class MergeAcross {
  /** What conflicts keep at other places; filled while merging. */
  readonly extras: { readonly path: Path; readonly item: Item }[] = [];
  readonly #logs: Logs;
  readonly #meter = new Meter("merging", DEFAULT_BUDGET.elements);
  readonly #comparer: Comparer;

  /** Merges among `logs`. */
  constructor(logs: Logs) {
    this.#logs = logs;
    this.#comparer = new Comparer(this.#meter, logs.sharedBytes);
  }

  /**
   * What `mine` and `theirs` made of `base`, in the log of `theirs`. Maps are merged by key, reading
   * only what `mine` has changed; all else as in one log. What one side deleted and the other changed
   * stays; without a base nothing counts as deleted.
   */
  items(base: Maybe, mine: Maybe, theirs: Maybe, path: Path): Maybe {
    const logs = this.#logs;
    if (mine !== ABSENT && theirs !== ABSENT) {
      const [a, b] = [containerOf(logs.mine, mine), containerOf(logs.theirs, theirs)];
      if (a?.kind === "map" && b?.kind === "map") return this.#maps(base, mine, theirs, path);
      if (this.isEqual(mine, theirs)) return theirs;
    }
    if (mine === ABSENT) return theirs !== ABSENT && this.#isBase(base, theirs) ? ABSENT : theirs;
    // Written again, and not changed: it stays deleted.
    if (theirs === ABSENT && this.#isUnchanged(base, mine)) return ABSENT;
    if (theirs === ABSENT || this.#isBase(base, theirs)) {
      return copyItem(logs.mine, mine, logs.theirs, logs.sharedBytes);
    }
    return this.#both(base, mine, theirs, path);
  }

  /** Whether an item of `mine` is equal to one of `theirs`. */
  isEqual(mine: Item, theirs: Item): boolean {
    const { mine: from, theirs: to } = this.#logs;
    return this.#comparer.isEqual({ space: from, item: mine }, { space: to, item: theirs });
  }

  #isUnchanged(base: Maybe, mine: Item): boolean {
    const { base: space, mine: from } = this.#logs;
    return base !== ABSENT &&
      this.#comparer.isEqual({ space, item: base }, { space: from, item: mine });
  }

  #isBase(base: Maybe, theirs: Item): boolean {
    const { base: space, theirs: to } = this.#logs;
    return base !== ABSENT &&
      this.#comparer.isEqual({ space, item: base }, { space: to, item: theirs });
  }

  #maps(base: Maybe, mine: Item, theirs: Item, path: Path): Item {
    const { theirs: to } = this.#logs;
    const edits: MapEdit[] = [];
    for (const { key, before, after } of this.#changes(base, mine)) {
      const their = childItem(to, theirs, key);
      const merged = this.items(before, after, their, [...path, key]);
      if (merged === their) continue;
      edits.push({ key, put: merged !== ABSENT, item: merged === ABSENT ? undefined : merged });
    }
    return edits.length === 0 ? theirs : editMap(to, containerOf(to, theirs)!, edits);
  }

  /** What `mine`, a map, has changed since `base`. */
  #changes(base: Maybe, mine: Item): EntryChange[] {
    const logs = this.#logs;
    const mineMap = containerOf(logs.mine, mine)!;
    const node = base === ABSENT ? undefined : containerOf(logs.base, base);
    const baseMap = node?.kind === "map" ? node : undefined;
    if (logs.base === logs.mine || baseMap === undefined) {
      return diffEntries(logs.mine, baseMap, mineMap, this.#meter);
    }
    const changes: EntryChange[] = [];
    const before = new Map(mapEntries(logs.base, baseMap));
    for (const [key, after] of mapEntries(logs.mine, mineMap)) {
      const was = before.has(key) ? before.get(key) : ABSENT;
      before.delete(key);
      const [left, right]: Place[] = [
        { space: logs.base, item: was as Item },
        { space: logs.mine, item: after },
      ];
      const isSame = was !== ABSENT && this.#comparer.isEqual(left, right);
      if (!isSame) changes.push({ key, before: was, after });
    }
    for (const [key, was] of before) changes.push({ key, before: was, after: ABSENT });
    return changes.sort((a, b) => compareText(a.key, b.key));
  }

  /** Lists, texts and conflicts: merged in a space over that of `theirs`, for all of them. */
  #both(base: Maybe, mine: Item, theirs: Item, path: Path): Item {
    const { sharedBytes, order, onConflict, ...logs } = this.#logs;
    const space = new Space(new Overlay(logs.theirs, BOTH_START));
    const take = (from: Space, item: Item) => copyItem(from, item, space, sharedBytes);
    const all = { mine: space, theirs: space, sharedBytes: Infinity };
    const merge = new Merge({ ...all, order, onConflict });
    const merged = merge.items(
      base === ABSENT ? ABSENT : take(logs.base, base as Item),
      take(logs.mine, mine),
      theirs,
      path,
    );
    const give = (item: Item) => copyItem(space, item, logs.theirs, BOTH_START);
    for (const { path, item } of merge.extras) this.extras.push({ path, item: give(item) });
    return give(merged as Item);
  }
}
