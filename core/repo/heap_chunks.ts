/** Chunks that are in no log. */

import { type Chunks, MissingBlock } from "../codec/chunks.ts";
import { BLOCK_MAX_BYTES } from "../log/block.ts";
import { chunkHash, ChunkIndex } from "../log/chunk_index.ts";

/** Chunks in pages of memory. */
export class HeapChunks implements Chunks {
  /** The next address. */
  size = 0;
  readonly #pages: Uint8Array[] = [];
  readonly #index = new ChunkIndex();

  at(address: number): Uint8Array {
    const page = this.#pages[Math.floor(address / BLOCK_MAX_BYTES)];
    if (page === undefined) throw new MissingBlock(address);
    return page.subarray(address % BLOCK_MAX_BYTES);
  }

  append(chunk: Uint8Array): number {
    const hash = chunkHash(chunk);
    const known = this.#index.find(hash, (address) => this.#isAt(address, chunk));
    if (known !== undefined) return known;
    const room = BLOCK_MAX_BYTES - this.size % BLOCK_MAX_BYTES;
    // A chunk never spans two pages.
    if (chunk.length > room) this.size += room;
    const address = this.size;
    const page = Math.floor(address / BLOCK_MAX_BYTES);
    this.#pages[page] ??= new Uint8Array(BLOCK_MAX_BYTES);
    this.#pages[page].set(chunk, address % BLOCK_MAX_BYTES);
    this.size += chunk.length;
    this.#index.add(hash, address);
    return address;
  }

  #isAt(address: number, chunk: Uint8Array): boolean {
    const bytes = this.at(address);
    for (let i = 0; i < chunk.length; i++) if (bytes[i] !== chunk[i]) return false;
    return bytes.length >= chunk.length;
  }
}
