/** The block that is being written. */

import { BLOCK_FILL_BYTES, BLOCK_MAX_BYTES } from "./block.ts";

const NOTHING = new Uint8Array(0);
/** The first buffer: logs that are only read have none. */
const MIN_BYTES = 4096;

/** Chunks gathered for one block, in a buffer that grows up to the largest block and is reused. */
export class OpenBlock {
  #bytes = NOTHING;
  #length = 0;

  /** Bytes gathered. */
  get length(): number {
    return this.#length;
  }

  /** Whether a chunk of `more` bytes belongs here, and not at the start of the next block. */
  hasRoom(more: number): boolean {
    return this.#length === 0 || this.#length + more <= BLOCK_FILL_BYTES;
  }

  /** Adds a chunk that there is room for. */
  push(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(BLOCK_MAX_BYTES, Math.max(MIN_BYTES, needed * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
  }

  /** What is gathered from `offset` on: a view until the next write. */
  from(offset: number): Uint8Array {
    return this.#bytes.subarray(offset, this.#length);
  }

  /** What was gathered, and starts again. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }
}
