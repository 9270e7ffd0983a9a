/**
 * Block frames: a run of blocks with the signed head that covers it.
 *
 *     [1] [channel] [head: 157 bytes] [first] [count] [length]* [block]* [count] [hash: 32 bytes]*
 */

import { malformed, Reader } from "../codec/reader.ts";
import { Writer } from "../codec/writer.ts";
import { StreamoError } from "../errors.ts";
import { BLOCK_MAX_BYTES } from "../log/block.ts";
import { decodeHead, encodeHead, HEAD_BYTES, type SignedHead } from "../log/head.ts";
import { HASH_BYTES } from "../log/merkle.ts";
import type { Run } from "../log/run.ts";

/** Largest frame: sockets of some platforms refuse more. */
export const FRAME_MAX_BYTES = 2 ** 20;
/** Bytes of blocks that one frame is filled with: with one more block it stays below the maximum. */
export const FRAME_FILL_BYTES = 512 * 1024;
/** Most blocks in one frame. */
export const FRAME_MAX_BLOCKS = 8192;

const BLOCKS = 1;
/** More hashes than the proof of any log has. */
const PROOF_MAX = 64;

/** A run as one frame for the channel of this number. */
export function encodeFrame(channel: number, { head, first, blocks, proof }: Run): Uint8Array {
  let bytes = 1024 + blocks.length * 3 + proof.length * HASH_BYTES;
  for (const block of blocks) bytes += block.length;
  const writer = new Writer(bytes);
  writer.u8(BLOCKS);
  writer.varint(channel);
  writer.raw(encodeHead(head));
  writer.varint(first);
  writer.varint(blocks.length);
  for (const block of blocks) writer.varint(block.length);
  for (const block of blocks) writer.raw(block);
  writer.varint(proof.length);
  for (const hash of proof) writer.raw(hash);
  return writer.view();
}

/**
 * A frame that came, checked as far as it can be by itself. What waits stays as it is on the wire: a block
 * of one byte takes two there, and a hundred times as much as an object.
 */
export class Frame {
  /** Its bytes on the wire. */
  readonly bytes: Uint8Array;
  readonly channel: number;
  /** Not verified. */
  readonly head: SignedHead;
  /** Index of the first block. */
  readonly first: number;
  /** How many blocks it has. */
  readonly count: number;
  /** Bytes of the blocks. */
  readonly blockBytes: number;
  /** Where the blocks are. */
  readonly #at: number;

  /** Reads `bytes`; `malformed` or `too_large`. */
  constructor(bytes: Uint8Array) {
    if (bytes.length > FRAME_MAX_BYTES) {
      throw new StreamoError("too_large", `a frame of ${bytes.length} bytes`);
    }
    const reader = new Reader(bytes);
    if (reader.u8() !== BLOCKS) throw new StreamoError("malformed", "a frame of an unknown type");
    this.bytes = bytes;
    this.channel = reader.varint();
    this.head = decodeHead(reader.raw(HEAD_BYTES));
    this.first = reader.varint();
    this.#at = reader.at;
    const { count, total } = skipBlocks(reader);
    this.count = count;
    this.blockBytes = total;
    const proof = readCount(reader, PROOF_MAX);
    reader.skip(proof * HASH_BYTES);
    if (reader.at !== bytes.length) throw new StreamoError("malformed", "a frame is too long");
  }

  /** What is in it. Blocks are views into its bytes. */
  run(): Run {
    const { head, first } = this;
    const reader = new Reader(this.bytes, this.#at);
    const blocks = readBlocks(reader);
    const proof = readCounted(reader, PROOF_MAX, () => reader.raw(HASH_BYTES));
    return { head, first, blocks, proof };
  }
}

/** The opposite of {@link encodeFrame}; `malformed` or `too_large`. Blocks are views into `bytes`. */
export function decodeFrame(bytes: Uint8Array): { channel: number; run: Run } {
  const frame = new Frame(bytes);
  return { channel: frame.channel, run: frame.run() };
}

/** Lengths of blocks, at most `most`, then the blocks: views into what is read. */
export function readBlocks(reader: Reader, most: number = FRAME_MAX_BLOCKS): Uint8Array[] {
  const lengths = readCounted(reader, most, () => reader.varint());
  return lengths.map((length) => {
    checkLength(length);
    return reader.raw(length);
  });
}

/** Passes over them. */
function skipBlocks(reader: Reader): { count: number; total: number } {
  const count = readCount(reader, FRAME_MAX_BLOCKS);
  let total = 0;
  let wrong: number | undefined;
  for (let left = count; left > 0; left--) {
    const length = reader.varint();
    if (length < 1 || length > BLOCK_MAX_BYTES) wrong ??= length;
    if (wrong === undefined) total += length;
  }
  reader.skip(total);
  if (wrong !== undefined) checkLength(wrong);
  return { count, total };
}

function checkLength(length: number): void {
  if (length >= 1 && length <= BLOCK_MAX_BYTES) return;
  throw new StreamoError("too_large", `a block of ${length} bytes`);
}

/** A count, and as many parts: `too_large` past `most` of them. */
export function readCounted<T>(reader: Reader, most: number, read: () => T): T[] {
  return Array.from({ length: readCount(reader, most) }, read);
}

function readCount(reader: Reader, most: number): number {
  const count = reader.varint();
  if (count > most) throw new StreamoError("too_large", `${count} parts in one frame`);
  // Each has a byte at least: nothing is set aside for parts that cannot be there.
  if (count > reader.bytes.length - reader.at) throw malformed("a frame ends before its parts");
  return count;
}
