/** Blocks at hand, found by any address inside them, within a bound on bytes. */

import type { Block } from "./block.ts";

/** Addresses a page: small blocks share a page, large ones span up to 16. */
const PAGE = 4096;

/** An old generation without blocks, shared: none is ever added to it. */
const NOTHING = new Map<number, never>();

/** Two generations: when the young one is full the old one is forgotten. */
export class BlockCache {
  #young = new Map<number, Block[]>();
  #old: Map<number, Block[]> = NOTHING;
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
    const page = Math.floor(address / PAGE);
    const young = find(this.#young.get(page), address);
    if (young !== undefined) return young;
    const old = find(this.#old.get(page), address);
    if (old !== undefined) this.add(old);
    return old;
  }

  /** Keeps `block` for a while. */
  add(block: Block): void {
    const { length } = block.bytes;
    if (this.#youngBytes + length > this.#limit / 2) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    const last = Math.floor((block.start + length - 1) / PAGE);
    for (let page = Math.floor(block.start / PAGE); page <= last; page++) {
      const blocks = this.#young.get(page);
      if (blocks === undefined) this.#young.set(page, [block]);
      else blocks.push(block);
    }
    this.#youngBytes += length;
    // A block may be larger than half of the bound, or all of it.
    if (this.bytes > this.#limit) this.#forgetOld();
  }

  /** Forgets everything. */
  clear(): void {
    this.#young = new Map();
    this.#youngBytes = 0;
    this.#forgetOld();
  }

  #forgetOld(): void {
    this.#old = NOTHING;
    this.#oldBytes = 0;
  }
}

function find(blocks: Block[] | undefined, address: number): Block | undefined {
  if (blocks === undefined) return undefined;
  for (let i = blocks.length - 1; i >= 0; i--) {
    const block = blocks[i];
    if (address >= block.start && address < block.start + block.bytes.length) return block;
  }
  return undefined;
}
