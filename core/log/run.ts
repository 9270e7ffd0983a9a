/** Runs of blocks on their way: not trusted until `checkRun` has tied them to a signed head. */

import { equal } from "../bytes.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Block } from "./block.ts";
import type { SignedHead } from "./head.ts";
import { leafHash, pushLeaf } from "./merkle.ts";

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

/** Blocks with their places, and how far a log reaches with them. */
export interface Placed {
  /** The blocks. */
  readonly placed: readonly Block[];
  /** Where the last one ends. */
  readonly extent: Extent;
}

/** The extent of an empty log. */
export const EMPTY: Extent = { length: 0, bytes: 0, frontier: [] };

/** `from` with `blocks` (bytes only) behind it: placed blocks, and the new extent. */
export function extend(
  crypto: Crypto,
  from: Extent,
  blocks: readonly Uint8Array[],
): Placed {
  const placed: Block[] = [];
  let { length, bytes } = from;
  let frontier = from.frontier as Uint8Array[];
  for (const block of blocks) {
    const leaf = leafHash(crypto, bytes, block);
    frontier = pushLeaf(crypto, frontier, length, leaf);
    placed.push({ index: length, start: bytes, bytes: block, leaf });
    length++;
    bytes += block.length;
  }
  return { placed, extent: { length, bytes, frontier } };
}
