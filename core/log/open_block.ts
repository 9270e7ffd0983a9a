/** The block that is being written. */

import { BLOCK_FILL_BYTES, BLOCK_MAX_BYTES } from "./block.ts";

/** Bytes of a buffer, unless one chunk needs more. */
const BUFFER_BYTES = 16_384;
/** Blocks of so many bytes are views: to allocate one would take longer than to fill it. */
const VIEW_MAX_BYTES = 2048;

/** Chunks gathered for one block, in a buffer that small blocks are cut from and large ones copied. */
export class OpenBlock {
  #buffer = new Uint8Array(0);
  #start = 0;
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
    if (this.#start + needed > this.#buffer.length) {
      const next = new Uint8Array(Math.max(BUFFER_BYTES, Math.min(BLOCK_MAX_BYTES, needed * 2)));
      next.set(this.from(0));
      this.#buffer = next;
      this.#start = 0;
    }
    this.#buffer.set(chunk, this.#start + this.#length);
    this.#length = needed;
  }

  /** What is gathered from `offset` on: a view until the next write. */
  from(offset: number): Uint8Array {
    return this.#buffer.subarray(this.#start + offset, this.#start + this.#length);
  }

  /** What was gathered, and starts again. */
  take(): Uint8Array {
    const bytes = this.from(0);
    this.#length = 0;
    if (bytes.length > VIEW_MAX_BYTES) return bytes.slice();
    this.#start += bytes.length;
    return bytes;
  }
}
