/** One append as the bytes of one write. */

import type { Crypto } from "../../core/identity/crypto.ts";
import type { Block } from "../../core/log/block.ts";
import { leafOf, rootOf } from "../../core/log/merkle.ts";
import type { StoredHead } from "../../core/log/store.ts";
import {
  BLOCK_FRAME_BYTES,
  encodeHeadFrame,
  HEAD_FRAME_BYTES,
  type HeadFrame,
  writeBlockFrame,
} from "./frames.ts";
import type { Entry } from "./index_format.ts";

/** What an append says. */
export interface Append {
  readonly blocks: readonly Block[];
  readonly next: StoredHead;
  readonly sequence: number;
}

/** Where an append goes. */
export interface Target {
  readonly segment: number;
  /** Of the first byte written. */
  readonly position: number;
  readonly salt: Uint8Array;
  /** The header of a segment that begins with this append; otherwise empty. */
  readonly header: Uint8Array;
}

/** What is written, and what is then true. */
export interface EncodedAppend {
  readonly bytes: Uint8Array;
  readonly entries: readonly Entry[];
  readonly frame: HeadFrame;
  /** Position after the head frame. */
  readonly end: number;
}

/** The bytes of the frames of an append. */
export function appendBytes(blocks: readonly Block[]): number {
  let bytes = HEAD_FRAME_BYTES;
  for (const block of blocks) bytes += BLOCK_FRAME_BYTES + block.bytes.length;
  return bytes;
}

/** The bytes of `append` at `target`. */
export function encodeAppend(append: Append, target: Target, crypto: Crypto): EncodedAppend {
  const { blocks, next } = append;
  const { segment, header } = target;
  const bytes = new Uint8Array(header.length + appendBytes(blocks));
  bytes.set(header);
  const entries: Entry[] = [];
  let at = header.length;
  for (const block of blocks) {
    const leaf = leafOf(crypto, block);
    const position = target.position + at + BLOCK_FRAME_BYTES;
    const { index, start } = block;
    entries.push({ index, start, segment, position, length: block.bytes.length, leaf });
    at = writeBlockFrame(bytes, at, block, leaf);
  }
  const frame: HeadFrame = {
    from: target.position + header.length,
    count: blocks.length,
    sequence: append.sequence,
    length: next.length,
    bytes: next.bytes,
    root: rootOf(crypto, next.frontier),
    head: next.head,
  };
  bytes.set(encodeHeadFrame(frame, target.position + at, target.salt, crypto), at);
  return { bytes, entries, frame, end: target.position + bytes.length };
}
