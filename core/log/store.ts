/** What a log needs of the place where it is kept. */

import type { Reading } from "../codec/reading.ts";
import type { Key } from "../identity/key.ts";
import type { Block } from "./block.ts";
import type { VerifiedHead } from "./head.ts";

/**
 * What a store holds of one key: its newest complete head, and how far its blocks reach.
 *
 *     blocks   0 ........ head.blocks ........ length
 *              visible     verified against a newer head, durable, not visible yet
 *
 * The part past the head is a download in progress: a reader of a large log stores what it has
 * verified so far and goes on from there after a crash, while the old head stays readable.
 */
export interface StoredHead {
  /** The newest head whose blocks are all here; undefined while the first download goes on. */
  readonly head: VerifiedHead | undefined;
  /** The epoch that the blocks belong to. */
  readonly epoch: number;
  /** Number of blocks held, from 0 without a gap; at least `head.blocks` while epochs agree. */
  readonly length: number;
  /** Number of bytes in these blocks: where the next block starts. */
  readonly bytes: number;
  /** The Merkle frontier at `length`: one 32-byte hash for each set bit, largest subtree first. */
  readonly frontier: readonly Uint8Array[];
}

/**
 * Keeps blocks and heads. A store trusts its caller: only verified heads and blocks reach it.
 * All errors are StreamoError: `conflict`, `damaged`, `locked`, `storage`, `closed`.
 */
export interface Store {
  /** What is held of `key`, or undefined. Asking creates nothing. */
  head(key: Key): Promise<StoredHead | undefined>;
  /**
   * Makes `next` what is held, and `blocks` its last blocks: they take the indices from
   * `next.length - blocks.length` on; whatever was held from there on is replaced, what lies before
   * is kept (of the same epoch). Atomic and durable when the promise resolves: after a crash at any moment either all of
   * it or none of it is there. Blocks of epochs above `next.epoch` (a download that was given up)
   * are forgotten; those of lower ones stay until they are dropped. Throws `conflict` when what is held is not `expected`
   * (see {@link sameStored}).
   */
  append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void>;
  /** The blocks [from, to) in order; `missing_block` if one is not held, `damaged` if one changed. */
  blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block>;
  /** The block that holds the byte at `address`, or undefined if none does. */
  blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined>;
  /** The same, and others that `reading` needs: for stores to whose blocks it is a long way. */
  blocksFor?(key: Key, epoch: number, address: number, reading: Reading): Promise<Block[]>;
  /** The same without waiting, for stores that can: files and memory. */
  blockAtSync?(key: Key, epoch: number, address: number): Block | undefined;
  /** The leaf hashes of blocks [from, to), 32 bytes each, one after the other. */
  hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array>;
  /** Every key held, in no order. */
  keys(): AsyncIterable<Key>;
  /**
   * Forgets all blocks of `key` of epochs before `beforeEpoch`; nothing if there are none. A head of
   * such an epoch goes with its blocks, and the whole key if nothing else is held of it.
   */
  drop(key: Key, beforeEpoch: number): Promise<void>;
  /** Names of what is kept aside of `key`, in no order. */
  asides(key: Key): Promise<string[]>;
  /** What is kept aside under `name`; undefined if nothing is. */
  aside(key: Key, name: string): Promise<Uint8Array | undefined>;
  /**
   * Keeps `bytes` (at most 17 MiB) beside the log of `key`, in place of what was kept under `name`; forgets
   * it without bytes. Atomic and durable when the promise resolves. It goes with the whole key. Names
   * are 1 to 80 characters of 0-9, a-f and -.
   */
  keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void>;
  /** Yields a key after another process may have changed it. May coalesce; may yield too often. */
  watch?(signal: AbortSignal): AsyncIterable<Key>;
  /** Gives back files, locks and connections. Every later call throws `closed`. */
  close(): Promise<void>;
}
