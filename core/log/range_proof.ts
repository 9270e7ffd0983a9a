/**
 * Proofs that runs of blocks, from anywhere in a log, belong to a head: the hashes of the subtrees
 * around the runs, as {@link rangesAround} names them, from left to right.
 */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { HASH_BYTES, nodeHash } from "./merkle.ts";
import { checkRoot, rangesAround, splitPoint } from "./merkle_proof.ts";

/** How many blocks a tree is over, and its root: what a head states. */
export interface Tree {
  /** Number of leaves. */
  readonly blocks: number;
  /** Root over them (32 bytes). */
  readonly root: Uint8Array;
}

/** Leaf hashes of consecutive blocks. */
export interface LeafRun {
  /** Index of the first block. */
  readonly first: number;
  /** Their leaf hashes, in order. */
  readonly leaves: readonly Uint8Array[];
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

/** The proof that the leaves of these runs [first, end) belong to the tree over all of `leaves`. */
export function proveRuns(
  crypto: Crypto,
  leaves: readonly Uint8Array[],
  runs: readonly (readonly [first: number, end: number])[],
): Uint8Array[] {
  checkRuns(runs, leaves.length);
  return rangesAround(runs, leaves.length)
    .map(([from, to]) => subtreeRoot(crypto, leaves, from, to));
}

/**
 * Throws `bad_block` unless `proof` ties the leaves of `runs`, which rise and do not touch, to `tree`.
 * Takes as many steps as there are leaves and hashes, however large the tree.
 */
export function verifyRuns(
  crypto: Crypto,
  tree: Tree,
  runs: readonly LeafRun[],
  proof: readonly Uint8Array[],
): void {
  checkRuns(runs.map(({ first, leaves }) => [first, first + leaves.length]), tree.blocks);
  const hashes = new HashReader(proof);
  let next = 0;
  const visit = (from: number, to: number): Uint8Array => {
    while (next < runs.length && runs[next].first + runs[next].leaves.length <= from) next++;
    const run = runs[next];
    if (run === undefined || to <= run.first) return hashes.next();
    if (to - from === 1) return run.leaves[from - run.first];
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

/** One at least; each begins a block or more after the one before, so that there is one form. */
function checkRuns(
  runs: readonly (readonly [first: number, end: number])[],
  blocks: number,
): void {
  if (runs.length === 0) throw new StreamoError("bad_block", "a proof of no blocks");
  let least = 0;
  for (const [first, end] of runs) {
    const isNext = Number.isSafeInteger(first) && first >= least && first < end && end <= blocks;
    if (!isNext) {
      const message = `blocks ${first} to ${end} are not the next in a log of ${blocks}`;
      throw new StreamoError("bad_block", message);
    }
    least = end + 1;
  }
}
