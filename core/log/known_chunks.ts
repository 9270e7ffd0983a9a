/** Which chunks a log has already, so that equal content is stored once. */

import { type Chunks, MissingBlock } from "../codec/chunks.ts";
import { chunkHash, ChunkIndex, isChunkAt } from "./chunk_index.ts";

/** Blocks [from, to). */
export type BlockRange = readonly [from: number, to: number];

/** Adds the chunks of `unknown` blocks to `index`. */
export type Learn = (index: ChunkIndex, unknown: readonly BlockRange[]) => Promise<void>;

/**
 * Chunks over others, which take all as new: those that are written here, and after {@link recall} earlier
 * ones, are stored once. An index that is too small, or wrong, costs space only: bytes are compared
 * before an address is used again.
 */
export class KnownChunks implements Chunks {
  readonly #chunks: Chunks;
  readonly #index: ChunkIndex;
  /** Blocks that somebody else has written, or an earlier process; the newest last. */
  #unknown: BlockRange[] = [];
  #recalling: Promise<void> | undefined;
  /** From how many bytes on {@link append} does not give up on a block that is not at hand. */
  #patientFrom = Infinity;

  /** Nothing is known of `chunks` yet. */
  constructor(chunks: Chunks, index: ChunkIndex = new ChunkIndex()) {
    this.#chunks = chunks;
    this.#index = index;
  }

  at(address: number): Uint8Array {
    return this.#chunks.at(address);
  }

  /** The address of an equal chunk, or of this one, appended. */
  append(chunk: Uint8Array): number {
    const hash = chunkHash(chunk);
    const known = this.#index.find(hash, (address) => this.#isAt(address, chunk));
    if (known !== undefined) return known;
    const address = this.#chunks.append(chunk);
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

  /** The chunks of blocks [from, to) are not known: {@link recall} learns them. */
  forget(from: number, to: number): void {
    if (from < to) this.#unknown.push([from, to]);
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

  #isAt(address: number, chunk: Uint8Array): boolean {
    try {
      return isChunkAt(this.#chunks, address, chunk);
    } catch (error) {
      if (!(error instanceof MissingBlock)) throw error;
      if (chunk.length >= this.#patientFrom) throw error;
      // Not at hand: the chunk is stored again rather than waited for.
      return false;
    }
  }
}
