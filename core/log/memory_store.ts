/** The store that keeps everything in memory: for tests, short-lived repos and caches. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { defaultCrypto } from "../identity/default_crypto.ts";
import type { Key } from "../identity/key.ts";
import { type Block, withoutLeaf } from "./block.ts";
import { appendBase, checkJoin } from "./check_append.ts";
import { sameStored } from "./head.ts";
import { HASH_BYTES, leafOf } from "./merkle.ts";
import type { Store, StoredHead } from "./store.ts";

/** The blocks of one key and epoch. */
interface EpochLog {
  /** `blocks[i].index === i`. */
  readonly blocks: Block[];
  /** Leaf hashes of the first `hashed` blocks, with room to grow. */
  hashes: Uint8Array;
  hashed: number;
}

interface Held {
  stored: StoredHead;
  /** By epoch: no epoch here is above `stored.epoch`. */
  readonly epochs: Map<number, EpochLog>;
}

/** What a {@link MemoryStore} is made of. */
export interface MemoryStoreOptions {
  /** Hashes leaves when `hashes` is asked for; the platform's own by default. */
  readonly crypto?: Crypto;
}

/** A {@link Store} in memory. It keeps the given byte arrays: they must not be changed later. */
export class MemoryStore implements Store {
  readonly #crypto: Crypto;
  readonly #held = new Map<Key, Held>();
  readonly #asides = new Map<Key, Map<string, Uint8Array>>();
  #closed = false;

  /** An empty store. */
  constructor(options: MemoryStoreOptions = {}) {
    this.#crypto = options.crypto ?? defaultCrypto();
  }

  // deno-lint-ignore require-await
  async head(key: Key): Promise<StoredHead | undefined> {
    this.#checkOpen();
    return this.#held.get(key)?.stored;
  }

  // deno-lint-ignore require-await
  async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    this.#checkOpen();
    const base = appendBase(blocks, next);
    const held = this.#held.get(key);
    if (!sameStored(held?.stored, expected)) {
      throw new StreamoError("conflict", `the head of ${key} is not the one expected`, { key });
    }
    const log = held?.epochs.get(next.epoch) ?? emptyLog();
    const start = blocks.length > 0 ? blocks[0].start : next.bytes;
    checkJoin(base, log.blocks.length, start, endOf(log, base));
    log.blocks.length = base;
    log.hashed = Math.min(log.hashed, base);
    for (const block of blocks) this.#push(log, block);
    const epochs = held?.epochs ?? new Map<number, EpochLog>();
    epochs.set(next.epoch, log);
    // A download of a higher epoch that was given up leaves nothing.
    for (const epoch of epochs.keys()) if (epoch > next.epoch) epochs.delete(epoch);
    if (held) held.stored = next;
    else this.#held.set(key, { stored: next, epochs });
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    for (let index = from; index < to; index++) {
      this.#checkOpen();
      const block = this.#held.get(key)?.epochs.get(epoch)?.blocks[index];
      if (block === undefined) throw missing(key, epoch, index);
      yield block;
    }
  }

  // deno-lint-ignore require-await
  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    return this.blockAtSync(key, epoch, address);
  }

  blockAtSync(key: Key, epoch: number, address: number): Block | undefined {
    this.#checkOpen();
    const blocks = this.#held.get(key)?.epochs.get(epoch)?.blocks;
    if (blocks === undefined || blocks.length === 0) return undefined;
    let low = 0;
    let high = blocks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (blocks[middle].start <= address) low = middle;
      else high = middle;
    }
    const block = blocks[low];
    return address >= block.start && address < block.start + block.bytes.length ? block : undefined;
  }

  // deno-lint-ignore require-await
  async hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    this.#checkOpen();
    if (to <= from) return new Uint8Array(0);
    const log = this.#held.get(key)?.epochs.get(epoch);
    if (log === undefined) throw missing(key, epoch, from);
    if (to > log.blocks.length) throw missing(key, epoch, Math.max(from, log.blocks.length));
    this.#hashUpTo(log, to);
    return log.hashes.slice(from * HASH_BYTES, to * HASH_BYTES);
  }

  async *keys(): AsyncIterable<Key> {
    this.#checkOpen();
    for (const key of [...this.#held.keys()]) yield key;
  }

  // deno-lint-ignore require-await
  async drop(key: Key, beforeEpoch: number): Promise<void> {
    this.#checkOpen();
    const held = this.#held.get(key);
    if (held === undefined) return;
    const { stored } = held;
    if (stored.epoch < beforeEpoch) {
      this.#held.delete(key);
      this.#asides.delete(key);
      return;
    }
    for (const epoch of held.epochs.keys()) if (epoch < beforeEpoch) held.epochs.delete(epoch);
    // A head is only held with its blocks.
    if (stored.head !== undefined && stored.head.epoch < beforeEpoch) {
      held.stored = { ...stored, head: undefined };
    }
  }

  // deno-lint-ignore require-await
  async asides(key: Key): Promise<string[]> {
    this.#checkOpen();
    return [...this.#asides.get(key)?.keys() ?? []];
  }

  // deno-lint-ignore require-await
  async aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    this.#checkOpen();
    return this.#asides.get(key)?.get(name);
  }

  // deno-lint-ignore require-await
  async keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    this.#checkOpen();
    const asides = this.#asides.get(key) ?? new Map<string, Uint8Array>();
    if (bytes === undefined) asides.delete(name);
    else this.#asides.set(key, asides.set(name, bytes));
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    this.#closed = true;
    this.#asides.clear();
    this.#held.clear();
  }

  #push(log: EpochLog, block: Block): void {
    // Nobody may ever ask for hashes: they are made then, unless they are here.
    if (block.leaf !== undefined && log.hashed === block.index) this.#hash(log, block);
    log.blocks.push(withoutLeaf(block));
  }

  #hashUpTo(log: EpochLog, count: number): void {
    while (log.hashed < count) this.#hash(log, log.blocks[log.hashed]);
  }

  /** Of the first block that has no hash. */
  #hash(log: EpochLog, block: Block): void {
    const at = log.hashed++ * HASH_BYTES;
    if (log.hashes.length === at) {
      const grown = new Uint8Array(2 * at + HASH_BYTES);
      grown.set(log.hashes);
      log.hashes = grown;
    }
    log.hashes.set(leafOf(this.#crypto, block), at);
  }

  #checkOpen(): void {
    if (this.#closed) throw new StreamoError("closed", "the memory store is closed");
  }
}

function emptyLog(): EpochLog {
  return { blocks: [], hashes: new Uint8Array(0), hashed: 0 };
}

/** Where block `base` starts, if it is the next or an earlier one. */
function endOf(log: EpochLog, base: number): number {
  if (base === 0) return 0;
  const last = log.blocks[base - 1];
  return last === undefined ? -1 : last.start + last.bytes.length;
}

function missing(key: Key, epoch: number, index: number): StreamoError {
  const message = `block ${index} of epoch ${epoch} of ${key} is not held`;
  return new StreamoError("missing_block", message, { key, epoch, index });
}
