/** What changed between two maps of one log, in time proportional to the change. */

import type { Space } from "../codec/chunks.ts";
import { child, resolve } from "../codec/container.ts";
import type { Meter } from "../codec/meter.ts";
import type { Node } from "../codec/node.ts";
import { compareText } from "../codec/text.ts";
import { type Item, Ref } from "../codec/value.ts";
import { ABSENT } from "../codec/find.ts";
import { type Maybe, sameItem } from "./same_item.ts";

/** A key under which two maps have different items. */
export interface EntryChange {
  readonly key: string;
  readonly before: Maybe;
  readonly after: Maybe;
}

/**
 * {@link sameItem}, also where a scalar sits inside a small container and has a chunk under a tree: a
 * map that has grown past the small form has not changed in all its entries.
 */
export function sameContent(space: Space, a: Maybe, b: Maybe): boolean {
  if (sameItem(a, b)) return true;
  if (a === ABSENT || b === ABSENT || !(a instanceof Ref || b instanceof Ref)) return false;
  return sameItem(resolve(space, a), resolve(space, b));
}

/** The entries in which two maps differ, in key order; subtrees that both share are not read. */
export function diffEntries(
  space: Space,
  left: Node | undefined,
  right: Node | undefined,
  meter: Meter,
): EntryChange[] {
  let a = left === undefined ? [] : [left];
  let b = right === undefined ? [] : [right];
  for (let height = Math.max(left?.height ?? 0, right?.height ?? 0); height > 0; height--) {
    // At this height, descend only below children that the other side does not have as well.
    const inA = addressesAt(a, height);
    const inB = addressesAt(b, height);
    a = a.flatMap((node) => descend(space, node, height, inB, meter));
    b = b.flatMap((node) => descend(space, node, height, inA, meter));
  }
  const entries = new Map<string, { key: string; before: Maybe; after: Maybe }>();
  for (const node of a) {
    node.keys.forEach((key, i) => entries.set(key, { key, before: node.items[i], after: ABSENT }));
  }
  for (const node of b) {
    for (let i = 0; i < node.keys.length; i++) {
      const key = node.keys[i];
      const entry = entries.get(key);
      if (entry === undefined) entries.set(key, { key, before: ABSENT, after: node.items[i] });
      else if (sameContent(space, entry.before, node.items[i])) entries.delete(key);
      else entry.after = node.items[i];
    }
  }
  return [...entries.values()].sort((x, y) => compareText(x.key, y.key));
}

function addressesAt(nodes: readonly Node[], height: number): Set<number> {
  return new Set(nodes.flatMap((node) => node.height < height ? [] : node.items.map(addressOf)));
}

function descend(
  space: Space,
  node: Node,
  height: number,
  other: Set<number>,
  meter: Meter,
): Node[] {
  if (node.height < height) return [node];
  const nodes: Node[] = [];
  for (let i = 0; i < node.items.length; i++) {
    if (other.has(addressOf(node.items[i]))) continue;
    nodes.push(child(space, node, i));
    meter.spend(nodes[nodes.length - 1].items.length);
  }
  return nodes;
}

function addressOf(item: Item): number {
  return (item as Ref).address;
}
