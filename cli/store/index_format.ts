/**
 * The bytes of an index file, all numbers big-endian:
 *
 *     index   = *entry *frontier-hash trailer
 *     entry   = index(u32) start(u64) segment(u32) position(u64) length(u32) leaf(32) crc(u32)
 *     trailer = "index/1\n" count(u64) bytes(u64) segment(u32) end(u64) zeros(24) crc(u32)
 */

import { crc32 } from "node:zlib";
import { equal, readU32, readU64, writeU32, writeU64 } from "../../core/bytes.ts";
import { frontierSize, HASH_BYTES } from "../../core/log/merkle.ts";

/** Bytes of an entry. */
export const ENTRY_BYTES = 64;
/** Bytes of a trailer. */
export const TRAILER_BYTES = 64;
const MAGIC = new TextEncoder().encode("index/1\n");
const START = 4;
const LEAF = 28;

/** Where one block lies. */
export interface Entry {
  readonly index: number;
  readonly start: number;
  readonly segment: number;
  /** Of the block's first byte in the segment. */
  readonly position: number;
  readonly length: number;
  readonly leaf: Uint8Array;
}

/** What an index covers. */
export interface Coverage {
  readonly count: number;
  readonly bytes: number;
  readonly frontier: readonly Uint8Array[];
  /** Segment and position where the last acknowledged head frame ends. */
  readonly segment: number;
  readonly end: number;
}

/** The trailer's facts without the frontier. */
export type Trailer = Omit<Coverage, "frontier">;

/** The bytes of an index file that covers so much. */
export function indexBytes(count: number): number {
  return count * ENTRY_BYTES + frontierSize(count) * HASH_BYTES + TRAILER_BYTES;
}

/** The entries, one after the other. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(entries.length * ENTRY_BYTES);
  entries.forEach((entry, i) => {
    const bytes = out.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
    writeU32(bytes, 0, entry.index % 2 ** 32);
    writeU64(bytes, START, entry.start);
    writeU32(bytes, 12, entry.segment);
    writeU64(bytes, 16, entry.position);
    writeU32(bytes, 24, entry.length);
    bytes.set(entry.leaf, LEAF);
    setCrc(bytes);
  });
  return out;
}

/** Whether the bytes at `at` are entry `index`, unchanged. */
export function isEntry(bytes: Uint8Array, at: number, index: number): boolean {
  const entry = bytes.subarray(at, at + ENTRY_BYTES);
  return entry.length === ENTRY_BYTES && hasCrc(entry) && readU32(entry, 0) === index % 2 ** 32;
}

/** Entry `index`, checked before, at `at`. */
export function decodeEntry(bytes: Uint8Array, at: number, index: number): Entry {
  return {
    index,
    start: entryStart(bytes, at),
    segment: readU32(bytes, at + 12),
    position: readU64(bytes, at + 16),
    length: readU32(bytes, at + 24),
    leaf: entryLeaf(bytes, at).slice(),
  };
}

/** The start address in the entry at `at`. */
export function entryStart(bytes: Uint8Array, at: number): number {
  return readU64(bytes, at + START);
}

/** The leaf hash in the entry at `at`. */
export function entryLeaf(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at + LEAF, at + LEAF + HASH_BYTES);
}

/** Frontier and trailer. */
export function encodeCoverage(coverage: Coverage): Uint8Array<ArrayBuffer> {
  const hashes = coverage.frontier.length * HASH_BYTES;
  const out = new Uint8Array(hashes + TRAILER_BYTES);
  coverage.frontier.forEach((hash, i) => out.set(hash, i * HASH_BYTES));
  const trailer = out.subarray(hashes);
  trailer.set(MAGIC);
  writeU64(trailer, 8, coverage.count);
  writeU64(trailer, 16, coverage.bytes);
  writeU32(trailer, 24, coverage.segment);
  writeU64(trailer, 28, coverage.end);
  setCrc(trailer);
  return out;
}

/** The trailer that `bytes` are, or undefined. */
export function decodeTrailer(bytes: Uint8Array): Trailer | undefined {
  if (bytes.length !== TRAILER_BYTES || !hasCrc(bytes)) return undefined;
  if (!equal(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined;
  return {
    count: readU64(bytes, 8),
    bytes: readU64(bytes, 16),
    segment: readU32(bytes, 24),
    end: readU64(bytes, 28),
  };
}

function setCrc(bytes: Uint8Array): void {
  const end = bytes.length - 4;
  writeU32(bytes, end, crc32(bytes.subarray(0, end)));
}

function hasCrc(bytes: Uint8Array): boolean {
  const end = bytes.length - 4;
  return readU32(bytes, end) === crc32(bytes.subarray(0, end));
}
