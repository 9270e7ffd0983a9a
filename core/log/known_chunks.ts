/** Which chunks a log has already, so that equal content is stored once. */

import { type Chunks, MissingBlock } from "../codec/chunks.ts";
import { scanChunks } from "../codec/scan.ts";
import { StreamoError } from "../errors.ts";
import { systemPause } from "../platform.ts";
import type { Block } from "./block.ts";
import { chunkHash, ChunkIndex, isChunkAt } from "./chunk_index.ts";

/** Bytes of a log, counted from its end, whose chunks are looked for: what is older is stored again. */
const SCAN_MAX_BYTES = 256 * 2 ** 20;
/** Blocks that are scanned without a pause: 4 MB at most. */
const STEP_BLOCKS = 64;

/** What a log's blocks are read with. */
export type ReadBlocks = (from: number, to: number) => AsyncIterable<Block>;

/** A log that takes chunks as new. */
export interface NewChunks extends Chunks {
  /** Appends a chunk without looking for an equal one. */
  appendNew(chunk: Uint8Array): number;
}

/**
 * Chunks written by this process, and after {@link recall} those of earlier ones. An index that is too
 * small, or wrong, costs space only: bytes are compared before an address is used again.
 */
export class KnownChunks {
  readonly #index: ChunkIndex;
  /** Blocks [from, to) that somebody else has written, or an earlier process; the newest last. */
  #unknown: (readonly [from: number, to: number])[] = [];
  #recalling: Promise<void> | undefined;
  /** From how many bytes on {@link append} does not give up on a block that is not at hand. */
  #patientFrom = Infinity;

  /** Nothing is known yet. */
  constructor(index: ChunkIndex = new ChunkIndex()) {
    this.#index = index;
  }

  /** The address of an equal chunk of `log`, or of this one, appended to it. */
  append(log: NewChunks, chunk: Uint8Array): number {
    const hash = chunkHash(chunk);
    const known = this.#index.find(hash, (address) => this.#isAt(log, address, chunk));
    if (known !== undefined) return known;
    const address = log.appendNew(chunk);
    this.#index.add(hash, address);
    return address;
  }

  /**
   * Runs `write`, in which {@link append} throws MissingBlock where an equal chunk of at least `from`
   * bytes may be in a block that is not at hand: to be run again when it is.
   */
  patiently<T>(from: number, write: () => T): T {
    this.#patientFrom = from;
    try {
      return write();
    } finally {
      this.#patientFrom = Infinity;
    }
  }

  /** The log goes on after `to` blocks instead of `from`: those in between are not known. */
  move(from: number, to: number): void {
    // Another log in this one's place: what is known of the old one does no harm.
    if (to < from) this.#unknown = [];
    const start = to < from ? 0 : from;
    if (start < to) this.#unknown.push([start, to]);
  }

  /**
   * Reads the blocks that are not known, newest first, at most 256 MiB of them, and learns their
   * chunks; undefined if there are none. `pause` lets others work in between.
   */
  recall(read: ReadBlocks, pause: () => Promise<void> = systemPause): Promise<void> | undefined {
    if (this.#unknown.length === 0) return this.#recalling;
    const unknown = this.#unknown;
    this.#unknown = [];
    const before = this.#recalling;
    const recalling = (async () => {
      await before;
      await this.#learn(unknown, read, pause);
    })().finally(() => {
      if (this.#recalling === recalling) this.#recalling = undefined;
    });
    return this.#recalling = recalling;
  }

  #isAt(log: Chunks, address: number, chunk: Uint8Array): boolean {
    try {
      return isChunkAt(log, address, chunk);
    } catch (error) {
      if (!(error instanceof MissingBlock)) throw error;
      if (chunk.length >= this.#patientFrom) throw error;
      // Not at hand: the chunk is stored again rather than waited for.
      return false;
    }
  }

  async #learn(
    unknown: readonly (readonly [number, number])[],
    read: ReadBlocks,
    pause: () => Promise<void>,
  ): Promise<void> {
    let bytes = 0;
    for (const [from, to] of unknown.toReversed()) {
      for (let end = to; end > from; end -= STEP_BLOCKS) {
        if (bytes >= SCAN_MAX_BYTES || this.#index.isFull) return;
        if (bytes > 0) await pause();
        bytes += await this.#learnStep(read(Math.max(from, end - STEP_BLOCKS), end));
      }
    }
  }

  async #learnStep(blocks: AsyncIterable<Block>): Promise<number> {
    let length = 0;
    try {
      for await (const { start, bytes } of blocks) {
        for (const chunk of scanChunks(bytes)) {
          // No record is ever equal to an earlier one.
          if (chunk.isRecord) continue;
          const hash = chunkHash(bytes.subarray(chunk.start, chunk.end));
          this.#index.add(hash, start + chunk.start);
        }
        length += bytes.length;
      }
    } catch (error) {
      // What cannot be read is not used again: a damaged old block must not stop new writes.
      if (!isUnreadable(error)) throw error;
    }
    return length;
  }
}

/** Whether old blocks are not to be had any more. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof StreamoError &&
    (error.code === "damaged" || error.code === "missing_block");
}
