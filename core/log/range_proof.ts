/**
 * Proofs that a run of blocks, from anywhere in a log, belongs to a head: the hashes of the subtrees
 * left and right of the run, as {@link proofRanges} names them, from left to right.
 */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { checkRoot, HASH_BYTES, nodeHash, proofRanges, splitPoint } from "./merkle.ts";

/** How many blocks a tree is over, and its root: what a head states. */
export interface Tree {
  /** Number of leaves. */
  readonly blocks: number;
  /** Root over them (32 bytes). */
  readonly root: Uint8Array;
}

/** The root over `leaves` [from, to): at least one. */
export function subtreeRoot(
  crypto: Crypto,
  leaves: readonly Uint8Array[],
  from: number,
  to: number,
): Uint8Array {
  if (to - from === 1) return leaves[from];
  const middle = from + splitPoint(to - from);
  const left = subtreeRoot(crypto, leaves, from, middle);
  return nodeHash(crypto, left, subtreeRoot(crypto, leaves, middle, to));
}

/** The proof that leaves [first, end) belong to the tree over all of `leaves`. */
export function proveRange(
  crypto: Crypto,
  leaves: readonly Uint8Array[],
  first: number,
  end: number,
): Uint8Array[] {
  checkRange(first, end, leaves.length);
  return proofRanges(first, end, leaves.length)
    .map(([from, to]) => subtreeRoot(crypto, leaves, from, to));
}

/**
 * Throws `bad_block` unless `proof` ties `leaves`, the hashes of the blocks from `first` on, to `tree`.
 * Takes as many steps as there are leaves and hashes, however large the tree.
 */
export function verifyRange(
  crypto: Crypto,
  tree: Tree,
  first: number,
  leaves: readonly Uint8Array[],
  proof: readonly Uint8Array[],
): void {
  const end = first + leaves.length;
  checkRange(first, end, tree.blocks);
  const hashes = new HashReader(proof);
  const visit = (from: number, to: number): Uint8Array => {
    if (to <= first || from >= end) return hashes.next();
    if (to - from === 1) return leaves[from - first];
    const middle = from + splitPoint(to - from);
    const left = visit(from, middle);
    return nodeHash(crypto, left, visit(middle, to));
  };
  const root = visit(0, tree.blocks);
  hashes.end();
  checkRoot(root, tree.root);
}

/** Takes the hashes of a proof one by one. */
export class HashReader {
  readonly #hashes: readonly Uint8Array[];
  #at = 0;

  /** Nothing of `hashes` is trusted, not even their length. */
  constructor(hashes: readonly Uint8Array[]) {
    this.#hashes = hashes;
  }

  /** The next hash; `bad_block` if there is none. */
  next(): Uint8Array {
    const hash = this.#hashes[this.#at++];
    if (hash === undefined) throw new StreamoError("bad_block", "a proof has too few hashes");
    // A node's hash does not say where its left half ends: halves of other lengths could be swapped in.
    if (hash.length !== HASH_BYTES) {
      throw new StreamoError("bad_block", `a proof has a hash of ${hash.length} bytes`);
    }
    return hash;
  }

  /** Throws `bad_block` if hashes are left. */
  end(): void {
    if (this.#at === this.#hashes.length) return;
    throw new StreamoError("bad_block", "a proof has too many hashes");
  }
}

function checkRange(first: number, end: number, blocks: number): void {
  if (Number.isSafeInteger(first) && first >= 0 && first < end && end <= blocks) return;
  throw new StreamoError("bad_block", `blocks ${first} to ${end} are not in a log of ${blocks}`);
}
