/** What changed between two lists of one log, in time proportional to the change. */

import { align, type Hunk } from "../codec/align.ts";
import type { Space } from "../codec/chunks.ts";
import { child, containerOf, mapEntries } from "../codec/container.ts";
import type { Meter } from "../codec/meter.ts";
import type { Node } from "../codec/node.ts";
import { SMALL_MAX } from "../codec/tags.ts";
import { type Item, Ref } from "../codec/value.ts";
import type { ElementIds } from "./element_ids.ts";
import { sameContent } from "./diff_map.ts";

/** Elements [aStart, aEnd) of a list, in whose place others are. */
export interface ListHunk extends Hunk {
  readonly before: readonly Item[];
  readonly after: readonly Item[];
}

/** Hunks whose elements are looked at for pairs that are alike: more would take too long. */
const ALIKE_MAX = 1024;

/** The places where `right` differs from `left`, in order; subtrees that both share are not read. */
export function diffElements(
  space: Space,
  left: Node | undefined,
  right: Node | undefined,
  ids: ElementIds,
  meter: Meter,
): ListHunk[] {
  const hunks: ListHunk[] = [];
  const compare = (a: readonly Node[], b: readonly Node[], aStart: number, bStart: number) => {
    const height = Math.max(a[0]?.height ?? 0, b[0]?.height ?? 0);
    const [aRow, bRow] = [rowOf(a), rowOf(b)];
    meter.spend(aRow.length + bRow.length);
    const idOf = height === 0
      ? (entry: Entry) => ids.of(space, entry.node.items[entry.at])
      : (entry: Entry) => (entry.node.items[entry.at] as Ref).address;
    // Against nothing there is nothing to look for.
    const isOneSided = aRow.length === 0 || bRow.length === 0;
    const [aIds, bIds] = [aRow, bRow].map((row) => row.map(isOneSided ? () => 0 : idOf));
    let [a0, b0, aDone, bDone] = [aStart, bStart, 0, 0];
    for (const hunk of align(aIds, bIds)) {
      // What lies between hunks has the same size on both sides.
      a0 += sizeOf(aRow, aDone, hunk.aStart);
      b0 += sizeOf(bRow, bDone, hunk.bStart);
      const before = aRow.slice(hunk.aStart, hunk.aEnd);
      const after = bRow.slice(hunk.bStart, hunk.bEnd);
      if (height > 0) compare(below(space, before), below(space, after), a0, b0);
      else hunks.push(hunkOf(before, after, a0, b0));
      a0 += sizeOf(before);
      b0 += sizeOf(after);
      [aDone, bDone] = [hunk.aEnd, hunk.bEnd];
    }
  };
  const [a, b] = sameHeight(space, left, right, meter);
  compare(a, b, 0, 0);
  return hunks;
}

/**
 * Which elements of a hunk are new versions of which, as pairs of places in `before` and `after`, in
 * order: each of the one that has its place if there are as many; else maps that agree in half of
 * their entries. What is not paired was removed or added.
 */
export function pairElements(space: Space, { before, after }: ListHunk): [number, number][] {
  if (before.length === after.length) return before.map((_, i) => [i, i]);
  const pairs: [number, number][] = [];
  if (before.length * after.length > ALIKE_MAX) return pairs;
  let next = 0;
  before.forEach((item, i) => {
    for (let j = next; j < after.length; j++) {
      if (!isAlike(space, item, after[j])) continue;
      pairs.push([i, j]);
      next = j + 1;
      return;
    }
  });
  return pairs;
}

/** One entry of a node. */
interface Entry {
  readonly node: Node;
  readonly at: number;
}

/** The entries of nodes, which have one height. */
function rowOf(nodes: readonly Node[]): Entry[] {
  return nodes.flatMap((node) => node.items.map((_, at) => ({ node, at })));
}

function below(space: Space, row: readonly Entry[]): Node[] {
  return row.map(({ node, at }) => child(space, node, at));
}

function sizeOf(row: readonly Entry[], from = 0, to: number = row.length): number {
  let size = 0;
  for (let i = from; i < to; i++) {
    const { node, at } = row[i];
    size += node.height === 0 ? 1 : node.sizes[at];
  }
  return size;
}

function hunkOf(
  aRow: readonly Entry[],
  bRow: readonly Entry[],
  aStart: number,
  bStart: number,
): ListHunk {
  const items = (row: readonly Entry[]) => row.map(({ node, at }) => node.items[at]);
  return {
    aStart,
    aEnd: aStart + aRow.length,
    before: items(aRow),
    bStart,
    bEnd: bStart + bRow.length,
    after: items(bRow),
  };
}

/** The nodes of both lists at the height of the lower one; of one alone, at the height that it has. */
function sameHeight(
  space: Space,
  left: Node | undefined,
  right: Node | undefined,
  meter: Meter,
): [readonly Node[], readonly Node[]] {
  let a = left === undefined ? [] : [left];
  let b = right === undefined ? [] : [right];
  const heightOf = (nodes: readonly Node[]) => nodes[0]?.height ?? Infinity;
  const down = (nodes: readonly Node[]) =>
    nodes.flatMap((node) => {
      meter.spend(node.items.length);
      return node.items.map((_, at) => child(space, node, at));
    });
  while (b.length > 0 && a.length > 0 && heightOf(a) > heightOf(b)) a = down(a);
  while (a.length > 0 && b.length > 0 && heightOf(b) > heightOf(a)) b = down(b);
  return [a, b];
}

/** Whether one map may be a new version of the other. */
function isAlike(space: Space, a: Item, b: Item): boolean {
  if (!(a instanceof Ref && b instanceof Ref)) return false;
  const [left, right] = [containerOf(space, a), containerOf(space, b)];
  if (left?.kind !== "map" || right?.kind !== "map") return false;
  if (left.size > SMALL_MAX || right.size > SMALL_MAX) return false;
  const others = new Map(mapEntries(space, right));
  let equal = 0;
  for (const [key, item] of mapEntries(space, left)) {
    if (others.has(key) && sameContent(space, item, others.get(key))) equal++;
  }
  return equal * 2 >= Math.max(left.size, right.size);
}
