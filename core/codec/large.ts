/** Reading bytes and text of any size: pieces under a tree, read by range. */

import type { Space } from "./chunks.ts";
import { child } from "./container.ts";
import type { Node } from "./node.ts";
import * as tag from "./tags.ts";
import { utf8Length } from "./text.ts";
import { type Item, Ref } from "./value.ts";
import { malformed, Reader } from "./reader.ts";

/** What an item is when it is text or bytes, and how long, in bytes; undefined for anything else. */
export interface Extent {
  readonly kind: "string" | "bytes";
  readonly size: number;
}

/** The {@link Extent} of `item`, which is a string, bytes, or a reference; reads no content. */
export function extentOf(space: Space, item: Item): Extent | undefined {
  if (typeof item === "string") return { kind: "string", size: utf8Length(item) };
  if (item instanceof Uint8Array) return { kind: "bytes", size: item.length };
  if (!(item instanceof Ref)) return undefined;
  const bytes = space.at(item.address);
  const first = bytes[0];
  if (first === tag.BYTES_INNER) return { kind: "bytes", size: treeOf(space, item.address).size };
  if (first === tag.LARGE_STRING) {
    return { kind: "string", size: treeOf(space, largeTextRoot(bytes, item.address)).size };
  }
  if (first !== tag.BYTES && first !== tag.STRING && !isShortString(first)) return undefined;
  const content = smallContent(bytes);
  const chunkLength = content.byteOffset + content.length - bytes.byteOffset;
  if (chunkLength <= tag.INLINE_TREE) throw malformed("a chunk is too short for one");
  return { kind: first === tag.BYTES ? "bytes" : "string", size: content.length };
}

function isShortString(first: number): boolean {
  return first >= tag.SHORT_STRING && first <= tag.SHORT_STRING + tag.SHORT_STRING_MAX;
}

/** The content of text (as UTF-8) or bytes, from byte `start` up to `end`, in views or copies. */
export function* readContent(
  space: Space,
  item: Item,
  start = 0,
  end = Infinity,
): Generator<Uint8Array> {
  if (typeof item === "string") item = new TextEncoder().encode(item);
  if (item instanceof Uint8Array) {
    if (start < Math.min(end, item.length)) yield item.subarray(start, end);
    return;
  }
  const { address } = item as Ref;
  const bytes = space.at(address);
  switch (bytes[0]) {
    case tag.BYTES_INNER:
      return yield* readPieces(space, treeOf(space, address), start, end);
    case tag.LARGE_STRING:
      return yield* readPieces(space, treeOf(space, largeTextRoot(bytes, address)), start, end);
    default: {
      const content = smallContent(bytes);
      if (start < Math.min(end, content.length)) yield content.subarray(start, end);
    }
  }
}

/** The root of large bytes at `address`; `malformed` if they are not large. */
function treeOf(space: Space, address: number): Node {
  const node = space.node(address);
  const isLarge = node.size > tag.PIECE_MAX_BYTES && node.items.length > 1;
  if (node.kind === "bytes" && isLarge) return node;
  throw malformed(`the chunk at ${address} is not the root of large bytes`);
}

/** The address of the tree below a LARGE_STRING chunk. */
function largeTextRoot(bytes: Uint8Array, address: number): number {
  const root = new Reader(bytes, 1).varint();
  if (root >= address) throw malformed(`a reference to ${root} does not point back`);
  return root;
}

function* readPieces(
  space: Space,
  node: Node,
  start: number,
  end: number,
): Generator<Uint8Array> {
  let offset = 0;
  for (let i = 0; i < node.items.length && offset < end; i++) {
    const size = node.sizes[i];
    if (offset + size > start) {
      const from = Math.max(0, start - offset);
      const to = Math.min(size, end - offset);
      if (node.height > 1) yield* readPieces(space, child(space, node, i), from, to);
      else yield readPiece(space, (node.items[i] as Ref).address, size).subarray(from, to);
    }
    offset += size;
  }
}

function readPiece(space: Space, address: number, size: number): Uint8Array {
  const bytes = space.at(address);
  const piece = bytes[0] === tag.BYTES ? smallContent(bytes) : undefined;
  if (piece?.length !== size || size > tag.PIECE_MAX_BYTES) {
    throw malformed("a piece is not what its parent states");
  }
  return piece;
}

/** The bytes of a BYTES or string chunk. */
function smallContent(bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes);
  const first = reader.u8();
  if (isShortString(first)) return reader.raw(first - tag.SHORT_STRING);
  if (first === tag.BYTES || first === tag.STRING) {
    const length = reader.varint();
    const isShort = first === tag.STRING && length <= tag.SHORT_STRING_MAX;
    if (isShort || length > tag.PIECE_MAX_BYTES) throw malformed("text or bytes not in their form");
    return reader.raw(length);
  }
  throw malformed("the value is neither text nor bytes");
}
