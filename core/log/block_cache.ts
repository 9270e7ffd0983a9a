/** Blocks at hand, within a bound on bytes. */

import type { Block } from "./block.ts";
import { PagedBlocks } from "./paged_blocks.ts";

/** Two generations: when the young one is full the old one is forgotten. */
export class BlockCache {
  #young = new PagedBlocks();
  #old = new PagedBlocks();
  #youngBytes = 0;
  #oldBytes = 0;
  readonly #limit: number;

  /** Holds at most `maxBytes` of blocks, but one at least. */
  constructor(maxBytes: number) {
    this.#limit = maxBytes;
  }

  /** Bytes of the blocks held: at most the bound, or those of one block. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  /** The block that holds `address`. */
  get(address: number): Block | undefined {
    const young = this.#young.get(address);
    if (young !== undefined) return young;
    const old = this.#old.get(address);
    if (old !== undefined) this.add(old);
    return old;
  }

  /** Keeps `block` for a while. */
  add(block: Block): void {
    const { length } = block.bytes;
    if (this.#youngBytes + length > this.#limit / 2) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new PagedBlocks();
      this.#youngBytes = 0;
    }
    this.#young.add(block);
    this.#youngBytes += length;
    // A block may be larger than half of the bound, or all of it.
    if (this.bytes > this.#limit) this.#forgetOld();
  }

  /** Forgets everything. */
  clear(): void {
    this.#young = new PagedBlocks();
    this.#youngBytes = 0;
    this.#forgetOld();
  }

  #forgetOld(): void {
    this.#old = new PagedBlocks();
    this.#oldBytes = 0;
  }
}
