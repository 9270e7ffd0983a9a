/** A tile: the hashes of up to 256 leaves side by side, and of the perfect subtrees over them. */

import { equal } from "../bytes.ts";
import type { Crypto } from "../identity/crypto.ts";
import { HASH_BYTES, nodeHash } from "./merkle.ts";
import { splitPoint } from "./merkle_proof.ts";

/** Leaves of a tile: 16 KiB of hashes. */
export const TILE = 256;

/** One hash a leaf makes all of them: proofs of the frames of a log, one after the other, share them. */
export class Tile {
  /** How many leaves there are: fewer than {@link TILE} at the end of a log. */
  readonly length: number;
  readonly #crypto: Crypto;
  /** By height: the leaves, then the subtrees of 2, 4, ... of them that are whole. */
  readonly #levels: Uint8Array[];

  /** Over `leaves`, one hash after the other. */
  constructor(crypto: Crypto, leaves: Uint8Array) {
    this.#crypto = crypto;
    this.length = leaves.length / HASH_BYTES;
    this.#levels = [leaves];
    for (let below = leaves; below.length >= 2 * HASH_BYTES; below = this.#levels.at(-1)!) {
      this.#levels.push(this.#above(below));
    }
  }

  /** Whether its first leaves are `leaves`, one hash after the other. */
  begins(leaves: Uint8Array): boolean {
    return equal(this.#levels[0].subarray(0, leaves.length), leaves);
  }

  /** The hash of the subtree over leaves [from, to) of the tile, where RFC 9162 has one. */
  hash(from: number, to: number): Uint8Array {
    const size = to - from;
    const height = Math.log2(size);
    if (Number.isInteger(height)) return hashAt(this.#levels[height], from / size);
    const middle = from + splitPoint(size);
    return nodeHash(this.#crypto, this.hash(from, middle), this.hash(middle, to));
  }

  #above(below: Uint8Array): Uint8Array {
    const count = Math.floor(below.length / HASH_BYTES / 2);
    const above = new Uint8Array(count * HASH_BYTES);
    for (let i = 0; i < count; i++) {
      const [left, right] = [hashAt(below, 2 * i), hashAt(below, 2 * i + 1)];
      above.set(nodeHash(this.#crypto, left, right), i * HASH_BYTES);
    }
    return above;
  }
}

function hashAt(hashes: Uint8Array, index: number): Uint8Array {
  // A copy: who keeps one hash does not keep its tile.
  return hashes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES);
}
