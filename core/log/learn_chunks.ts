/** Learns which chunks old blocks have: before large content is written. */

import { scanChunks } from "../codec/scan.ts";
import { StreamoError } from "../errors.ts";
import { systemPause } from "../platform.ts";
import type { Block } from "./block.ts";
import { chunkHash, type ChunkIndex } from "./chunk_index.ts";
import type { Learn } from "./known_chunks.ts";

/** Bytes of a log, counted from its end, whose chunks are looked for: what is older is stored again. */
const SCAN_MAX_BYTES = 256 * 2 ** 20;
/** Blocks that are scanned without a pause: 4 MB at most. */
const STEP_BLOCKS = 64;

/** What a log's blocks are read with. */
export type ReadBlocks = (from: number, to: number) => AsyncIterable<Block>;

/** Reads blocks with `read`, newest first, at most 256 MiB; `pause` lets others work in between. */
export function learnFrom(read: ReadBlocks, pause: () => Promise<void> = systemPause): Learn {
  return async (index, unknown) => {
    let bytes = 0;
    for (const [from, to] of unknown.toReversed()) {
      for (let end = to; end > from; end -= STEP_BLOCKS) {
        if (bytes >= SCAN_MAX_BYTES || index.isFull) return;
        if (bytes > 0) await pause();
        bytes += await learnStep(index, read(Math.max(from, end - STEP_BLOCKS), end));
      }
    }
  };
}

async function learnStep(index: ChunkIndex, blocks: AsyncIterable<Block>): Promise<number> {
  let length = 0;
  try {
    for await (const { start, bytes } of blocks) {
      for (const chunk of scanChunks(bytes)) {
        // No record is ever equal to an earlier one.
        if (chunk.isRecord) continue;
        const hash = chunkHash(bytes.subarray(chunk.start, chunk.end));
        index.add(hash, start + chunk.start);
      }
      length += bytes.length;
    }
  } catch (error) {
    // What cannot be read is not used again: a damaged old block must not stop new writes.
    if (!isUnreadable(error)) throw error;
  }
  return length;
}

/** Whether old blocks are not to be had any more. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof StreamoError &&
    (error.code === "damaged" || error.code === "missing_block");
}
