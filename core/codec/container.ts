/** Reading inside maps and lists: one entry, a range of entries, without decoding the rest. */

import type { Space } from "./chunks.ts";
import type { Kind, Node } from "./node.ts";
import { isNode } from "./node.ts";
import { readScalarChunk } from "./scalar.ts";
import { LARGE_STRING, SMALL_KEY_BYTES, SMALL_MAX } from "./tags.ts";
import { compareText, isLatin1, utf8Length } from "./text.ts";
import { EMPTY_LIST, EMPTY_MAP, type Item, Ref } from "./value.ts";
import { malformed } from "./reader.ts";

/** Which entries of a map, in what order. */
export interface Range {
  /** Only keys that begin with this. */
  readonly prefix?: string;
  /** Only keys from this one on (up to this one in reverse order). */
  readonly start?: string;
  /** At most this many. */
  readonly limit?: number;
  /** From the last key to the first. */
  readonly reverse?: boolean;
}

/** Which elements of a list, in what order. */
export interface ListRange {
  /** Only elements from this index on; 0 by default. */
  readonly start?: number;
  /** Only elements before this index; the end by default. */
  readonly end?: number;
  /** At most this many: the first ones in the order asked for. */
  readonly limit?: number;
  /** From the last element to the first. */
  readonly reverse?: boolean;
}

/** What an item is: a container's node, or `undefined` for scalars and large text or bytes. */
export function containerOf(space: Space, item: Item): Node | undefined {
  if (item === EMPTY_MAP) return EMPTY_MAP_NODE;
  if (item === EMPTY_LIST) return EMPTY_LIST_NODE;
  const node = item instanceof Ref ? space.nodeAt(item.address) : undefined;
  if (node === undefined) return undefined;
  checkRoot(node);
  return node.kind === "bytes" ? undefined : node;
}

/** Throws `malformed` if `node`, the root of a value, has content that has a smaller form. */
export function checkRoot(node: Node): void {
  const isTree = node.height === 0 || node.items.length > 1;
  if (node.small || isTree && (node.size > SMALL_MAX || hasLongKeys(node))) return;
  throw malformed(`the root of a ${node.kind} is not in its smallest form`);
}

/** Whether a map of few entries is a tree because of its keys; an inner node shows only some. */
function hasLongKeys({ kind, height, keys }: Node): boolean {
  if (kind !== "map" || height > 0) return kind === "map";
  return keys.reduce((bytes, key) => bytes + utf8Length(key), 0) > SMALL_KEY_BYTES;
}

/** The element of a list at `index`, which must be an integer from 0 to size - 1. */
export function elementAt(space: Space, node: Node, index: number): Item {
  while (node.height > 0) {
    let at = 0;
    while (index >= node.sizes[at]) index -= node.sizes[at++];
    node = child(space, node, at);
  }
  return node.items[index];
}

/** The entries of a map in key order. */
export function* mapEntries(
  space: Space,
  node: Node,
  range: Range = {},
): Generator<[string, Item]> {
  let left = range.limit ?? Infinity;
  if (left <= 0) return;
  const walk = range.reverse ? walkBack : walkForward;
  for (const entry of walk(space, node, range)) {
    yield entry;
    if (--left <= 0) return;
  }
}

/** The elements of a list from `start` up to `end`. */
export function* listItems(
  space: Space,
  node: Node,
  start = 0,
  end: number = node.size,
): Generator<Item> {
  if (node.height === 0) {
    for (let i = Math.max(0, start); i < node.size && i < end; i++) yield node.items[i];
    return;
  }
  let offset = 0;
  for (let i = 0; i < node.items.length && offset < end; i++) {
    const next = offset + node.sizes[i];
    if (next > start) yield* listItems(space, child(space, node, i), start - offset, end - offset);
    offset = next;
  }
}

/** The elements of a list, in either direction; what is outside the range is not read. */
export function* listRange(space: Space, node: Node, range: ListRange): Generator<Item> {
  const { start = 0, end = node.size, limit = Infinity, reverse = false } = range;
  const first = Math.max(0, start);
  const last = Math.min(node.size, end);
  if (!reverse) return yield* listItems(space, node, first, Math.min(last, first + limit));
  yield* listItemsBack(space, node, Math.max(first, last - limit), last);
}

function* listItemsBack(space: Space, node: Node, start: number, end: number): Generator<Item> {
  if (node.height === 0) {
    for (let i = Math.min(end, node.size) - 1; i >= 0 && i >= start; i--) yield node.items[i];
    return;
  }
  let offset = node.size;
  for (let i = node.items.length - 1; i >= 0 && offset > start; i--) {
    const next = offset - node.sizes[i];
    if (next < end) {
      yield* listItemsBack(space, child(space, node, i), start - next, end - next);
    }
    offset = next;
  }
}

/**
 * The node below child `at` of an inner node. Its height, kind, size and last key must be what the
 * parent states: otherwise look-ups and iteration over one tree could disagree.
 */
export function child(space: Space, parent: Node, at: number): Node {
  const node = space.node((parent.items[at] as Ref).address);
  const fits = node.height === parent.height - 1 && node.kind === parent.kind && !node.small &&
    node.size === parent.sizes[at] &&
    (node.kind !== "map" || node.keys[node.keys.length - 1] === parent.keys[at] &&
        (at === 0 || compareText(node.keys[0], parent.keys[at - 1]) > 0));
  if (!fits) throw malformed("a tree node is not what its parent states");
  return node;
}

/** The scalar at a reference, or the reference itself when it is something larger. */
export function resolve(space: Space, item: Item): Item {
  if (!(item instanceof Ref)) return item;
  const bytes = space.at(item.address);
  if (isNode(bytes[0]) || bytes[0] === LARGE_STRING) return item;
  return readScalarChunk(bytes, item.address);
}

/** The first position in sorted `keys` whose key is not before `key`. */
export function lowerBound(
  keys: readonly string[],
  key: string,
  isLatin: boolean = isLatin1(key),
): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const isBefore = isLatin ? keys[middle] < key : compareText(keys[middle], key) < 0;
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}

const EMPTY_MAP_NODE = emptyNode("map");
const EMPTY_LIST_NODE = emptyNode("list");

function emptyNode(kind: Kind): Node {
  return { kind, height: 0, small: true, keys: [], items: [], sizes: [], size: 0, bytes: 1 };
}

function* walkForward(space: Space, node: Node, range: Range): Generator<[string, Item]> {
  const { prefix = "", start = "" } = range;
  const first = compareText(prefix, start) > 0 ? prefix : start;
  for (let i = lowerBound(node.keys, first); i < node.keys.length; i++) {
    const key = node.keys[i];
    if (node.height > 0) {
      yield* walkForward(space, child(space, node, i), range);
    } else if (key.startsWith(prefix)) {
      yield [key, node.items[i] as Item];
    }
    if (!key.startsWith(prefix) && compareText(key, prefix) > 0) return;
  }
}

function* walkBack(space: Space, node: Node, range: Range): Generator<[string, Item]> {
  const { prefix = "", start } = range;
  for (let i = node.keys.length - 1; i >= 0; i--) {
    const key = node.keys[i];
    // In an inner node, keys[i - 1] is before all keys below child i.
    const before = i > 0 ? node.keys[i - 1] : undefined;
    if (node.height > 0) {
      const pastPrefix = before !== undefined && !before.startsWith(prefix) &&
        compareText(before, prefix) > 0;
      const pastStart = start !== undefined && before !== undefined &&
        compareText(before, start) >= 0;
      if (!pastPrefix && !pastStart) yield* walkBack(space, child(space, node, i), range);
      if (compareText(key, prefix) < 0) return;
      continue;
    }
    if (start !== undefined && compareText(key, start) > 0) continue;
    if (key.startsWith(prefix)) yield [key, node.items[i] as Item];
    else if (compareText(key, prefix) < 0) return;
  }
}
