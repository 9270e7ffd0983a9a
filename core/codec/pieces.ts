/** Writing bytes and text of any size: pieces under a tree, cut from a stream. */

import { TreeBuilder } from "./builder.ts";
import { cutPiece } from "./cdc.ts";
import type { Space } from "./chunks.ts";
import * as tag from "./tags.ts";
import { Ref } from "./value.ts";
import { borrowWriter, giveBack } from "./writer.ts";

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
    const writer = borrowWriter();
    writer.u8(tag.BYTES);
    writer.varint(length);
    writer.raw(this.#buffer.subarray(this.#from, this.#from + length));
    const address = this.#space.append(writer.view());
    giveBack(writer);
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
  const writer = borrowWriter();
  writer.u8(tag.LARGE_STRING);
  writer.varint(address);
  const text = space.append(writer.view());
  giveBack(writer);
  return new Ref(text);
}
