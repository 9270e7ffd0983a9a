/** What makes blocks that arrive trusted: they belong to a signed head and continue what is here. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { BLOCK_MAX_BYTES } from "./block.ts";
import type { Head, VerifiedHead } from "./head.ts";
import { checkRoot, rootFromFrontier } from "./merkle_proof.ts";
import { extend, type Extent, type Placed, type Run } from "./run.ts";

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
): Placed {
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
