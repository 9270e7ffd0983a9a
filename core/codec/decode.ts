/**
 * Items to values: frozen, cached by address, within a budget. Bytes and dates are copies: whoever
 * changes them changes no log, but what others of this process see in a cached list or map.
 */

import type { Weighed } from "./cache.ts";
import type { Space } from "./chunks.ts";
import { StreamoError } from "../errors.ts";
import { checkRoot, child } from "./container.ts";
import { extentOf, readContent } from "./large.ts";
import type { Node } from "./node.ts";
import { readScalarChunk } from "./scalar.ts";
import { DEPTH_MAX } from "./tags.ts";
import { decodeUtf8 } from "./text.ts";
import { type Item, ownCopy, Ref, type Value } from "./value.ts";
import { concat } from "../bytes.ts";

/** How much one read may decode. */
export interface Budget {
  /** Entries and elements, each chunk counted once. */
  readonly elements?: number;
  /** Bytes of chunks and content. */
  readonly bytes?: number;
}

/** What a read may decode unless told otherwise. */
export const DEFAULT_BUDGET: Required<Budget> = { elements: 10_000_000, bytes: 512 * 2 ** 20 };

/** The value of `item`. Throws MissingBlock, `malformed`, or `budget`. */
export function decode(space: Space, item: Item, budget: Budget = {}): Value {
  if (!(item instanceof Ref)) return ownCopy(item);
  const cached = space.values.get(item.address);
  if (cached !== undefined) return cached;
  return new Decoder(space, { ...DEFAULT_BUDGET, ...budget }).item(item, 0);
}

class Decoder {
  readonly #space: Space;
  readonly #budget: Required<Budget>;
  #elements = 0;
  #bytes = 0;
  /** What the values decoded so far weigh, those found in the cache included. */
  #weight = 0;
  /** Values too heavy for the cache: each is decoded once all the same, wherever it stands. */
  readonly #unkept = new Map<number, Weighed<Value>>();

  constructor(space: Space, budget: Required<Budget>) {
    this.#space = space;
    this.#budget = budget;
  }

  item(item: Item, depth: number): Value {
    if (!(item instanceof Ref)) return ownCopy(item);
    const { address } = item;
    const known = this.#space.values.find(address) ?? this.#unkept.get(address);
    if (known !== undefined) {
      this.#weight += known.weight;
      return known.value;
    }
    if (depth > DEPTH_MAX) throw tooDeep();
    const node = this.#space.nodeOnce(address);
    if (node === undefined) return this.#scalar(item);
    checkRoot(node);
    if (node.kind === "bytes") return this.#content(item);
    if (depth === DEPTH_MAX) throw tooDeep();
    const before = this.#weight;
    const value = node.kind === "map" ? this.#map(node, depth) : this.#list(node, depth);
    // With all that is below it: what is cached keeps that in memory too.
    const weight = this.#weight - before;
    if (!this.#space.values.set(address, value, weight)) {
      this.#unkept.set(address, { value, weight });
    }
    return value;
  }

  #map(root: Node, depth: number): Value {
    const map: Record<string, Value> = {};
    this.#eachLeaf(root, (leaf) => this.#addEntries(map, leaf, depth));
    return Object.freeze(map);
  }

  #addEntries(map: Record<string, Value>, leaf: Node, depth: number): void {
    for (let i = 0; i < leaf.items.length; i++) {
      const value = this.item(leaf.items[i], depth + 1);
      const key = leaf.keys[i];
      // Assigning to `__proto__` would set the prototype instead of a property.
      if (key === "__proto__") {
        Object.defineProperty(map, key, { value, enumerable: true });
      } else map[key] = value;
    }
  }

  #list(root: Node, depth: number): Value {
    const list: Value[] = [];
    this.#eachLeaf(root, (leaf) => {
      for (const item of leaf.items) list.push(this.item(item, depth + 1));
    });
    return Object.freeze(list);
  }

  /**
   * Not by recursion: an author may give every nested list a tree of the greatest height, and all of
   * them together are more than a call stack holds.
   */
  #eachLeaf(root: Node, add: (leaf: Node) => void): void {
    this.#spend(root.items.length, root.bytes);
    if (root.height === 0) return add(root);
    const path = [{ node: root, next: 0 }];
    while (path.length > 0) {
      const top = path[path.length - 1];
      if (top.next === top.node.items.length) {
        path.pop();
        continue;
      }
      const node = child(this.#space, top.node, top.next++);
      this.#spend(node.items.length, node.bytes);
      if (node.height > 0) path.push({ node, next: 0 });
      else add(node);
    }
  }

  #scalar(item: Ref): Value {
    const extent = extentOf(this.#space, item);
    if (extent !== undefined) return this.#content(item);
    return readScalarChunk(this.#space.at(item.address), item.address);
  }

  #content(item: Ref): Value {
    const extent = extentOf(this.#space, item)!;
    this.#spend(1, extent.size);
    const parts = [...readContent(this.#space, item)];
    const content = parts.length === 1 ? parts[0] : concat(parts);
    if (extent.kind === "string") return decodeUtf8(content, 0, content.length);
    return parts.length === 1 ? content.slice() : content;
  }

  #spend(elements: number, bytes: number): void {
    this.#elements += elements;
    this.#bytes += bytes;
    this.#weight += 64 + elements * 32 + bytes;
    if (this.#elements > this.#budget.elements || this.#bytes > this.#budget.bytes) {
      throw new StreamoError("budget", "reading this value takes more than its budget allows", {
        ...this.#budget,
      });
    }
  }
}

function tooDeep(): StreamoError {
  return new StreamoError("budget", `values nest deeper than ${DEPTH_MAX}`);
}
