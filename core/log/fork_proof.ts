/**
 * Proofs that a key has signed two branches of one log, for whoever has neither: both heads, and a block
 * index at which their trees have different leaves. A tree that extends another has all of its leaves,
 * so no proof can be made of heads of which one extends the other.
 *
 *     fork = won(157) lost(157) index(u64) leaf(32) *hash(32) leaf(32) *hash(32)
 *
 * How many hashes tie a leaf to its root follows from the index and the head's number of blocks.
 */

import { concat, equal, readU64, writeU64 } from "../bytes.ts";
import { malformed } from "../codec/reader.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Block } from "./block.ts";
import {
  compareHeads,
  decodeHead,
  encodeHead,
  HEAD_BYTES,
  type SignedHead,
  type VerifiedHead,
  verifyHead,
} from "./head.ts";
import { HASH_BYTES, leafHash } from "./merkle.ts";
import { rangesAround } from "./merkle_proof.ts";
import type { Proofs } from "./proofs.ts";
import { subtreeRoot, verifyRuns } from "./range_proof.ts";

/** Two branches of one log. */
export interface Fork<Signed extends SignedHead = VerifiedHead> {
  /** The head that wins by the rule of the protocol. */
  readonly won: Signed;
  /** The other one; neither extends the other. */
  readonly lost: Signed;
  /** Index of a block that differs. */
  readonly index: number;
}

/** What ties one leaf to a root. */
interface Path {
  readonly leaf: Uint8Array;
  readonly hashes: readonly Uint8Array[];
}

/** A fork with its proof: not checked. */
interface ForkProof extends Fork<SignedHead> {
  readonly wonPath: Path;
  readonly lostPath: Path;
}

/** One branch of a log, all of which is stored. */
export interface StoredBranch {
  readonly head: SignedHead;
  readonly proofs: Proofs;
}

/** Another branch of it, whose first block is at most where both part. */
export interface BranchTail {
  readonly head: SignedHead;
  readonly blocks: readonly Block[];
}

/**
 * The fork that `proof` shows. Codes: `malformed`, `wrong_key` (two keys), `bad_signature`, `bad_block` (it
 * shows no fork).
 */
export async function verifyFork(crypto: Crypto, proof: Uint8Array): Promise<Fork> {
  const { index, wonPath, lostPath, ...heads } = decodeFork(proof);
  const won = await verifyHead(heads.won, heads.won.key, crypto);
  const lost = await verifyHead(heads.lost, won.key, crypto);
  if (equal(wonPath.leaf, lostPath.leaf)) {
    throw new StreamoError("bad_block", `block ${index} is the same in both branches`);
  }
  for (const [head, { leaf, hashes }] of [[won, wonPath], [lost, lostPath]] as const) {
    verifyRuns(crypto, head, [{ first: index, leaves: [leaf] }], hashes);
  }
  return { won, lost, index };
}

/** The proof that both branches part; undefined if they do not. */
export async function proveFork(
  crypto: Crypto,
  { head, proofs }: StoredBranch,
  tail: BranchTail,
): Promise<Uint8Array | undefined> {
  const first = tail.blocks[0]?.index ?? tail.head.blocks;
  const leaves = tail.blocks.map(({ start, bytes }) => leafHash(crypto, start, bytes));
  let index = first;
  const end = Math.min(head.blocks, tail.head.blocks);
  const inStore = (from: number, to: number) => proofs.subtree(from, to, head.blocks);
  while (index < end && equal(leaves[index - first], await inStore(index, index + 1))) index++;
  if (index >= end) return undefined;
  // Left of the block where they part both are one.
  const inTail = (from: number, to: number) =>
    to <= index
      ? inStore(from, to)
      : Promise.resolve(subtreeRoot(crypto, leaves, from - first, to - first));
  const stored = { head, path: await pathOf(index, head.blocks, inStore) };
  const other = { head: tail.head, path: await pathOf(index, tail.head.blocks, inTail) };
  const [won, lost] = compareHeads(head, tail.head) < 0 ? [stored, other] : [other, stored];
  return encodeFork({
    won: won.head,
    lost: lost.head,
    index,
    wonPath: won.path,
    lostPath: lost.path,
  });
}

async function pathOf(
  index: number,
  blocks: number,
  subtree: (from: number, to: number) => Promise<Uint8Array>,
): Promise<Path> {
  const hashes: Uint8Array[] = [];
  for (const [from, to] of pathRanges(index, blocks)) hashes.push(await subtree(from, to));
  return { leaf: await subtree(index, index + 1), hashes };
}

function pathRanges(index: number, blocks: number): [number, number][] {
  return rangesAround([[index, index + 1]], blocks);
}

function encodeFork({ won, lost, index, wonPath, lostPath }: ForkProof): Uint8Array {
  const place = new Uint8Array(8);
  writeU64(place, 0, index);
  const paths = [wonPath, lostPath].flatMap(({ leaf, hashes }) => [leaf, ...hashes]);
  return concat([encodeHead(won), encodeHead(lost), place, ...paths]);
}

/** The opposite of {@link encodeFork}: nothing is verified. */
function decodeFork(bytes: Uint8Array): ForkProof {
  const start = 2 * HEAD_BYTES + 8;
  if (bytes.length < start) throw malformed(`a proof of a fork has ${bytes.length} bytes`);
  const won = decodeHead(bytes.subarray(0, HEAD_BYTES));
  const lost = decodeHead(bytes.subarray(HEAD_BYTES, 2 * HEAD_BYTES));
  const index = readU64(bytes, 2 * HEAD_BYTES);
  if (won.key !== lost.key) {
    throw new StreamoError("wrong_key", `heads of ${won.key} and ${lost.key} are no fork`);
  }
  if (won.epoch !== lost.epoch || compareHeads(won, lost) >= 0) {
    throw malformed("the heads of a fork are of one epoch, and the one that wins comes first");
  }
  if (index >= lost.blocks) throw malformed(`block ${index} is not in both branches`);
  let at = start;
  const path = ({ blocks }: SignedHead): Path => {
    const count = pathRanges(index, blocks).length;
    const [leaf, ...hashes] = Array.from(
      { length: 1 + count },
      () => bytes.slice(at, at += HASH_BYTES),
    );
    return { leaf, hashes };
  };
  const [wonPath, lostPath] = [path(won), path(lost)];
  if (at !== bytes.length) {
    throw malformed(`a proof of this fork has ${at} bytes, not ${bytes.length}`);
  }
  return { won, lost, index, wonPath, lostPath };
}
