/** Frames with the blocks of a branch that is kept aside. */

import { concat } from "../bytes.ts";
import type { Log } from "../log/log.ts";
import { leafHash } from "../log/merkle.ts";
import { Proofs } from "../log/proofs.ts";
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
    for await (const { start, bytes } of blocksFrom(log, first)) {
      leaves.push(leafHash(log.crypto, start, bytes));
    }
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
    const hashes = (_key: unknown, _epoch: number, from: number, to: number) =>
      Promise.resolve(concat(this.#leaves.slice(from - this.#first, to - this.#first)));
    const proofs = new Proofs(
      { hashes, blocks: (_key, _epoch, from, to) => log.blocks(from, to) },
      log.key,
      head.epoch,
      log.crypto,
    );
    const proof = await proofs.right(from, from + blocks.length, head.blocks);
    return encodeFrame(number, { head, first: from, blocks, proof });
  }
}

async function* blocksFrom(log: Log, from: number) {
  if (from < log.length) yield* log.blocks(from, log.length);
  for (const block of log.heldBlocks) if (block.index >= from) yield block;
}
