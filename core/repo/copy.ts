/** Taking values from one log into another. */

import { TreeBuilder } from "../codec/builder.ts";
import type { Space } from "../codec/chunks.ts";
import { containerOf, listItems, mapEntries, resolve } from "../codec/container.ts";
import { writeList, writeMap } from "../codec/edit.ts";
import { extentOf, readContent } from "../codec/large.ts";
import { PieceWriter, textOver } from "../codec/pieces.ts";
import type { Node } from "../codec/node.ts";
import { DEPTH_MAX, PIECE_MAX_BYTES, SMALL_MAX } from "../codec/tags.ts";
import { type Item, Ref } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";

/** Copied chunks that are remembered. */
const COPIED_MAX = 200_000;

/**
 * `item` of `from` as an item of `to`. Addresses below `sharedBytes` mean the same in both (two
 * branches of one log) and stay as they are. `budget` for values that nest too deep.
 */
export function copyItem(from: Space, item: Item, to: Space, sharedBytes: number): Item {
  return new Copier(from, to, sharedBytes).copy(item, 0);
}

class Copier {
  readonly #from: Space;
  readonly #to: Space;
  readonly #sharedBytes: number;
  /** Where chunks have gone: one that stands in many places is copied once. */
  readonly #copied = new Map<number, Ref>();

  constructor(from: Space, to: Space, sharedBytes: number) {
    this.#from = from;
    this.#to = to;
    this.#sharedBytes = sharedBytes;
  }

  copy(item: Item, depth: number): Item {
    if (!(item instanceof Ref) || item.address < this.#sharedBytes) return item;
    const known = this.#copied.get(item.address);
    if (known !== undefined) return known;
    if (depth > DEPTH_MAX) throw new StreamoError("budget", `values nest deeper than ${DEPTH_MAX}`);
    const node = containerOf(this.#from, item);
    const copied = node === undefined ? this.#content(item) : this.#container(node, depth);
    if (this.#copied.size >= COPIED_MAX) this.#copied.clear();
    if (copied instanceof Ref) this.#copied.set(item.address, copied);
    return copied;
  }

  #container(node: Node, depth: number): Item {
    const copy = (child: Item) => this.copy(child, depth + 1);
    if (node.kind === "list") {
      const items = listItems(this.#from, node);
      if (node.size <= SMALL_MAX) return writeList(this.#to, [...items].map(copy));
      const builder = new TreeBuilder(this.#to, "list");
      for (const child of items) builder.push("", copy(child));
      return new Ref(builder.finish()!.address);
    }
    const entries = mapEntries(this.#from, node);
    if (node.size <= SMALL_MAX) {
      const all = [...entries];
      return writeMap(this.#to, all.map(([key]) => key), all.map(([, child]) => copy(child)));
    }
    const builder = new TreeBuilder(this.#to, "map");
    for (const [key, child] of entries) builder.push(key, copy(child));
    return new Ref(builder.finish()!.address);
  }

  #content(item: Ref): Item {
    const extent = extentOf(this.#from, item);
    if (extent === undefined || extent.size <= PIECE_MAX_BYTES) return resolve(this.#from, item);
    const pieces = new PieceWriter(this.#to);
    for (const part of readContent(this.#from, item)) pieces.push(part);
    const copied = pieces.finish();
    return extent.kind === "string" ? textOver(this.#to, copied as Ref) : copied;
  }
}
