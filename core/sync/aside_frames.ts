/** Frames with the blocks of a branch that is kept aside. */

import type { Log } from "../log/log.ts";
import { leafOf } from "../log/merkle.ts";
import { proofRanges } from "../log/merkle_proof.ts";
import { subtreeRoot } from "../log/range_proof.ts";
import { encodeFrame, FRAME_FILL_BYTES, FRAME_MAX_BLOCKS } from "./frame.ts";

/** Reads one branch, whose last blocks are in memory. */
export class AsideFrames {
  readonly #log: Log;
  readonly #first: number;
  /** Hashes of the blocks from `#first` on. */
  readonly #leaves: readonly Uint8Array[];

  private constructor(log: Log, first: number, leaves: readonly Uint8Array[]) {
    this.#log = log;
    this.#first = first;
    this.#leaves = leaves;
  }

  /** To send `log` from block `first` on. */
  static async open(log: Log, first: number): Promise<AsideFrames> {
    const leaves: Uint8Array[] = [];
    for await (const block of blocksFrom(log, first)) leaves.push(leafOf(log.crypto, block));
    return new AsideFrames(log, first, leaves);
  }

  /** The next frame from block `from` on, which is one of those to send. */
  async frame(number: number, from: number): Promise<Uint8Array> {
    const log = this.#log;
    const head = log.newest!;
    const blocks: Uint8Array[] = [];
    let bytes = 0;
    for await (const block of blocksFrom(log, from)) {
      blocks.push(block.bytes);
      bytes += block.bytes.length;
      if (bytes >= FRAME_FILL_BYTES || blocks.length === FRAME_MAX_BLOCKS) break;
    }
    const end = from + blocks.length;
    const proof = proofRanges(from, end, head.blocks)
      .filter(([start]) => start >= end)
      .map(([start, to]) =>
        subtreeRoot(log.crypto, this.#leaves, start - this.#first, to - this.#first)
      );
    return encodeFrame(number, { head, first: from, blocks, proof });
  }
}

async function* blocksFrom(log: Log, from: number) {
  if (from < log.length) yield* log.blocks(from, log.length);
  for (const block of log.heldBlocks) if (block.index >= from) yield block;
}
