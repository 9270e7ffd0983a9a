/**
 * Leaf entries: what is known of each block without reading it. 256 of them make a tile; those of
 * the incomplete tile are kept one by one, so that a small append does not write the others again.
 *
 *     entry = index(u64) start(u64) length(u32) append(8) leaf(32)
 */

import { readU32, readU64, writeU32, writeU64 } from "../../core/bytes.ts";
import { HASH_BYTES } from "../../core/log/merkle.ts";
import { ID_BYTES } from "./layout.ts";

/** Entries in a complete tile. */
export const TILE_ENTRIES = 256;
/** Bytes of an entry. */
export const ENTRY_BYTES = 8 + 8 + 4 + ID_BYTES + HASH_BYTES;
const APPEND = 20;
const LEAF = APPEND + ID_BYTES;

/** What is known of one block. */
export interface Entry {
  readonly index: number;
  readonly start: number;
  readonly length: number;
  /** The append that wrote it: a part of the block's name. */
  readonly append: Uint8Array;
  readonly leaf: Uint8Array;
}

/** The entries, one after the other. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(entries.length * ENTRY_BYTES);
  entries.forEach((entry, i) => {
    const bytes = out.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
    writeU64(bytes, 0, entry.index);
    writeU64(bytes, 8, entry.start);
    writeU32(bytes, 16, entry.length);
    bytes.set(entry.append, APPEND);
    bytes.set(entry.leaf, LEAF);
  });
  return out;
}

/**
 * Whether slots [from, to) hold the entries of tile `number`, and their addresses follow one another:
 * what was checked so can be decoded without another thought.
 */
export function areEntries(bytes: Uint8Array, number: number, from: number, to: number): boolean {
  if (bytes.length < to * ENTRY_BYTES) return false;
  for (let slot = from; slot < to; slot++) {
    const at = slot * ENTRY_BYTES;
    if (u64(bytes, at) !== number * TILE_ENTRIES + slot) return false;
    const end = u64(bytes, at + 8) + readU32(bytes, at + 16);
    if (!Number.isSafeInteger(end)) return false;
    if (slot + 1 < to && u64(bytes, at + ENTRY_BYTES + 8) !== end) return false;
  }
  return true;
}

/** The entry in slot `slot`. */
export function decodeEntry(bytes: Uint8Array, slot: number): Entry {
  const at = slot * ENTRY_BYTES;
  return {
    index: readU64(bytes, at),
    start: entryStart(bytes, slot),
    length: readU32(bytes, at + 16),
    append: bytes.slice(at + APPEND, at + LEAF),
    leaf: entryLeaf(bytes, slot).slice(),
  };
}

/** The start address in slot `slot`. */
export function entryStart(bytes: Uint8Array, slot: number): number {
  return readU64(bytes, slot * ENTRY_BYTES + 8);
}

/** The leaf hash in slot `slot`. */
export function entryLeaf(bytes: Uint8Array, slot: number): Uint8Array {
  const at = slot * ENTRY_BYTES + LEAF;
  return bytes.subarray(at, at + HASH_BYTES);
}

/** Eight bytes as a number, however large: `readU64` would throw where the bytes are just wrong. */
function u64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4);
}
