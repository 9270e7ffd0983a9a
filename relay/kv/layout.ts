/**
 * The keys of a KV store:
 *
 *     ["head", key]                                   what is held of a key: record.ts
 *     ["block", key, epoch, log, index, append]       the bytes of one block
 *     ["leaf", key, epoch, log, slot]                 leaf entries of the incomplete tile: tile.ts
 *     ["tile", key, epoch, log, number, append]       256 leaf entries
 *     ["tiles", key, epoch, log, number]              which append wrote the tile that counts
 *     ["aside", key, name]                            what is kept beside the log: asides.ts
 *     ["piece", key, id, number]                      a part of it
 *     ["bell", shard], ["changed", shard, key]        news for other processes: bells.ts
 *
 * `log` is a random number for each start of an epoch and `append` one for each append. So nothing
 * is ever written twice under one name, and whoever lost a race, or replaced a tail, removes exactly its own:
 * a name made from the block's hash would be shared by two processes that store the same block.
 */

import type { Key } from "../../core/identity/key.ts";

/** Bytes of the random numbers in keys. */
export const ID_BYTES = 8;

/** One epoch of one key as it is kept. */
export interface KvLog {
  readonly epoch: number;
  /** Names its blocks and tiles. */
  readonly id: Uint8Array;
  /** Changes when a tail is replaced: what was read under the same lineage is still true. */
  readonly lineage: Uint8Array;
  /** Number of blocks. */
  readonly length: number;
  /** Number of bytes in them. */
  readonly bytes: number;
}

/** The part of a key that names a log. */
export interface LogName {
  readonly key: Key;
  readonly epoch: number;
  readonly id: Uint8Array;
}

/** A new random number for a key. */
export function newId(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(ID_BYTES));
}

/** The prefix of all heads. */
export const HEADS: Deno.KvKey = ["head"];

/** Where what is held of `key` is. */
export function headKey(key: Key): Deno.KvKey {
  return ["head", key];
}

/** Where block `index` of the append is. */
export function blockKey(log: LogName, index: number, append: Uint8Array): Deno.KvKey {
  return ["block", log.key, log.epoch, log.id, index, append];
}

/** Below this are the blocks `index` of all appends, and after it those of higher indices. */
export function blocksFrom(log: LogName, index: number): Deno.KvKey {
  return ["block", log.key, log.epoch, log.id, index];
}

/** Where the leaf entry of a block of the incomplete tile is. */
export function leafKey(log: LogName, slot: number): Deno.KvKey {
  return ["leaf", log.key, log.epoch, log.id, slot];
}

/** Where the number of the append is that wrote tile `number`. */
export function tilesKey(log: LogName, number: number): Deno.KvKey {
  return ["tiles", log.key, log.epoch, log.id, number];
}

/** Where tile `number` of the append is. */
export function tileKey(log: LogName, number: number, append: Uint8Array): Deno.KvKey {
  return ["tile", log.key, log.epoch, log.id, number, append];
}

/** Where the name of something is that is kept beside the log of `key`. */
export function asideKey(key: Key, name: string): Deno.KvKey {
  return ["aside", key, name];
}

/** The prefix of all these names. */
export function asidesOf(key: Key): Deno.KvKey {
  return ["aside", key];
}

/** The prefix of all pieces: of `key`, or of one thing that is kept. */
export function asidePieces(key: Key, id?: Uint8Array): Deno.KvKey {
  return id === undefined ? ["piece", key] : ["piece", key, id];
}

/** The prefixes of everything of a log. */
export function prefixesOf(log: LogName): Deno.KvKey[] {
  return ["block", "leaf", "tile", "tiles"].map((kind) => [kind, log.key, log.epoch, log.id]);
}
