/**
 * Chunks written again from what was read of them, by a second, plain writer: an accepted chunk has
 * one form if this gives the same bytes.
 */

import { isNode, type Node, parseNode } from "../../core/codec/node.ts";
import { readScalar } from "../../core/codec/scalar.ts";
import { writeScalar } from "../../core/codec/write_scalar.ts";
import * as tag from "../../core/codec/tags.ts";
import type { Ref } from "../../core/codec/value.ts";
import { Reader } from "../../core/codec/reader.ts";
import { Writer } from "../../core/codec/writer.ts";
import type { Space } from "../../core/codec/chunks.ts";
import { type LogRecord, readRecord } from "../../core/repo/record.ts";
import { writeRecord } from "../../core/repo/write_record.ts";

/** The chunk at `address`, written again. Throws what the reader throws. */
export function reencode(space: Space, address: number): Uint8Array {
  const bytes = space.at(address);
  if (bytes[0] === tag.RECORD) return reencodeRecord(space, readRecord(space, address));
  if (isNode(bytes[0])) return reencodeNode(parseNode(bytes, address));
  const writer = new Writer();
  if (bytes[0] === tag.LARGE_STRING) {
    writer.u8(tag.LARGE_STRING);
    writer.varint(new Reader(bytes, 1).varint());
  } else writeScalar(writer, readScalar(new Reader(bytes), address));
  return writer.view();
}

/** `node` as the grammar of SPEC section 4 has it. */
export function reencodeNode(node: Node): Uint8Array {
  const writer = new Writer();
  const { kind, height, small, items } = node;
  if (small) writer.u8((kind === "map" ? tag.SMALL_MAP : tag.SMALL_LIST) + items.length);
  else {
    writer.u8(treeTag(node));
    if (height > 0) writer.u8(height);
    writer.varint(items.length);
  }
  let before = new Uint8Array();
  items.forEach((item, i) => {
    if (kind === "map") {
      const key = new TextEncoder().encode(node.keys[i]);
      const shared = small ? 0 : sharedLength(before, key);
      if (!small) writer.varint(shared);
      writer.varint(key.length - shared);
      writer.raw(key.subarray(shared));
      before = key;
    }
    if (height === 0) return writeScalar(writer, item);
    writer.varint((item as Ref).address);
    writer.varint(node.sizes[i]);
  });
  return writer.view();
}

/** The record, written again. */
export function reencodeRecord(space: Space, record: LogRecord): Uint8Array {
  let found = new Uint8Array();
  writeRecord(space, record, (chunk) => {
    found = chunk.slice();
    return record.address;
  });
  return found;
}

function treeTag({ kind, height }: Node): number {
  if (kind === "map") return height > 0 ? tag.MAP_INNER : tag.MAP_LEAF;
  if (kind === "list") return height > 0 ? tag.LIST_INNER : tag.LIST_LEAF;
  return tag.BYTES_INNER;
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  return shared;
}
