/** Roots and proofs of a stored log, from its leaf hashes. */

import { equal } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { consistencyRanges } from "./consistency_proof.ts";
import { HASH_BYTES, nodeHash, pushLeaf, rootOf } from "./merkle.ts";
import { proofRanges, rangesAround, splitPoint } from "./merkle_proof.ts";
import type { Head } from "./head.ts";
import { EMPTY, type Extent } from "./run.ts";
import type { Store } from "./store.ts";
import { TILE, Tile } from "./tile.ts";

/** Tiles that are kept: the one where somebody reads and the last one, for two of them. */
const TILES_MAX = 4;

/** What proofs are made of; blocks only where {@link Proofs.extent} asks how long one is. */
export type LeafHashes = Pick<Store, "hashes" | "blocks">;

/** Hashes of subtrees of one key and epoch. Blocks that are replaced need a new one. */
export class Proofs {
  /** Perfect subtrees of a tile or more, by size, then by first leaf: a root takes few steps. */
  readonly #known = new Map<number, Map<number, Uint8Array>>();
  /** By first leaf; used last last. */
  readonly #tiles = new Map<number, Tile>();
  readonly #store: LeafHashes;
  readonly #key: Key;
  readonly #epoch: number;
  readonly #crypto: Crypto;

  /** Over what `store` holds. */
  constructor(store: LeafHashes, key: Key, epoch: number, crypto: Crypto) {
    this.#store = store;
    this.#key = key;
    this.#epoch = epoch;
    this.#crypto = crypto;
  }

  /** The Merkle root over the first `length` blocks. */
  root(length: number): Promise<Uint8Array> {
    if (length === 0) return Promise.resolve(this.#crypto.sha256());
    return this.subtree(0, length, length);
  }

  /** The frontier at `length`: the roots of its perfect subtrees, largest first. */
  async frontier(length: number): Promise<Uint8Array[]> {
    const frontier: Uint8Array[] = [];
    let from = 0;
    for (let size = 2 ** 52; size >= 1; size /= 2) {
      if (from + size > length) continue;
      frontier.push(await this.subtree(from, from + size, length));
      from += size;
    }
    return frontier;
  }

  /** How far the first `length` blocks reach; `bytes` if that is known. */
  async extent(length: number, bytes?: number): Promise<Extent> {
    if (length === 0) return EMPTY;
    if (bytes === undefined) {
      for await (const last of this.#store.blocks(this.#key, this.#epoch, length - 1, length)) {
        bytes = last.start + last.bytes.length;
      }
    }
    return { length, bytes: bytes!, frontier: await this.frontier(length) };
  }

  /** Whether what is there under `head` begins with what reached to `tip`. */
  async continues(tip: Extent, { blocks, root }: Head): Promise<boolean> {
    if (blocks < tip.length) return false;
    let frontier = tip.frontier as Uint8Array[];
    let hashes: Uint8Array;
    try {
      hashes = await this.#store.hashes(this.#key, this.#epoch, tip.length, blocks);
    } catch (error) {
      // A log that is here in parts: its store gives only heads that are shown to extend the last one.
      if (error instanceof StreamoError && error.code === "missing_block") return true;
      throw error;
    }
    for (let i = tip.length; i < blocks; i++) {
      const at = (i - tip.length) * HASH_BYTES;
      frontier = pushLeaf(this.#crypto, frontier, i, hashes.slice(at, at + HASH_BYTES));
    }
    return equal(rootOf(this.#crypto, frontier), root);
  }

  /** The hashes right of `end` that tie blocks up to `end` to the root of `size` blocks. */
  async right(first: number, end: number, size: number): Promise<Uint8Array[]> {
    const ranges = proofRanges(first, end, size).filter(([from]) => from >= end);
    return await this.#subtrees(ranges, size);
  }

  /** The hashes around runs of blocks [first, end) that tie them to the root of `size` blocks. */
  runs(
    runs: readonly (readonly [first: number, end: number])[],
    size: number,
  ): Promise<Uint8Array[]> {
    return this.#subtrees(rangesAround(runs, size), size);
  }

  /** The hashes that show that the first `newer` blocks extend the first `older` of them. */
  consistency(older: number, newer: number): Promise<Uint8Array[]> {
    return this.#subtrees(consistencyRanges(older, newer), newer);
  }

  async #subtrees(ranges: readonly [number, number][], size: number): Promise<Uint8Array[]> {
    const hashes: Uint8Array[] = [];
    for (const [from, to] of ranges) hashes.push(await this.subtree(from, to, size));
    return hashes;
  }

  /** The hash of the subtree over blocks [from, to), which the tree's shape has; there are `all`. */
  async subtree(from: number, to: number, all: number): Promise<Uint8Array> {
    const size = to - from;
    const known = this.#known.get(size)?.get(from);
    if (known !== undefined) return known;
    const hash = size > TILE
      ? await this.#node(from, to, all)
      : (await this.#tile(from - from % TILE, all)).hash(from % TILE, from % TILE + size);
    // Only perfect ones: those at the end of the log change with every block.
    if (size >= TILE && Number.isInteger(Math.log2(size))) {
      const bySize = this.#known.get(size) ?? new Map<number, Uint8Array>();
      this.#known.set(size, bySize.set(from, hash));
    }
    return hash;
  }

  async #node(from: number, to: number, all: number): Promise<Uint8Array> {
    const middle = from + splitPoint(to - from);
    const left = await this.subtree(from, middle, all);
    return nodeHash(this.#crypto, left, await this.subtree(middle, to, all));
  }

  /** The tile that begins with leaf `first`, of `all` leaves. */
  async #tile(first: number, all: number): Promise<Tile> {
    let tile = this.#tiles.get(first);
    if (tile?.length !== TILE) {
      const end = Math.min(first + TILE, all);
      const leaves = await this.#store.hashes(this.#key, this.#epoch, first, end);
      // The end of a log is what others may have replaced: it is looked at each time, and hashed once.
      if (!tile?.begins(leaves)) tile = new Tile(this.#crypto, leaves);
    }
    this.#tiles.delete(first);
    this.#tiles.set(first, tile);
    if (this.#tiles.size > TILES_MAX) this.#tiles.delete(this.#tiles.keys().next().value!);
    return tile;
  }
}
