/** What a store holds of one log, read by address: blocks at hand, or fetched when asked for. */

import { type Chunks, MissingBlock, type Pins } from "../codec/chunks.ts";
import type { Reading } from "../codec/reading.ts";
import type { Key } from "../identity/key.ts";
import { type Block, findBlock, withoutLeaf } from "./block.ts";
import { BlockCache } from "./block_cache.ts";
import { PagedBlocks } from "./paged_blocks.ts";
import type { Store } from "./store.ts";

/** The stored blocks of one log, through a cache. */
export class StoredBlocks implements Chunks {
  readonly #store: Store;
  readonly #key: Key;
  readonly #epoch: () => number;
  readonly #cache: BlockCache;
  /** From here on the store holds another log's blocks: their bytes are not what addresses mean. */
  #cut = Infinity;
  /** What readings in progress need, also where the cache is too small for it. */
  readonly #pinned = new PagedBlocks();

  /** Blocks of `key` in the epoch that `epoch` gives at the time. */
  constructor(store: Store, key: Key, epoch: () => number, cacheBytes: number) {
    this.#store = store;
    this.#key = key;
    this.#epoch = epoch;
    this.#cache = new BlockCache(cacheBytes);
  }

  /** Bytes of the blocks at hand, but for those that readings in progress need. */
  get cachedBytes(): number {
    return this.#cache.bytes;
  }

  /** The bytes from `address` to the end of its block; throws MissingBlock. */
  at(address: number): Uint8Array {
    const block = this.#find(address);
    if (block === undefined) {
      const load = (pins?: Pins, reading?: Reading) => this.load(address, pins, reading);
      throw new MissingBlock(address, load);
    }
    return block.bytes.subarray(address - block.start);
  }

  /** Nothing is written here: see {@link Log}. */
  append(): never {
    throw new TypeError("stored blocks are only read");
  }

  /**
   * Fetches the block around `address`, and others that `reading` needs if they come with it;
   * `missing_block` if the store does not hold it either.
   */
  async load(address: number, pins?: Pins, reading?: Reading): Promise<void> {
    const blocks = address < this.#cut ? await this.#fetch(address, reading) : [];
    // The log may have lost its place while the store was read.
    if (address >= this.#cut || findBlock(blocks, address) === undefined) {
      throw new MissingBlock(address);
    }
    for (const block of blocks) {
      if (block.start >= this.#cut) continue;
      this.#cache.add(block);
      if (pins === undefined) continue;
      this.#pinned.add(block);
      pins.add(block.bytes.length, () => this.#pinned.remove(block));
    }
  }

  async #fetch(address: number, reading: Reading | undefined): Promise<Block[]> {
    const epoch = this.#epoch();
    if (reading !== undefined && this.#store.blocksFor !== undefined) {
      return await this.#store.blocksFor(this.#key, epoch, address, reading);
    }
    const block = await this.#store.blockAt(this.#key, epoch, address);
    return block === undefined ? [] : [block];
  }

  /** Keeps a block that has just been stored at hand. */
  add(block: Block): void {
    this.#cache.add(withoutLeaf(block));
  }

  /** Another log takes this one's place from `address` on; Infinity if it does not after all. */
  cut(address: number): void {
    this.#cut = address;
  }

  /** Whether blocks that are not at hand must be waited for: files and memory can be read at once. */
  get mustWait(): boolean {
    return this.#store.blockAtSync === undefined;
  }

  /** Whether another log takes this one's place. */
  get isCut(): boolean {
    return this.#cut !== Infinity;
  }

  #find(address: number): Block | undefined {
    const cached = this.#cache.get(address) ?? this.#pinned.get(address);
    if (cached !== undefined) return cached;
    if (address >= this.#cut) return undefined;
    const stored = this.#store.blockAtSync?.(this.#key, this.#epoch(), address);
    if (stored !== undefined) this.#cache.add(stored);
    return stored;
  }
}
