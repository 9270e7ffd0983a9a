/** Bytes and text of any size: pieces under a tree, written from a stream and read by range. */

import { TreeBuilder } from "./builder.ts";
import { cutPiece } from "./cdc.ts";
import type { Space } from "./chunks.ts";
import { child } from "./container.ts";
import type { Node } from "./node.ts";
import * as tag from "./tags.ts";
import { utf8Length } from "./text.ts";
import { type Item, Ref } from "./value.ts";
import { malformed, Reader } from "./writer.ts";

/** Takes bytes as they come, cuts them into pieces and appends these. */
export class PieceWriter {
  readonly #space: Space;
  readonly #buffer = new Uint8Array(8 * tag.PIECE_MAX_BYTES);
  #from = 0;
  #to = 0;
  #tree: TreeBuilder | undefined;

  /** Pieces go to `space`. */
  constructor(space: Space) {
    this.#space = space;
  }

  /** Takes the next bytes; they are copied. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      this.cut();
      at += this.take(bytes.subarray(at));
    }
  }

  /** Takes as many of `bytes` as there is room for until {@link cut}, and says how many. */
  take(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#buffer.length - this.#to);
    this.#buffer.set(bytes.subarray(0, count), this.#to);
    this.#to += count;
    return count;
  }

  /** Makes room if there is none: appends pieces. To be called again if a block was missing. */
  cut(): void {
    if (this.#to < this.#buffer.length) return;
    while (this.#to - this.#from > tag.PIECE_MAX_BYTES) this.#cut();
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
  }

  /**
   * The item of all bytes taken: plain bytes if there are few, else the root of their tree. To be called
   * again if a block was missing.
   */
  finish(): Uint8Array | Ref {
    if (this.#tree === undefined && this.#to - this.#from <= tag.PIECE_MAX_BYTES) {
      return this.#buffer.slice(this.#from, this.#to);
    }
    while (this.#from < this.#to) this.#cut();
    return new Ref(this.#tree!.finish()!.address);
  }

  #cut(): void {
    const length = cutPiece(this.#buffer, this.#from, this.#to);
    const writer = this.#space.borrow();
    writer.u8(tag.BYTES);
    writer.varint(length);
    writer.raw(this.#buffer.subarray(this.#from, this.#from + length));
    const address = this.#space.append(writer.view());
    this.#space.release(writer);
    this.#tree ??= new TreeBuilder(this.#space, "bytes");
    this.#tree.pushNode(0, "", address, length);
    this.#from += length;
  }
}

/** The reference to text whose UTF-8 bytes are past PIECE_MAX_BYTES. */
export function writeLargeText(space: Space, utf8: Uint8Array): Ref {
  const pieces = new PieceWriter(space);
  pieces.push(utf8);
  return textOver(space, pieces.finish() as Ref);
}

/** The reference to text whose UTF-8 bytes are the tree at `pieces`. */
export function textOver(space: Space, { address }: Ref): Ref {
  const writer = space.borrow();
  writer.u8(tag.LARGE_STRING);
  writer.varint(address);
  const text = space.append(writer.view());
  space.release(writer);
  return new Ref(text);
}

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
