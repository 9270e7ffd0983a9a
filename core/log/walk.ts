/** Which blocks a reading takes: found by reading, over blocks that are noted as they are looked into. */

import { type Chunks, MissingBlock, Space, untilThere } from "../codec/chunks.ts";
import { follow, type Reading } from "../codec/reading.ts";
import { StreamoError } from "../errors.ts";
import type { Block } from "./block.ts";
import { BlockCache } from "./block_cache.ts";
import type { LogTree } from "./source.ts";
import type { Store } from "./store.ts";

/** Bytes of blocks in one answer: with their lengths and proofs they fit in a frame of 1 MiB. */
export const ANSWER_BYTES = 800 * 1024;
/** Blocks in one answer, which may be far from each other: a proof has up to some 20 hashes for each. */
export const ANSWER_BLOCKS = 256;
/** The same where a program may stop reading at any entry. */
const LAZY_BYTES = 128 * 1024;
/** Bytes that are looked into before the block that was asked for: a reader goes on, it does not begin. */
const BEFORE_BYTES = 2 * 2 ** 20;
/** And blocks: one that must be waited for makes the walk begin again. */
const BEFORE_BLOCKS = 1024;
/** Bytes of blocks that follow, where too much would have to be looked into. */
const AHEAD_BYTES = ANSWER_BYTES / 2;

/** What {@link blocksFor} needs of a store. */
export type WalkedStore = Pick<Store, "blocks" | "blockAt" | "blockAtSync">;

/**
 * `first`, and as many blocks as fit into one answer of those that `reading` comes to after it, in the
 * order of the log. It is a guess of what the reader needs, which has what comes before: whatever
 * stops it is told to the reader by its own decoder.
 */
export async function blocksFor(
  store: WalkedStore,
  log: LogTree,
  first: Block,
  reading: Reading,
): Promise<Block[]> {
  const walk = new Walk(store, log, first, reading);
  try {
    await untilThere(() => follow(new Space(walk, BEFORE_BYTES), reading));
  } catch (error) {
    if (!(error instanceof StreamoError)) throw error;
  }
  const blocks = walk.isShort ? await followers(store, log, first) : walk.found;
  return blocks.sort((a, b) => a.index - b.index);
}

function bytesFor({ kind, range }: Reading): number {
  const isLazy = kind === "keys" || kind === "stats" || kind === "entries" || kind === "elements";
  return isLazy && range?.limit === undefined ? LAZY_BYTES : ANSWER_BYTES;
}

/** The blocks behind `first`: what belongs together was mostly written together. */
async function followers(store: WalkedStore, log: LogTree, first: Block): Promise<Block[]> {
  const blocks: Block[] = [];
  let bytes = 0;
  const end = Math.min(log.blocks, first.index + ANSWER_BLOCKS);
  for await (const block of store.blocks(log.key, log.epoch, first.index, end)) {
    bytes += block.bytes.length;
    if (bytes > AHEAD_BYTES && blocks.length > 0) break;
    blocks.push(block);
  }
  return blocks;
}

/** Ends a walk. */
class WalkEnd extends StreamoError {
  constructor() {
    super("budget", "a reading takes more blocks than fit into one answer");
  }
}

/** The blocks of a log, noted as they are read. */
class Walk implements Chunks {
  readonly #store: WalkedStore;
  readonly #log: LogTree;
  readonly #first: Block;
  readonly #most: number;
  readonly #since: number;
  readonly #seen = new BlockCache(Infinity);
  /** Blocks that the asker has: those before the first one, or of earlier. */
  #passedBytes = 0;
  #passed = 0;
  /** Empty until the first one is met. */
  readonly #found: Block[] = [];
  #foundBytes = 0;

  constructor(store: WalkedStore, log: LogTree, first: Block, reading: Reading) {
    this.#store = store;
    this.#log = log;
    this.#first = first;
    this.#most = bytesFor(reading);
    this.#since = reading.since ?? 0;
  }

  /** The block that was asked for, and those that were read after it. */
  get found(): Block[] {
    return this.#found.length > 0 ? this.#found : [this.#first];
  }

  /** Whether it ended before it came to the block that was asked for. */
  get isShort(): boolean {
    return this.#isLong && this.#found.length === 0;
  }

  get #isLong(): boolean {
    return this.#passedBytes > BEFORE_BYTES || this.#passed > BEFORE_BLOCKS;
  }

  at(address: number): Uint8Array {
    let block = this.#seen.get(address);
    if (block === undefined) {
      const { key, epoch } = this.#log;
      block = this.#store.blockAtSync?.(key, epoch, address);
      if (block === undefined) throw new MissingBlock(address, () => this.#load(address));
      this.#note(block);
    }
    return block.bytes.subarray(address - block.start);
  }

  append(): never {
    throw new TypeError("a walk only reads");
  }

  async #load(address: number): Promise<void> {
    const { key, epoch } = this.#log;
    const block = await this.#store.blockAt(key, epoch, address);
    if (block === undefined) throw new MissingBlock(address);
    this.#note(block);
  }

  #note(block: Block): void {
    const { length } = block.bytes;
    if (block.index >= this.#log.blocks) throw new MissingBlock(block.start);
    const isAtHand = block.index < this.#since && block.index !== this.#first.index;
    if (!isAtHand && (block.index === this.#first.index || this.#found.length > 0)) {
      const isFull = this.#foundBytes + length > this.#most ||
        this.#found.length === ANSWER_BLOCKS;
      if (isFull && this.#found.length > 0) throw new WalkEnd();
      this.#found.push(block);
      this.#foundBytes += length;
    } else {
      this.#passedBytes += length;
      this.#passed++;
      if (this.#isLong) throw new WalkEnd();
    }
    this.#seen.add(block);
  }
}
