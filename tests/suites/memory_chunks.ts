/** Chunks in one array: the slow, obvious version of what a log does. */

import { type Chunks, MissingBlock } from "../../core/codec/chunks.ts";

/** Keeps every chunk once, addressed by the sum of the lengths before it. */
export class MemoryChunks implements Chunks {
  /** Address and bytes of every chunk, for tests that look at what was written. */
  readonly byAddress: Map<number, Uint8Array> = new Map();
  readonly #known = new Map<string, number>();
  /** Bytes written. */
  size = 0;

  at(address: number): Uint8Array {
    const chunk = this.byAddress.get(address);
    if (chunk === undefined) throw new MissingBlock(address);
    return chunk;
  }

  /** Lets chunks that are equal to those so far be written again, as after opening a log again. */
  forget(): void {
    this.#known.clear();
  }

  append(chunk: Uint8Array): number {
    const text = Array.from(chunk, (byte) => String.fromCharCode(byte)).join("");
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const address = this.size;
    this.#known.set(text, address);
    this.byAddress.set(address, chunk.slice());
    this.size += chunk.length;
    return address;
  }
}
