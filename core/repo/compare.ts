/**
 * One order of all values that depends on content alone, so that every device finds the same one: by
 * kind (other scalars, text, bytes, lists, maps); scalars by their encoding; text (as UTF-8) and bytes
 * byte by byte; lists element by element; maps entry by entry, each by its key, then its value. Of two
 * of which one begins with all of the other, the shorter is the smaller.
 */

import { compare as compareBytes } from "../bytes.ts";
import type { Space } from "../codec/chunks.ts";
import { containerOf, listItems, mapEntries, resolve } from "../codec/container.ts";
import { extentOf, readContent } from "../codec/large.ts";
import type { Meter } from "../codec/meter.ts";
import type { Node } from "../codec/node.ts";
import { writeScalar } from "../codec/write_scalar.ts";
import { DEPTH_MAX } from "../codec/tags.ts";
import { compareText } from "../codec/text.ts";
import { type Item, Ref } from "../codec/value.ts";
import { Writer } from "../codec/writer.ts";
import { StreamoError } from "../errors.ts";
import { diffEntries } from "./diff_map.ts";
import { ABSENT } from "../codec/find.ts";

/** An item and the log that it is in. */
export interface Place {
  readonly space: Space;
  readonly item: Item;
}

/** Bytes of content that are compared in the time of one entry. */
const BYTES_AN_ENTRY = 1024;
/** Pairs of equal containers that are remembered. */
const KNOWN_MAX = 100_000;

/** Compares values of branches of one log. */
export class Comparer {
  /** Counts what is looked at. */
  readonly meter: Meter;
  readonly #sharedBytes: number;
  /** Equal containers: values that share parts are then compared in the size of what is stored. */
  readonly #equal = new Set<string>();
  readonly #spaces = new Map<Space, number>();

  /** Addresses below `sharedBytes` mean the same in all spaces that will be compared. */
  constructor(meter: Meter, sharedBytes = 0) {
    this.meter = meter;
    this.#sharedBytes = sharedBytes;
  }

  /** Whether both are equal; of large text and bytes the sizes are looked at first. */
  isEqual(a: Place, b: Place): boolean {
    const left = a.item instanceof Ref ? extentOf(a.space, a.item) : undefined;
    const right = b.item instanceof Ref ? extentOf(b.space, b.item) : undefined;
    if (left !== undefined && right !== undefined && left.size !== right.size) return false;
    return this.compare(a, b) === 0;
  }

  /** Negative, zero or positive as `a` comes before, is equal to or comes after `b`. */
  compare(a: Place, b: Place, depth = 0): number {
    if (depth > DEPTH_MAX) throw new StreamoError("budget", `values nest deeper than ${DEPTH_MAX}`);
    if (Object.is(a.item, b.item) || this.#isOne(a, b)) return 0;
    const left = { space: a.space, item: resolve(a.space, a.item) };
    const right = { space: b.space, item: resolve(b.space, b.item) };
    const [leftNode, rightNode] = [left, right].map(({ space, item }) => containerOf(space, item));
    const order = kindOf(left, leftNode) - kindOf(right, rightNode);
    if (order !== 0) return order;
    if (leftNode === undefined || rightNode === undefined) {
      return compareScalars(left, right, this.meter);
    }
    const key = this.#pairKey(left, right);
    if (this.#equal.has(key)) return 0;
    const found = leftNode.kind === "list"
      ? this.#lists(left, leftNode, right, rightNode, depth)
      : this.#maps(left, leftNode, right, rightNode, depth);
    if (found === 0) this.#remember(key);
    return found;
  }

  /** Whether both are the same chunk. */
  #isOne(a: Place, b: Place): boolean {
    if (!(a.item instanceof Ref && b.item instanceof Ref)) return false;
    const { address } = a.item;
    return address === b.item.address && (a.space === b.space || address < this.#sharedBytes);
  }

  #lists(a: Place, aNode: Node, b: Place, bNode: Node, depth: number): number {
    const others = listItems(b.space, bNode);
    for (const item of listItems(a.space, aNode)) {
      const other = others.next();
      if (other.done) return 1;
      const order = this.#children(a, item, b, other.value, depth);
      if (order !== 0) return order;
    }
    return aNode.size - bNode.size;
  }

  #maps(a: Place, aNode: Node, b: Place, bNode: Node, depth: number): number {
    if (a.space === b.space) return this.#mapsOfOneSpace(a, aNode, b, bNode, depth);
    const others = mapEntries(b.space, bNode);
    for (const [key, item] of mapEntries(a.space, aNode)) {
      const other = others.next();
      if (other.done) return 1;
      const order = compareText(key, other.value[0]) ||
        this.#children(a, item, b, other.value[1], depth);
      if (order !== 0) return order;
    }
    return aNode.size - bNode.size;
  }

  /** The same without reading what both share. */
  #mapsOfOneSpace(a: Place, aNode: Node, b: Place, bNode: Node, depth: number): number {
    for (const { key, before, after } of diffEntries(a.space, aNode, bNode, this.meter)) {
      // The side that lacks a key has a later one in its place, or has come to its end.
      if (after === ABSENT) return hasAfter(b.space, bNode, key) ? -1 : 1;
      if (before === ABSENT) return hasAfter(a.space, aNode, key) ? 1 : -1;
      const order = this.#children(a, before, b, after, depth);
      if (order !== 0) return order;
    }
    return 0;
  }

  #children(a: Place, item: Item, b: Place, other: Item, depth: number): number {
    this.meter.spend(1);
    return this.compare({ space: a.space, item }, { space: b.space, item: other }, depth + 1);
  }

  #pairKey(a: Place, b: Place): string {
    const name = ({ space, item }: Place) => {
      if (!(item instanceof Ref)) return "empty";
      let number = this.#spaces.get(space);
      if (number === undefined) this.#spaces.set(space, number = this.#spaces.size);
      return `${number}:${item.address}`;
    };
    return `${name(a)} ${name(b)}`;
  }

  #remember(key: string): void {
    if (this.#equal.size >= KNOWN_MAX) this.#equal.clear();
    this.#equal.add(key);
  }
}

/** The place of an item's kind in the order. */
function kindOf({ space, item }: Place, node: Node | undefined): number {
  if (node !== undefined) return node.kind === "map" ? 4 : 3;
  const extent = extentOf(space, item);
  return extent === undefined ? 0 : extent.kind === "string" ? 1 : 2;
}

function compareScalars(a: Place, b: Place, meter: Meter): number {
  if (typeof a.item === "string" && typeof b.item === "string") return compareText(a.item, b.item);
  if (extentOf(a.space, a.item) !== undefined) return compareContent(a, b, meter);
  const [left, right] = [a, b].map(({ item }) => {
    const writer = new Writer(16);
    writeScalar(writer, item);
    return writer.view();
  });
  return compareBytes(left, right);
}

/** Compares text or bytes of any size, piece by piece. */
function compareContent(a: Place, b: Place, meter: Meter): number {
  const others = readContent(b.space, b.item);
  let other: Uint8Array = new Uint8Array();
  for (let part of readContent(a.space, a.item)) {
    while (part.length > 0) {
      if (other.length === 0) {
        const next = others.next();
        if (next.done) return 1;
        other = next.value;
        continue;
      }
      const length = Math.min(part.length, other.length);
      meter.spend(Math.ceil(length / BYTES_AN_ENTRY));
      const order = compareBytes(part.subarray(0, length), other.subarray(0, length));
      if (order !== 0) return order;
      part = part.subarray(length);
      other = other.subarray(length);
    }
  }
  return other.length > 0 || !others.next().done ? -1 : 0;
}

function hasAfter(space: Space, node: Node, key: string): boolean {
  for (const [other] of mapEntries(space, node, { start: key, limit: 2 })) {
    if (other !== key) return true;
  }
  return false;
}
