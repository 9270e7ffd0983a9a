/** Chunks that are in no log. */

import { type Chunks, MissingBlock } from "../codec/chunks.ts";
import { BLOCK_MAX_BYTES } from "../log/block.ts";

/** Chunks in pages of memory. */
export class HeapChunks implements Chunks {
  /** The next address. */
  size = 0;
  readonly #pages: Uint8Array[] = [];

  at(address: number): Uint8Array {
    const page = this.#pages[Math.floor(address / BLOCK_MAX_BYTES)];
    if (page === undefined) throw new MissingBlock(address);
    return page.subarray(address % BLOCK_MAX_BYTES);
  }

  append(chunk: Uint8Array): number {
    const room = BLOCK_MAX_BYTES - this.size % BLOCK_MAX_BYTES;
    // A chunk never spans two pages.
    if (chunk.length > room) this.size += room;
    const address = this.size;
    const page = Math.floor(address / BLOCK_MAX_BYTES);
    this.#pages[page] ??= new Uint8Array(BLOCK_MAX_BYTES);
    this.#pages[page].set(chunk, address % BLOCK_MAX_BYTES);
    this.size += chunk.length;
    return address;
  }
}
