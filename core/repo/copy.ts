/** Taking values from one log into another. */

import { TreeBuilder } from "../codec/builder.ts";
import type { Space } from "../codec/chunks.ts";
import { containerOf, listItems, mapEntries, resolve } from "../codec/container.ts";
import { writeList, writeMap } from "../codec/edit.ts";
import { extentOf, PieceWriter, readContent, textOver } from "../codec/large.ts";
import { PIECE_MAX_BYTES, SMALL_MAX } from "../codec/tags.ts";
import { type Item, Ref } from "../codec/value.ts";

/**
 * `item` of `from` as an item of `to`. Addresses below `sharedBytes` mean the same in both (two
 * branches of one log) and stay as they are.
 */
export function copyItem(from: Space, item: Item, to: Space, sharedBytes: number): Item {
  if (!(item instanceof Ref) || item.address < sharedBytes) return item;
  const node = containerOf(from, item);
  if (node === undefined) return copyContent(from, item, to);
  const copy = (child: Item) => copyItem(from, child, to, sharedBytes);
  if (node.kind === "list") {
    if (node.size <= SMALL_MAX) return writeList(to, [...listItems(from, node)].map(copy));
    const builder = new TreeBuilder(to, "list");
    for (const child of listItems(from, node)) builder.push("", copy(child));
    return new Ref(builder.finish()!.address);
  }
  if (node.size <= SMALL_MAX) {
    const entries = [...mapEntries(from, node)];
    return writeMap(to, entries.map(([key]) => key), entries.map(([, child]) => copy(child)));
  }
  const builder = new TreeBuilder(to, "map");
  for (const [key, child] of mapEntries(from, node)) builder.push(key, copy(child));
  return new Ref(builder.finish()!.address);
}

function copyContent(from: Space, item: Ref, to: Space): Item {
  const extent = extentOf(from, item);
  if (extent === undefined || extent.size <= PIECE_MAX_BYTES) return resolve(from, item);
  const pieces = new PieceWriter(to);
  for (const part of readContent(from, item)) pieces.push(part);
  const copied = pieces.finish();
  return extent.kind === "string" ? textOver(to, copied as Ref) : copied;
}
