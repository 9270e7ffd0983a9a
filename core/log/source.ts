/** Where single blocks come from that the store does not hold, and what is believed of them. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { type Block, BLOCK_MAX_BYTES } from "./block.ts";
import type { SignedHead, VerifiedHead } from "./head.ts";
import { leafHash } from "./merkle.ts";
import { type Tree, verifyRange } from "./range_proof.ts";

/** Consecutive blocks with what ties them to a head: not trusted until {@link checkProven}. */
export interface ProvenBlocks {
  /** Index of the first block. */
  readonly first: number;
  /** Address of its first byte. */
  readonly start: number;
  /** The blocks' bytes, in order. */
  readonly blocks: readonly Uint8Array[];
  /** The hashes on both sides, from left to right. */
  readonly proof: readonly Uint8Array[];
}

/** One log as of one head. */
export interface LogTree extends Tree {
  /** Whose log it is. */
  readonly key: Key;
  /** The epoch that its blocks belong to. */
  readonly epoch: number;
}

/**
 * Gives any part of a log: a relay, another store, a file server. It is trusted with nothing. Its
 * errors are StreamoError; what it does not have is undefined.
 */
export interface BlockSource {
  /** What people call it: errors name it. */
  readonly name: string;
  /** The newest head of `key`. */
  head(key: Key): Promise<SignedHead | undefined>;
  /** Blocks [first, end). */
  blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined>;
  /** The block that holds the byte at `address`. */
  blockAt(log: LogTree, address: number): Promise<ProvenBlocks | undefined>;
  /** The proof that `log` extends its own first `older` blocks. */
  consistency(log: LogTree, older: number): Promise<readonly Uint8Array[] | undefined>;
}

/** The blocks that `proven` shows to belong to `head`; `bad_block` or `too_large` if it does not. */
export function checkProven(
  crypto: Crypto,
  head: VerifiedHead,
  { first, start, blocks, proof }: ProvenBlocks,
): Block[] {
  const placed: Block[] = [];
  const leaves: Uint8Array[] = [];
  let end = start;
  for (const bytes of blocks) {
    if (bytes.length < 1 || bytes.length > BLOCK_MAX_BYTES) {
      throw new StreamoError("too_large", `a block of ${bytes.length} bytes`);
    }
    // Each block before has a byte at least; the first block of all starts at 0.
    const isPlace = Number.isSafeInteger(end) && end >= first && (end === 0) === (first === 0);
    if (!isPlace && placed.length === 0) {
      throw new StreamoError("bad_block", `block ${first} cannot start at ${start}`);
    }
    leaves.push(leafHash(crypto, end, bytes));
    placed.push({ index: first + placed.length, start: end, bytes });
    end += bytes.length;
  }
  verifyRange(crypto, head, first, leaves, proof);
  const isLast = first + blocks.length === head.blocks;
  if (isLast ? end !== head.bytes : end >= head.bytes) {
    throw new StreamoError("bad_block", "the blocks do not have the bytes that the head states");
  }
  return placed;
}
