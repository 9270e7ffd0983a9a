/** What changed between two values of one log, in time proportional to the change. */

import type { Space } from "../codec/chunks.ts";
import { child, containerOf, resolve } from "../codec/container.ts";
import { decode } from "../codec/decode.ts";
import type { Node } from "../codec/node.ts";
import { writeScalar } from "../codec/scalar.ts";
import { compareText } from "../codec/text.ts";
import { type Item, type Path, Ref, type Value } from "../codec/value.ts";
import { Writer } from "../codec/writer.ts";
import { equal } from "../bytes.ts";
import { ABSENT } from "./snapshot.ts";

/** An item, or that there is none. */
export type Maybe = Item | typeof ABSENT;

/**
 * One difference; `before` and `after` are undefined where there was or is nothing, and decoded when
 * asked for.
 */
export interface Difference {
  /** Where they differ. */
  readonly path: Path;
  /** What was there. */
  readonly before: Value;
  /** What is there now. */
  readonly after: Value;
}

/** Whether two items of one log are equal values: by address, or by the bytes of scalars. */
export function sameItem(a: Maybe, b: Maybe): boolean {
  if (a === b) return true;
  if (a === ABSENT || b === ABSENT) return false;
  if (a instanceof Ref || b instanceof Ref) {
    return a instanceof Ref && b instanceof Ref && a.address === b.address;
  }
  if (typeof a !== typeof b || typeof a === "string") return false;
  const left = new Writer(16);
  const right = new Writer(16);
  writeScalar(left, a);
  writeScalar(right, b);
  return equal(left.view(), right.view());
}

/**
 * {@link sameItem}, also where a scalar sits inside a small map and has a chunk under a tree: a map
 * that has grown past the small form has not changed in all its entries.
 */
function sameContent(space: Space, a: Maybe, b: Maybe): boolean {
  if (sameItem(a, b)) return true;
  if (a === ABSENT || b === ABSENT || !(a instanceof Ref || b instanceof Ref)) return false;
  return sameItem(resolve(space, a), resolve(space, b));
}

/** Where `before` and `after` differ, in key order; maps are compared inside, all else as a whole. */
export function* diffItems(
  space: Space,
  before: Maybe,
  after: Maybe,
  path: Path = [],
): Generator<Difference> {
  if (sameItem(before, after)) return;
  const left = before === ABSENT ? undefined : containerOf(space, before);
  const right = after === ABSENT ? undefined : containerOf(space, after);
  if (left?.kind === "map" && right?.kind === "map") {
    for (const { key, before: a, after: b } of diffEntries(space, left, right)) {
      yield* diffItems(space, a, b, [...path, key]);
    }
    return;
  }
  const value = (item: Maybe) => item === ABSENT ? undefined : decode(space, item);
  yield {
    path,
    get before() {
      return value(before);
    },
    get after() {
      return value(after);
    },
  };
}

/** The entries in which two maps differ, in key order; subtrees that both share are not read. */
export function diffEntries(
  space: Space,
  left: Node | undefined,
  right: Node | undefined,
): { key: string; before: Maybe; after: Maybe }[] {
  let a = left === undefined ? [] : [left];
  let b = right === undefined ? [] : [right];
  for (let height = Math.max(left?.height ?? 0, right?.height ?? 0); height > 0; height--) {
    // At this height, descend only below children that the other side does not have as well.
    const addresses = (nodes: Node[]) =>
      new Set(nodes.flatMap((node) => node.height < height ? [] : node.items.map(addressOf)));
    const inA = addresses(a);
    const inB = addresses(b);
    a = a.flatMap((node) => descend(space, node, height, inB));
    b = b.flatMap((node) => descend(space, node, height, inA));
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

function descend(space: Space, node: Node, height: number, other: Set<number>): Node[] {
  if (node.height < height) return [node];
  const nodes: Node[] = [];
  for (let i = 0; i < node.items.length; i++) {
    if (!other.has(addressOf(node.items[i]))) nodes.push(child(space, node, i));
  }
  return nodes;
}

function addressOf(item: Item): number {
  return (item as Ref).address;
}
