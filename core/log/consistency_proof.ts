/**
 * Proofs that one tree extends another: RFC 9162, section 2.1.4. The hashes come from the inside out,
 * beginning where the older tree ends, and give both roots.
 */

import { equal } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { nodeHash } from "./merkle.ts";
import { checkRoot, splitPoint } from "./merkle_proof.ts";
import { HashReader, subtreeRoot, type Tree } from "./range_proof.ts";

/** The subtrees whose hashes prove that a tree of `newer` leaves extends one of `older` of them. */
export function consistencyRanges(older: number, newer: number): [number, number][] {
  checkSizes(older, newer);
  const ranges: [number, number][] = [];
  // `isPrefix`: [from, to) is all of the older tree, whose root the verifier has.
  const visit = (from: number, to: number, isPrefix: boolean): void => {
    if (to === older) {
      if (!isPrefix) ranges.push([from, to]);
      return;
    }
    const middle = from + splitPoint(to - from);
    if (older <= middle) {
      visit(from, middle, isPrefix);
      ranges.push([middle, to]);
    } else {
      visit(middle, to, false);
      ranges.push([from, middle]);
    }
  };
  // Every tree extends the empty one.
  if (older > 0) visit(0, newer, true);
  return ranges;
}

/** The proof that the tree over all of `leaves` extends that over the first `older` of them. */
export function proveConsistency(
  crypto: Crypto,
  leaves: readonly Uint8Array[],
  older: number,
): Uint8Array[] {
  return consistencyRanges(older, leaves.length)
    .map(([from, to]) => subtreeRoot(crypto, leaves, from, to));
}

/**
 * Throws `bad_block` unless `proof` shows that `newer` extends `older`: that the first `older.blocks`
 * leaves of both are the same. That the keys and epochs of two heads agree is for the caller to see.
 */
export function verifyConsistency(
  crypto: Crypto,
  older: Tree,
  newer: Tree,
  proof: readonly Uint8Array[],
): void {
  checkSizes(older.blocks, newer.blocks);
  const hashes = new HashReader(proof);
  const visit = (size: number, total: number, isPrefix: boolean): Roots => {
    if (size === total) {
      const hash = isPrefix ? older.root : hashes.next();
      return { before: hash, after: hash };
    }
    const middle = splitPoint(total);
    if (size <= middle) {
      const { before, after } = visit(size, middle, isPrefix);
      return { before, after: nodeHash(crypto, after, hashes.next()) };
    }
    const { before, after } = visit(size - middle, total - middle, false);
    const left = hashes.next();
    return { before: nodeHash(crypto, left, before), after: nodeHash(crypto, left, after) };
  };
  if (older.blocks === 0) {
    hashes.end();
    return checkRoot(crypto.sha256(), older.root);
  }
  const { before, after } = visit(older.blocks, newer.blocks, true);
  hashes.end();
  if (equal(before, older.root) && equal(after, newer.root)) return;
  throw new StreamoError(
    "bad_block",
    `${newer.blocks} blocks are not shown to begin with the ${older.blocks} of the older root`,
  );
}

/** The roots of one subtree in the older and in the newer tree. */
interface Roots {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

function checkSizes(older: number, newer: number): void {
  if (Number.isSafeInteger(older) && older >= 0 && older <= newer) return;
  throw new StreamoError("bad_block", `${newer} blocks cannot extend ${older}`);
}
