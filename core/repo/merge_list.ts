/** Three-way merge of lists, element by element. */

import { align, type Region, regions } from "../codec/align.ts";
import type { Space } from "../codec/chunks.ts";
import { listItems } from "../codec/container.ts";
import { editList, type Splice } from "../codec/edit.ts";
import type { Node } from "../codec/node.ts";
import type { Item, Path } from "../codec/value.ts";
import { diffElements, type ListHunk, pairElements } from "./diff_list.ts";
import { type Maybe, sameItem } from "./same_item.ts";
import type { ElementIds } from "./element_ids.ts";
import type { Merge } from "./merge.ts";
import { ABSENT } from "../codec/find.ts";

/** What one side did inside a region of the base; places are counted from the region's start. */
interface Side {
  /** What the side has in the place of each element: itself, another, or none. */
  readonly elements: readonly Maybe[];
  /** What it inserted before each element, and after the last. */
  readonly inserted: readonly (readonly Item[])[];
}

/** The merge of two lists at one path. */
export class ListMerge {
  readonly #merge: Merge;
  readonly #path: Path;
  /** How many more elements the merged list has than `theirs`, so far. */
  #shift = 0;
  #moved: readonly [mine: Moves, theirs: Moves] | undefined;

  /** Merges the lists at `path`. */
  constructor(merge: Merge, path: Path) {
    this.#merge = merge;
    this.#path = path;
  }

  /** What the sides made of `base`; `mineItem` and `theirs` are the lists whose nodes are given. */
  merge(base: Node, mineItem: Item, mineList: Node, theirs: Item, theirList: Node): Item {
    const { ids, meter, branches: { mine: from, theirs: to, order }, comparer } = this.#merge;
    const mine = new Moves(ids, from, diffElements(from, base, mineList, ids, meter));
    const their = new Moves(ids, to, diffElements(to, base, theirList, ids, meter));
    const isMineLater = () =>
      order === 0
        ? comparer.compare({ space: from, item: mineItem }, { space: to, item: theirs }) < 0
        : order > 0;
    mine.settle(their, isMineLater);
    this.#moved = [mine, their];
    const splices: Splice[] = [];
    for (const region of regions(mine.hunks, their.hunks)) {
      if (region.mine.length === 0 && !region.theirs.some(({ isCut }) => isCut)) continue;
      const { theirsStart: at, theirsEnd } = region;
      const insert = region.theirs.length === 0
        ? this.#takeAll(region.mine.flatMap(({ after }) => after))
        : this.#both(base, region);
      const remove = theirsEnd - at;
      splices.push({ at, remove, insert });
      this.#shift += insert.length - remove;
    }
    const isSame = splices.every((splice) => isUnchanged(to, theirList, splice));
    return isSame ? theirs : editList(to, theirList, splices);
  }

  /** A region that both sides changed. */
  #both(base: Node, region: Region<MovedHunk>): Item[] {
    const { branches: { mine: from, theirs: to } } = this.#merge;
    const elements = [...listItems(to, base, region.start, region.end)];
    const [mineMoves, theirMoves] = this.#moved!;
    const mine = sideOf(from, elements, region.start, region.mine, mineMoves);
    const theirs = sideOf(to, elements, region.start, region.theirs, theirMoves);
    const merged: Item[] = [];
    for (let at = 0; at <= elements.length; at++) {
      addAll(merged, this.#inserted(mine.inserted[at], theirs.inserted[at]));
      if (at === elements.length) break;
      const place = region.theirsStart + this.#shift + merged.length;
      const path = [...this.#path, place];
      const item = this.#merge.items(elements[at], mine.elements[at], theirs.elements[at], path);
      if (item !== ABSENT) merged.push(item);
    }
    return merged;
  }

  /**
   * What both inserted at one place: what is equal (in a common subsequence) once, so that merging
   * what was merged before adds nothing; else first what the earlier side has.
   */
  #inserted(mine: readonly Item[], theirs: readonly Item[]): Item[] {
    if (mine.length === 0) return [...theirs];
    if (theirs.length === 0) return this.#takeAll(mine);
    const { ids, branches: { mine: from, theirs: to } } = this.#merge;
    const isMineFirst = this.#isMineFirst(mine, theirs);
    const mineIds = mine.map((item) => ids.of(from, item));
    const theirIds = theirs.map((item) => ids.of(to, item));
    // One order of the two on every device: there may be several common subsequences.
    const [first, second] = isMineFirst ? [mineIds, theirIds] : [theirIds, mineIds];
    const taken = this.#takeAll(mine);
    const [firstItems, secondItems] = isMineFirst ? [taken, theirs] : [theirs, taken];
    const merged: Item[] = [];
    let at = 0;
    for (const { aEnd, bStart, bEnd } of align(first, second)) {
      addAll(merged, firstItems.slice(at, aEnd));
      addAll(merged, secondItems.slice(bStart, bEnd));
      at = aEnd;
    }
    return [...merged, ...firstItems.slice(at)];
  }

  #isMineFirst(mine: readonly Item[], theirs: readonly Item[]): boolean {
    const { comparer, branches: { mine: from, theirs: to, order } } = this.#merge;
    if (order !== 0) return order < 0;
    for (let i = 0; i < mine.length && i < theirs.length; i++) {
      const order = comparer.compare({ space: from, item: mine[i] }, {
        space: to,
        item: theirs[i],
      });
      if (order !== 0) return order < 0;
    }
    return mine.length < theirs.length;
  }

  #takeAll(items: readonly Item[]): Item[] {
    return items.map((item) => this.#merge.take(item) as Item);
  }
}

/** A hunk, and whether elements were left out of what it puts in. */
interface MovedHunk extends ListHunk {
  readonly isCut: boolean;
}

/** What one side did to a list, with the elements that it moved: took out here and put in there, once. */
class Moves {
  hunks: readonly MovedHunk[];
  readonly #idOf: (item: Item) => number;
  /** Elements that were taken out, and whether they were put in elsewhere. */
  readonly #out = new Map<number, boolean>();

  constructor(ids: ElementIds, space: Space, hunks: readonly ListHunk[]) {
    this.#idOf = (item) => ids.of(space, item);
    this.hunks = hunks.map((hunk) => ({ ...hunk, isCut: false }));
    // Where nothing was taken out nothing has moved.
    if (hunks.every(({ before }) => before.length === 0)) return;
    const count = (parts: readonly (readonly Item[])[]) => {
      const counts = new Map<number, number>();
      for (const id of parts.flat().map(this.#idOf)) counts.set(id, (counts.get(id) ?? 0) + 1);
      return counts;
    };
    const added = count(hunks.map(({ after }) => after));
    for (const [id, times] of count(hunks.map(({ before }) => before))) {
      this.#out.set(id, times === 1 && added.get(id) === 1);
    }
  }

  /** Whether this side has moved it. */
  has(item: Item): boolean {
    return this.#out.size > 0 && this.#out.get(this.#idOf(item)) === true;
  }

  /**
   * What both took out of its place, and one has moved, stays removed; what both have moved is where the later side
   * has put it. Elsewhere it would be there twice.
   */
  settle(other: Moves, isLater: () => boolean): void {
    const both = [...this.#out].filter(([id]) => other.#out.has(id));
    const isMoved = both.filter(([id, moved]) => moved || other.#out.get(id));
    if (isMoved.length === 0) return;
    const later = isLater();
    const [cut, otherCut] = [new Set<number>(), new Set<number>()];
    for (const [id, moved] of isMoved) {
      if (moved && (!other.#out.get(id) || !later)) cut.add(id);
      else otherCut.add(id);
    }
    this.#cut(cut);
    other.#cut(otherCut);
  }

  #cut(ids: ReadonlySet<number>): void {
    if (ids.size === 0) return;
    this.hunks = this.hunks.map((hunk) => {
      const after = hunk.after.filter((item) => !ids.has(this.#idOf(item)));
      return { ...hunk, after, isCut: after.length < hunk.after.length };
    });
  }
}

/** What `hunks` make of the `elements` of a region that starts at `start` of the base. */
function sideOf(
  space: Space,
  elements: readonly Item[],
  start: number,
  hunks: readonly ListHunk[],
  moves: Moves,
): Side {
  const now: Maybe[] = [...elements];
  const inserted: Item[][] = Array.from({ length: elements.length + 1 }, () => []);
  for (const hunk of hunks) {
    const first = hunk.aStart - start;
    now.fill(ABSENT, first, hunk.aEnd - start);
    let gap = first;
    let next = 0;
    for (const [i, j] of pairStaying(space, hunk, moves)) {
      addAll(inserted[gap], hunk.after.slice(next, j));
      now[first + i] = hunk.after[j];
      gap = first + i + 1;
      next = j + 1;
    }
    addAll(inserted[gap], hunk.after.slice(next));
  }
  return { elements: now, inserted };
}

/** {@link pairElements} among those that have not moved. */
function pairStaying(space: Space, hunk: ListHunk, moves: Moves): [number, number][] {
  const staying = (items: readonly Item[]) =>
    items.map((item, at) => ({ item, at })).filter(({ item }) => !moves.has(item));
  const [before, after] = [staying(hunk.before), staying(hunk.after)];
  const itemsOf = (found: typeof before) => found.map(({ item }) => item);
  const pairs = pairElements(space, {
    ...hunk,
    before: itemsOf(before),
    after: itemsOf(after),
  });
  return pairs.map(([i, j]) => [before[i].at, after[j].at]);
}

/** Whether a splice puts in what it takes out. */
function isUnchanged(space: Space, list: Node, { at, remove, insert }: Splice): boolean {
  if (remove !== insert.length) return false;
  let i = 0;
  for (const item of listItems(space, list, at, at + remove)) {
    if (!sameItem(item, insert[i++])) return false;
  }
  return true;
}

/** One by one: a call does not take as many arguments as a list may have elements. */
function addAll(to: Item[], items: readonly Item[]): void {
  for (const item of items) to.push(item);
}
