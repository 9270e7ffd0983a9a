/** Runs of blocks on their way: not trusted until {@link checkRun} has tied them to a signed head. */

import { equal } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { type Block, BLOCK_MAX_BYTES } from "./block.ts";
import type { Head, SignedHead, VerifiedHead } from "./head.ts";
import { checkRoot, leafHash, pushLeaf, rootFromFrontier } from "./merkle.ts";

/** Consecutive blocks, the head that covers them, and the hashes right of them that prove it. */
export interface Run {
  /** The head that covers them; its signature is checked with the run. */
  readonly head: SignedHead;
  /** Index of the first block. */
  readonly first: number;
  /** The blocks' bytes, in order. */
  readonly blocks: readonly Uint8Array[];
  /** See {@link rootFromFrontier}; what is left of the run is the receiver's own frontier. */
  readonly proof: readonly Uint8Array[];
}

/** How far a log reaches: what the next block extends. */
export interface Extent {
  /** Number of blocks. */
  readonly length: number;
  /** Number of bytes. */
  readonly bytes: number;
  /** Merkle frontier at `length`. */
  readonly frontier: readonly Uint8Array[];
}

/** How far a log reaches: enough to tell whether another begins with it. */
export interface Position {
  /** The log's epoch. */
  readonly epoch: number;
  /** How many blocks. */
  readonly blocks: number;
  /** The Merkle root over them: 32 bytes. */
  readonly root: Uint8Array;
}

/** Whether both are of one log that reaches as far. */
export function samePosition(a: Position, b: Position | undefined): boolean {
  return a.epoch === b?.epoch && a.blocks === b.blocks && equal(a.root, b.root);
}

/** The extent of an empty log. */
export const EMPTY: Extent = { length: 0, bytes: 0, frontier: [] };

/** `from` with `blocks` (bytes only) behind it: placed blocks, and the new extent. */
export function extend(
  crypto: Crypto,
  from: Extent,
  blocks: readonly Uint8Array[],
): { placed: Block[]; extent: Extent } {
  const placed: Block[] = [];
  let { length, bytes } = from;
  let frontier = from.frontier as Uint8Array[];
  for (const block of blocks) {
    const leaf = leafHash(crypto, bytes, block);
    frontier = pushLeaf(crypto, frontier, length, leaf);
    placed.push({ index: length, start: bytes, bytes: block });
    length++;
    bytes += block.length;
  }
  return { placed, extent: { length, bytes, frontier } };
}

/** What of `run` comes after `length` blocks of the same log; undefined if nothing does. */
export function withoutKnown(run: Run, length: number): Run | undefined {
  const known = length - run.first;
  if (known <= 0) return run;
  return known < run.blocks.length
    ? { ...run, first: length, blocks: run.blocks.slice(known) }
    : undefined;
}

/** `conflict` unless `run` begins where `length` blocks end. */
export function checkFirst({ first }: Run, length: number): void {
  if (first !== length) {
    throw new StreamoError("conflict", `block ${first} does not continue ${length}`);
  }
}

/**
 * Checks that a run with `head` can continue a log of `epoch` with the head `held`: `stale` if it is
 * older, `conflict` if a later epoch begins another log.
 */
export function checkNewer(head: Head, held: Head | undefined, epoch: number): void {
  const blocks = held?.blocks ?? 0;
  if (head.epoch < epoch || head.epoch === epoch && head.blocks < blocks) {
    const text = `${head.blocks} blocks in epoch ${head.epoch}`;
    throw new StreamoError("stale", `a head of ${text} is older than ${blocks} in ${epoch}`);
  }
  if (head.epoch > epoch) {
    throw new StreamoError("conflict", `epoch ${head.epoch} does not continue ${epoch}`);
  }
}

/**
 * Checks that `run` continues a log at `from` and belongs to `head`, which is verified already.
 * `bad_block` if it does not; changes nothing.
 */
export function checkRun(
  crypto: Crypto,
  run: Run,
  head: VerifiedHead,
  from: Extent,
): { placed: Block[]; extent: Extent } {
  if (run.first !== from.length) {
    throw new StreamoError("bad_block", `blocks from ${run.first} do not continue ${from.length}`);
  }
  if (run.blocks.length === 0) throw new StreamoError("bad_block", "a run without blocks");
  for (const { length } of run.blocks) {
    if (length < 1 || length > BLOCK_MAX_BYTES) {
      throw new StreamoError("too_large", `a block of ${length} bytes`);
    }
  }
  const { placed, extent } = extend(crypto, from, run.blocks);
  const { length, frontier } = extent;
  checkRoot(rootFromFrontier(crypto, head.blocks, length, frontier, run.proof), head.root);
  const whole = length === head.blocks;
  if (whole ? extent.bytes !== head.bytes : extent.bytes >= head.bytes) {
    throw new StreamoError("bad_block", "the blocks do not have the bytes that the head states");
  }
  return { placed, extent };
}
