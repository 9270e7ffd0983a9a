/** Three-way merge of two branches of one log: what both did to a value, in the branch that goes on. */

import type { Space } from "../codec/chunks.ts";
import { containerOf } from "../codec/container.ts";
import { decode, DEFAULT_BUDGET } from "../codec/decode.ts";
import { editMap, type MapEdit } from "../codec/edit.ts";
import { encode } from "../codec/encode.ts";
import { extentOf } from "../codec/large.ts";
import { mergeText } from "../codec/merge_text.ts";
import { Meter } from "../codec/meter.ts";
import type { Node } from "../codec/node.ts";
import { DEPTH_MAX } from "../codec/tags.ts";
import { EMPTY_LIST, EMPTY_MAP, type Item, type Path } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import { Comparer } from "./compare.ts";
import type { Choice, OnConflict } from "./conflict.ts";
import { copyItem } from "./copy.ts";
import { diffEntries } from "./diff_map.ts";
import { type Maybe, sameItem } from "./same_item.ts";
import { ElementIds } from "./element_ids.ts";
import { ListMerge } from "./merge_list.ts";
import { ABSENT } from "../codec/find.ts";
import { statItem } from "./snapshot.ts";

/** Text above this many bytes (UTF-8) is not merged by line. */
const MERGE_TEXT_MAX_BYTES = 1 << 20;

/** Two branches, and how to decide between them. */
export interface Branches {
  /** The branch whose changes are taken over. */
  readonly mine: Space;
  /** The branch that goes on; what is merged is written to it. */
  readonly theirs: Space;
  /** Addresses below this mean the same in both. */
  readonly sharedBytes: number;
  /** Positive if `mine` has the later time, negative if `theirs` has, 0 if they are equal. */
  readonly order: number;
  readonly onConflict: OnConflict;
}

/** One three-way merge. */
export class Merge {
  readonly branches: Branches;
  readonly comparer: Comparer;
  readonly ids: ElementIds;
  readonly meter: Meter = new Meter("merging", DEFAULT_BUDGET.elements);
  /** What conflicts keep at other places; filled while merging. */
  readonly extras: { readonly path: Path; readonly item: Item }[] = [];

  /** Merges within `branches`. */
  constructor(branches: Branches) {
    this.branches = branches;
    this.comparer = new Comparer(this.meter, branches.sharedBytes);
    this.ids = new ElementIds(this.comparer);
  }

  /**
   * What `mine` and `theirs` made of `base`, in the branch of `theirs`: maps by key, lists by element,
   * text by line, all else as a whole. What one side deleted and the other changed stays. The result
   * does not depend on which branch is called mine (unless `onConflict` makes it so).
   */
  items(base: Maybe, mine: Maybe, theirs: Maybe, path: Path): Maybe {
    const { mine: from, theirs: to } = this.branches;
    if (sameItem(mine, base)) return theirs;
    if (sameItem(theirs, base)) return this.take(mine);
    this.meter.spend(1);
    if (path.length > DEPTH_MAX) {
      throw new StreamoError("budget", `values nest deeper than ${DEPTH_MAX}`);
    }
    if (mine === ABSENT) return theirs !== ABSENT && this.#isBase(to, base, theirs) ? mine : theirs;
    if (theirs === ABSENT) return this.#isBase(from, base, mine) ? theirs : this.take(mine);
    const [a, b] = [containerOf(from, mine), containerOf(to, theirs)];
    if (a?.kind === "map" && b?.kind === "map") return this.#maps(base, a, theirs, b, path);
    if (a?.kind === "list" && b?.kind === "list") {
      return new ListMerge(this, path).merge(this.#baseOf(base, "list"), mine, a, theirs, b);
    }
    return this.#wholes(base, mine, theirs, path);
  }

  /** `mine`, written to the branch that goes on. */
  take(mine: Maybe): Maybe {
    const { mine: from, theirs: to, sharedBytes } = this.branches;
    return mine === ABSENT ? ABSENT : copyItem(from, mine, to, sharedBytes);
  }

  #maps(base: Maybe, mine: Node, theirs: Item, theirMap: Node, path: Path): Item {
    const { mine: from, theirs: to } = this.branches;
    const baseMap = this.#baseOf(base, "map");
    const theirChanges = new Map(
      diffEntries(to, baseMap, theirMap, this.meter).map((entry) => [entry.key, entry]),
    );
    const edits: MapEdit[] = [];
    // The base is shared by both branches, so it can be read in either.
    for (const { key, before, after } of diffEntries(from, baseMap, mine, this.meter)) {
      const their = theirChanges.get(key);
      const merged = their === undefined
        ? this.take(after)
        : this.items(before, after, their.after, [...path, key]);
      if (their !== undefined && sameItem(merged, their.after)) continue;
      edits.push({ key, put: merged !== ABSENT, item: merged === ABSENT ? undefined : merged });
    }
    return edits.length === 0 ? theirs : editMap(to, theirMap, edits);
  }

  /** The base as a container of `kind`; nothing if it was something else. */
  #baseOf(base: Maybe, kind: "map" | "list"): Node {
    const { theirs: space } = this.branches;
    const node = base === ABSENT ? undefined : containerOf(space, base);
    if (node?.kind === kind) return node;
    return containerOf(space, kind === "map" ? EMPTY_MAP : EMPTY_LIST)!;
  }

  /** Whether `item` of `space` is equal to the base: written again, and not changed. */
  #isBase(space: Space, base: Maybe, item: Item): boolean {
    return base !== ABSENT && this.comparer.isEqual({ space, item: base }, { space, item });
  }

  #wholes(base: Maybe, mine: Item, theirs: Item, path: Path): Item {
    const { mine: from, theirs: to } = this.branches;
    const isSame = this.comparer.isEqual({ space: from, item: mine }, { space: to, item: theirs });
    if (isSame || this.#isBase(from, base, mine)) return theirs;
    if (this.#isBase(to, base, theirs)) return this.take(mine) as Item;
    const text = this.#texts(base, mine, theirs);
    return text === undefined ? this.#conflict(base, mine, theirs, path) : encode(to, text, path);
  }

  /** The text merged by line; undefined if one is no text, or too long, or lines touch. */
  #texts(base: Maybe, mine: Item, theirs: Item): string | undefined {
    const { mine: from, theirs: to } = this.branches;
    const isText = (space: Space, item: Maybe) => {
      const extent = item === ABSENT ? undefined : extentOf(space, item);
      return extent?.kind === "string" && extent.size <= MERGE_TEXT_MAX_BYTES;
    };
    if (base === ABSENT) return undefined;
    if (!isText(to, base) || !isText(from, mine) || !isText(to, theirs)) return undefined;
    const [m, b, t] = [decode(from, mine), decode(to, base), decode(to, theirs)];
    return mergeText(m as string, b as string, t as string);
  }

  #conflict(base: Maybe, mine: Item, theirs: Item, path: Path): Item {
    const { mine: from, theirs: to, order, onConflict } = this.branches;
    const { comparer, extras } = this;
    const itemOf = (choice: Choice): Item => {
      if (choice === "theirs") return theirs;
      return choice === "mine" ? this.take(mine) as Item : encode(to, choice.value, path);
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
      get mineIsLater() {
        if (order !== 0) return order > 0;
        return comparer.compare({ space: from, item: mine }, { space: to, item: theirs }) < 0;
      },
      also: (path, choice) => extras.push({ path, item: itemOf(choice) }),
    }));
  }
}
