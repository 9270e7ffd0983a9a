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

/** The entry in slot `slot`. */
export function decodeEntry(bytes: Uint8Array, slot: number): Entry {
  const at = slot * ENTRY_BYTES;
  return {
    index: entryIndex(bytes, slot),
    start: entryStart(bytes, slot),
    length: readU32(bytes, at + 16),
    append: bytes.slice(at + APPEND, at + LEAF),
    leaf: entryLeaf(bytes, slot).slice(),
  };
}

/** The index in slot `slot`. */
export function entryIndex(bytes: Uint8Array, slot: number): number {
  return readU64(bytes, slot * ENTRY_BYTES);
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
