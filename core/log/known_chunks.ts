/** Which chunks a log has already, so that equal content is stored once. */

import { type Chunks, MissingBlock } from "../codec/chunks.ts";
import { chunkHash, ChunkIndex, isChunkAt } from "./chunk_index.ts";

/** Blocks [from, to). */
export type BlockRange = readonly [from: number, to: number];

/** Adds the chunks of `unknown` blocks to `index`. */
export type Learn = (index: ChunkIndex, unknown: readonly BlockRange[]) => Promise<void>;

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
  /** Blocks that somebody else has written, or an earlier process; the newest last. */
  #unknown: BlockRange[] = [];
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

  /** Lets `learn` read the blocks that are not known; undefined if there are none. */
  recall(learn: Learn): Promise<void> | undefined {
    if (this.#unknown.length === 0) return this.#recalling;
    const unknown = this.#unknown;
    this.#unknown = [];
    const before = this.#recalling;
    const recalling = (async () => {
      await before;
      await learn(this.#index, unknown);
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
}
