/**
 * The Merkle tree over a log's blocks: the shape of RFC 9162 section 2.1, SHA-256, with a leaf hash
 * that also covers where the block starts.
 *
 *     leaf = H(0x00, start as u64, bytes)      node = H(0x01, left, right)
 */

import { equal, writeU64 } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";

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

/** The largest power of two below `size` (which is 2 or more): where RFC 9162 splits a tree. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/**
 * The subtrees [from, to) whose hashes prove that leaves [first, end) belong to a tree of `size`
 * leaves, from left to right. Those before `first` are exactly the frontier at `first`.
 */
export function proofRanges(first: number, end: number, size: number): [number, number][] {
  return first < end ? rangesAround([[first, end]], size) : [];
}

/** The same for several runs [first, end) at once, which rise and do not touch. */
export function rangesAround(
  runs: readonly (readonly [first: number, end: number])[],
  size: number,
): [number, number][] {
  const ranges: [number, number][] = [];
  // Of the runs that do not end before what is visited, the first one: visits go from left to right.
  let next = 0;
  const visit = (from: number, to: number): void => {
    while (next < runs.length && runs[next][1] <= from) next++;
    const [first, end] = runs[next] ?? [size, size];
    if (from >= first && to <= end) return;
    if (to <= first) {
      ranges.push([from, to]);
      return;
    }
    const middle = from + splitPoint(to - from);
    visit(from, middle);
    visit(middle, to);
  };
  visit(0, size);
  return ranges;
}

/**
 * The root of a tree of `size` leaves whose first `end` have `frontier`; `right` are the hashes that
 * {@link proofRanges} names right of `end`. `bad_block` when there are too few or too many of them.
 */
export function rootFromFrontier(
  crypto: Crypto,
  size: number,
  end: number,
  frontier: readonly Uint8Array[],
  right: readonly Uint8Array[],
): Uint8Array {
  if (end < 1 || end > size) {
    throw new StreamoError("bad_block", `blocks up to ${end} are not in a log of ${size}`);
  }
  let usedLeft = 0;
  let usedRight = 0;
  const visit = (from: number, to: number): Uint8Array => {
    if (from >= end) {
      if (usedRight === right.length) {
        throw new StreamoError("bad_block", "a proof has too few hashes");
      }
      return right[usedRight++];
    }
    // Left of `end` the subtrees of any larger tree are the perfect ones that the frontier holds.
    if (to <= end) return frontier[usedLeft++];
    const middle = from + splitPoint(to - from);
    const left = visit(from, middle);
    return nodeHash(crypto, left, visit(middle, to));
  };
  const root = end === size ? rootOf(crypto, frontier) : visit(0, size);
  if (usedRight !== right.length) {
    throw new StreamoError("bad_block", "a proof has too many hashes");
  }
  return root;
}

/** Throws `bad_block` unless the hashes are the same. */
export function checkRoot(found: Uint8Array, stated: Uint8Array): void {
  if (!equal(found, stated)) {
    throw new StreamoError("bad_block", "the blocks do not have the root that the head states");
  }
}
