/** Where single blocks come from that the store does not hold, and what is believed of them. */

import type { Reading } from "../codec/reading.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { type Block, BLOCK_MAX_BYTES } from "./block.ts";
import type { SignedHead, VerifiedHead } from "./head.ts";
import { leafHash } from "./merkle.ts";
import { type LeafRun, type Tree, verifyRuns } from "./range_proof.ts";

/** Consecutive blocks. */
export interface BlockRun {
  /** Index of the first block. */
  readonly first: number;
  /** Address of its first byte. */
  readonly start: number;
  /** The blocks' bytes, in order. */
  readonly blocks: readonly Uint8Array[];
}

/** Blocks with what ties them to a head: not trusted until {@link checkProven}. */
export interface ProvenBlocks {
  /** From left to right; they do not touch. */
  readonly runs: readonly BlockRun[];
  /** The hashes around them, from left to right. */
  readonly proof: readonly Uint8Array[];
}

/** One log as of one head. */
export interface LogTree extends Tree {
  /** Whose log it is. */
  readonly key: Key;
  /** The epoch that its blocks belong to. */
  readonly epoch: number;
}

/** What a source has of a key: not trusted. */
export interface Newest {
  /** The newest head. */
  readonly head: SignedHead;
  /** The proof that it extends the head that the asker holds, if that is of its epoch and shorter. */
  readonly extension: readonly Uint8Array[];
  /** Blocks at its end, with the newest record, unless the asker holds this very head. */
  readonly end: ProvenBlocks | undefined;
}

/**
 * Gives any part of a log: a relay, another store, a file server. It is trusted with nothing. Its
 * errors are StreamoError; what it does not have is undefined.
 */
export interface BlockSource {
  /** What people call it: errors name it. */
  readonly name: string;
  /** The newest head of `key`; `held` is the one that the asker has. */
  newest(key: Key, held: LogTree | undefined): Promise<Newest | undefined>;
  /** The first blocks of [first, end): as many as the source gives at a time. */
  blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined>;
  /**
   * The block that holds the byte at `address`; and, as far as the source knows, others that `reading`
   * needs after it.
   */
  blockAt(log: LogTree, address: number, reading?: Reading): Promise<ProvenBlocks | undefined>;
}

/** The blocks that `proven` shows to belong to `head`; `bad_block` or `too_large` if it does not. */
export function checkProven(
  crypto: Crypto,
  head: VerifiedHead,
  { runs, proof }: ProvenBlocks,
): Block[] {
  const placed: Block[] = [];
  const leafRuns: LeafRun[] = [];
  for (const { first, start, blocks } of runs) {
    // Each block before has a byte at least; the first block of all starts at 0.
    if (!Number.isSafeInteger(start) || start < first || (start === 0) !== (first === 0)) {
      throw new StreamoError("bad_block", `block ${first} cannot start at ${start}`);
    }
    const leaves: Uint8Array[] = [];
    let end = start;
    for (const bytes of blocks) {
      if (bytes.length < 1 || bytes.length > BLOCK_MAX_BYTES) {
        throw new StreamoError("too_large", `a block of ${bytes.length} bytes`);
      }
      placed.push({ index: first + leaves.length, start: end, bytes });
      leaves.push(leafHash(crypto, end, bytes));
      end += bytes.length;
    }
    const isLast = first + blocks.length === head.blocks;
    if (isLast ? end !== head.bytes : end >= head.bytes) {
      throw new StreamoError("bad_block", "the blocks do not have the bytes that the head states");
    }
    leafRuns.push({ first, leaves });
  }
  verifyRuns(crypto, head, leafRuns, proof);
  return placed;
}
