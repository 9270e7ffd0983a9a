/** Which subtrees prove that blocks are in a log, and the root that such a proof leads to. */

import { equal } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { nodeHash, rootOf } from "./merkle.ts";

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
