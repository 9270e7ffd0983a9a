/** Roots and proofs of a stored log, from its leaf hashes. */

import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { HASH_BYTES, nodeHash, proofRanges, pushLeaf, rootOf, splitPoint } from "./merkle.ts";
import { EMPTY, type Extent } from "./run.ts";
import type { Store } from "./store.ts";

/** Leaves of the subtrees whose hashes are remembered: 8 KiB of leaf hashes each. */
const TILE = 256;

/** Hashes of subtrees of one key and epoch. Blocks that are replaced need a new one. */
export class Proofs {
  readonly #tiles = new Map<number, Uint8Array>();
  readonly #store: Store;
  readonly #key: Key;
  readonly #epoch: number;
  readonly #crypto: Crypto;

  /** Over what `store` holds. */
  constructor(store: Store, key: Key, epoch: number, crypto: Crypto) {
    this.#store = store;
    this.#key = key;
    this.#epoch = epoch;
    this.#crypto = crypto;
  }

  /** The Merkle root over the first `length` blocks. */
  root(length: number): Promise<Uint8Array> {
    if (length === 0) return Promise.resolve(this.#crypto.sha256());
    return this.#subtree(0, length);
  }

  /** The frontier at `length`: the roots of its perfect subtrees, largest first. */
  async frontier(length: number): Promise<Uint8Array[]> {
    const frontier: Uint8Array[] = [];
    let from = 0;
    for (let size = 2 ** 52; size >= 1; size /= 2) {
      if (from + size > length) continue;
      frontier.push(await this.#subtree(from, from + size));
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

  /** The hashes right of `end` that tie blocks up to `end` to the root of `size` blocks. */
  async right(first: number, end: number, size: number): Promise<Uint8Array[]> {
    const hashes: Uint8Array[] = [];
    for (const [from, to] of proofRanges(first, end, size)) {
      if (from >= end) hashes.push(await this.#subtree(from, to));
    }
    return hashes;
  }

  async #subtree(from: number, to: number): Promise<Uint8Array> {
    if (to - from > TILE) {
      const middle = from + splitPoint(to - from);
      const left = await this.#subtree(from, middle);
      return nodeHash(this.#crypto, left, await this.#subtree(middle, to));
    }
    const whole = to - from === TILE;
    const known = whole ? this.#tiles.get(from) : undefined;
    if (known !== undefined) return known;
    const leaves = await this.#store.hashes(this.#key, this.#epoch, from, to);
    const hash = foldLeaves(this.#crypto, leaves);
    if (whole) this.#tiles.set(from, hash);
    return hash;
  }
}

function foldLeaves(crypto: Crypto, leaves: Uint8Array): Uint8Array {
  let frontier: Uint8Array[] = [];
  for (let i = 0; i * HASH_BYTES < leaves.length; i++) {
    const leaf = leaves.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES);
    frontier = pushLeaf(crypto, frontier, i, leaf);
  }
  return rootOf(crypto, frontier);
}
