/** Blocks at hand, found by any address inside them. */

import type { Block } from "./block.ts";

/** Addresses a page: small blocks share a page, large ones span up to 16. */
const PAGE = 4096;

/** A block is held as long as it was added more often than removed. */
export class PagedBlocks {
  readonly #pages = new Map<number, Block[]>();

  /** The block that holds `address`. */
  get(address: number): Block | undefined {
    return this.#pages.get(Math.floor(address / PAGE))
      ?.findLast(({ start, bytes }) => address >= start && address < start + bytes.length);
  }

  /** Holds on to `block`. */
  add(block: Block): void {
    for (const page of pagesOf(block)) {
      const blocks = this.#pages.get(page);
      if (blocks === undefined) this.#pages.set(page, [block]);
      else blocks.push(block);
    }
  }

  /** Lets go of it, once. */
  remove(block: Block): void {
    for (const page of pagesOf(block)) {
      const blocks = this.#pages.get(page) ?? [];
      const at = blocks.indexOf(block);
      if (at >= 0) blocks.splice(at, 1);
      if (blocks.length === 0) this.#pages.delete(page);
    }
  }
}

function* pagesOf({ start, bytes }: Block): Generator<number> {
  const last = Math.floor((start + bytes.length - 1) / PAGE);
  for (let page = Math.floor(start / PAGE); page <= last; page++) yield page;
}
