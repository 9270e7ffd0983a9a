/**
 * The Merkle tree over a log's blocks: the shape of RFC 9162 section 2.1, SHA-256, with a leaf hash
 * that also covers where the block starts.
 *
 *     leaf = H(0x00, start as u64, bytes)      node = H(0x01, left, right)
 */

import { writeU64 } from "../bytes.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Block } from "./block.ts";

/** Bytes in a hash. */
export const HASH_BYTES = 32;

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

/** The hash of a block that starts at address `start`. */
export function leafHash(crypto: Crypto, start: number, bytes: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(9);
  prefix[0] = LEAF[0];
  writeU64(prefix, 1, start);
  return crypto.sha256(prefix, bytes);
}

/** The leaf hash of `block`, which may be at hand. */
export function leafOf(crypto: Crypto, { start, bytes, leaf }: Block): Uint8Array {
  return leaf ?? leafHash(crypto, start, bytes);
}

/** The hash of two subtrees side by side. */
export function nodeHash(crypto: Crypto, left: Uint8Array, right: Uint8Array): Uint8Array {
  return crypto.sha256(NODE, left, right);
}

/**
 * `frontier`, which stands for `length` leaves, with one more leaf. A frontier holds the roots of
 * the perfect subtrees, one for each set bit of `length`, largest first.
 */
export function pushLeaf(
  crypto: Crypto,
  frontier: readonly Uint8Array[],
  length: number,
  leaf: Uint8Array,
): Uint8Array[] {
  const next = frontier.slice();
  let hash = leaf;
  // Adding 1 to `length` carries through its trailing set bits: each carry joins two subtrees.
  for (let rest = length; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    hash = nodeHash(crypto, next.pop()!, hash);
  }
  next.push(hash);
  return next;
}

/** The root that `frontier` stands for; the root of no leaves is H(""). */
export function rootOf(crypto: Crypto, frontier: readonly Uint8Array[]): Uint8Array {
  if (frontier.length === 0) return crypto.sha256();
  let hash = frontier[frontier.length - 1];
  for (let i = frontier.length - 2; i >= 0; i--) hash = nodeHash(crypto, frontier[i], hash);
  return hash;
}

/** How many hashes the frontier of `length` leaves has: the number of set bits. */
export function frontierSize(length: number): number {
  let bits = 0;
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
