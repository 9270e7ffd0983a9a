/**
 * The bytes of a segment file, all numbers big-endian. One append is one run of block frames and the
 * head frame that makes them count:
 *
 *     segment     = header *append
 *     append      = *block-frame head-frame
 *     header      = magic(16) key(32) epoch(u32) number(u32) salt(16) checksum(8)
 *     block-frame = 0x01 length(u32) index(u64) start(u64) leaf(32) bytes(length)
 *     head-frame  = 0x02 "head/1\n" from(u64) count(u32) sequence(u64)
 *                   length(u64) bytes(u64) root(32) has-head(u8) head(157) checksum(16)
 */

import { concat, equal, readU32, readU64, writeU32, writeU64 } from "../../core/bytes.ts";
import type { Crypto } from "../../core/identity/crypto.ts";
import { type Key, keyToBytes } from "../../core/identity/key.ts";
import { type Block, BLOCK_MAX_BYTES } from "../../core/log/block.ts";
import {
  decodeHead,
  encodeHead,
  HEAD_BYTES,
  trustStoredHead,
  type VerifiedHead,
} from "../../core/log/head.ts";

const MAGIC = new TextEncoder().encode("streamo/log/1\n\0\0");
const SALT_BYTES = 16;
/** Bytes before the first frame of a segment. */
export const HEADER_BYTES = 16 + 32 + 4 + 4 + SALT_BYTES + 8;
/** Bytes of a block frame before the block's own. */
export const BLOCK_FRAME_BYTES = 1 + 4 + 8 + 8 + 32;
/** What every head frame begins with. */
export const HEAD_MARKER: Uint8Array = new TextEncoder().encode("\x02head/1\n");
const CHECKSUM_BYTES = 16;
const HEAD_FRAME_BODY = 8 + 8 + 4 + 8 + 8 + 8 + 32 + 1 + HEAD_BYTES;
/** Bytes of a head frame. */
export const HEAD_FRAME_BYTES: number = HEAD_FRAME_BODY + CHECKSUM_BYTES;

/** Which segment this is, and the random bytes that its checksums are made with. */
export interface SegmentHeader {
  readonly key: Key;
  readonly epoch: number;
  /** Numbered from 1. */
  readonly number: number;
  /**
   * Content cannot pose as a head frame: whoever writes a block does not know the salt of the
   * segment that it will be stored in.
   */
  readonly salt: Uint8Array;
}

/** What a block frame says of its block. */
export interface BlockFrame {
  readonly length: number;
  readonly index: number;
  readonly start: number;
  readonly leaf: Uint8Array;
}

/** What makes an append count. */
export interface HeadFrame {
  /** Position in the segment of the append's first frame. */
  readonly from: number;
  /** Number of block frames in the append. */
  readonly count: number;
  /** Rises with every append to the key: the newest one of several epochs is what is held. */
  readonly sequence: number;
  /** Number of blocks held after the append. */
  readonly length: number;
  /** Number of bytes in them. */
  readonly bytes: number;
  /** The Merkle root over them. */
  readonly root: Uint8Array;
  readonly head: VerifiedHead | undefined;
}

/** {@link HEADER_BYTES} bytes. */
export function encodeHeader(header: SegmentHeader, crypto: Crypto): Uint8Array {
  const numbers = new Uint8Array(8);
  writeU32(numbers, 0, header.epoch);
  writeU32(numbers, 4, header.number);
  const body = concat([MAGIC, keyToBytes(header.key), numbers, header.salt]);
  return concat([body, crypto.sha256(body).subarray(0, 8)]);
}

/** The salt of a segment whose header is this one, or undefined if it is another's or damaged. */
export function readSalt(
  bytes: Uint8Array,
  segment: Omit<SegmentHeader, "salt">,
  crypto: Crypto,
): Uint8Array | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const salt = bytes.slice(HEADER_BYTES - 8 - SALT_BYTES, HEADER_BYTES - 8);
  const expected = encodeHeader({ ...segment, salt }, crypto);
  return equal(expected, bytes.subarray(0, HEADER_BYTES)) ? salt : undefined;
}

/** A salt for a new segment. */
export function newSalt(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES));
}

/** Writes the frame of `block` at `at`; gives where the frame ends. */
export function writeBlockFrame(
  out: Uint8Array,
  at: number,
  block: Block,
  leaf: Uint8Array,
): number {
  out[at] = 1;
  writeU32(out, at + 1, block.bytes.length);
  writeU64(out, at + 5, block.index);
  writeU64(out, at + 13, block.start);
  out.set(leaf, at + 21);
  out.set(block.bytes, at + BLOCK_FRAME_BYTES);
  return at + BLOCK_FRAME_BYTES + block.bytes.length;
}

/** The block frame that `bytes` begin with, or undefined if they begin with something else. */
export function readBlockFrame(bytes: Uint8Array): BlockFrame | undefined {
  if (bytes.length < BLOCK_FRAME_BYTES || bytes[0] !== 1) return undefined;
  // Damaged numbers may be past 2^53: `readU64` would throw where the frame is just not one.
  if (bytes[5] !== 0 || bytes[6] > 0x1f || bytes[13] !== 0 || bytes[14] > 0x1f) return undefined;
  const length = readU32(bytes, 1);
  if (length < 1 || length > BLOCK_MAX_BYTES) return undefined;
  return {
    length,
    index: readU64(bytes, 5),
    start: readU64(bytes, 13),
    leaf: bytes.slice(21, BLOCK_FRAME_BYTES),
  };
}

/** {@link HEAD_FRAME_BYTES} bytes, to be written at `position` of the segment with that salt. */
export function encodeHeadFrame(
  frame: HeadFrame,
  position: number,
  salt: Uint8Array,
  crypto: Crypto,
): Uint8Array {
  const body = new Uint8Array(HEAD_FRAME_BODY);
  body.set(HEAD_MARKER, 0);
  writeU64(body, 8, frame.from);
  writeU32(body, 16, frame.count);
  writeU64(body, 20, frame.sequence);
  writeU64(body, 28, frame.length);
  writeU64(body, 36, frame.bytes);
  body.set(frame.root, 44);
  if (frame.head !== undefined) {
    body[76] = 1;
    body.set(encodeHead(frame.head), 77);
  }
  return concat([body, checksum(body, position, salt, crypto)]);
}

/** The head frame that `bytes`, read from `position`, begin with, or undefined if there is none. */
export function readHeadFrame(
  bytes: Uint8Array,
  position: number,
  salt: Uint8Array,
  crypto: Crypto,
): HeadFrame | undefined {
  if (bytes.length < HEAD_FRAME_BYTES) return undefined;
  if (!equal(bytes.subarray(0, HEAD_MARKER.length), HEAD_MARKER)) return undefined;
  const body = bytes.subarray(0, HEAD_FRAME_BODY);
  const stated = bytes.subarray(HEAD_FRAME_BODY, HEAD_FRAME_BYTES);
  if (!equal(checksum(body, position, salt, crypto), stated)) return undefined;
  return {
    from: readU64(body, 8),
    count: readU32(body, 16),
    sequence: readU64(body, 20),
    length: readU64(body, 28),
    bytes: readU64(body, 36),
    root: body.slice(44, 76),
    head: body[76] === 1 ? trustStoredHead(decodeHead(body.slice(77))) : undefined,
  };
}

/** Covers the position too: a frame copied to another place of the file does not count there. */
function checksum(
  body: Uint8Array,
  position: number,
  salt: Uint8Array,
  crypto: Crypto,
): Uint8Array {
  const place = new Uint8Array(8);
  writeU64(place, 0, position);
  return crypto.sha256(salt, place, body).subarray(0, CHECKSUM_BYTES);
}
