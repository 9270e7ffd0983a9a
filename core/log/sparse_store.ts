/** A store of logs of which only some blocks are here: the others come from sources, verified. */

import type { Reading } from "../codec/reading.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { type Block, findBlock } from "./block.ts";
import { compareHeads, sameHead, type VerifiedHead } from "./head.ts";
import type { Sources } from "./sources.ts";
import type { Store, StoredHead } from "./store.ts";

/** Readings that are remembered. */
const READ_MAX = 64;

/** One log, read from sources. */
interface SparseLog {
  readonly stored: StoredHead & { readonly head: VerifiedHead };
  /** What the store beneath holds of it: shown to be where this log begins. */
  readonly own: VerifiedHead | undefined;
  /** Blocks at its end, which came with the head and mostly hold the newest record. */
  readonly end: readonly Block[];
  /** What was read, and of which head; the newest last. */
  readonly read: Map<string, VerifiedHead>;
  /** Fetches under way, by address. */
  readonly fetching: Map<number, Promise<Block[]>>;
}

/**
 * To read only. The newest head is whichever is newer, the store's or that of the sources, which must
 * extend it. Nothing that sources give is written to the store beneath.
 */
export class SparseStore implements Store {
  readonly #store: Store;
  readonly #sources: Sources;
  readonly #crypto: Crypto;
  readonly #logs = new Map<Key, SparseLog>();

  /** What `store` does not hold comes from `sources`. */
  constructor(store: Store, sources: Sources, crypto: Crypto) {
    this.#store = store;
    this.#sources = sources;
    this.#crypto = crypto;
  }

  async head(key: Key): Promise<StoredHead | undefined> {
    const stored = await this.#store.head(key);
    const log = this.#logs.get(key);
    const own = stored?.head;
    const held = newer(own, log?.stored.head);
    const newest = await this.#sources.newest(key, held);
    if (newest === undefined) return undefined;
    const { head, end } = newest;
    if (own !== undefined && sameHead(own, head)) {
      this.#logs.delete(key);
      return stored;
    }
    const isShown = own === held ? own?.epoch === head.epoch : sameHead(own, log?.own);
    const shown = isShown ? own : undefined;
    if (log !== undefined && sameHead(log.stored.head, head) && sameHead(log.own, shown)) {
      return log.stored;
    }
    // Of one epoch the new log begins with the old one.
    const read = log?.stored.epoch === head.epoch ? log.read : new Map();
    return this.#open(head, shown, end, read);
  }

  /** Always `unsupported`. */
  append(key: Key): Promise<never> {
    const message = `the log of ${key} is here in parts: nothing can be appended`;
    return Promise.reject(new StreamoError("unsupported", message));
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    const log = this.#logOf(key, epoch);
    const own = log === undefined ? to : Math.min(to, log.own?.blocks ?? 0);
    if (from < own) yield* this.#store.blocks(key, epoch, from, own);
    if (log === undefined) return;
    if (to > log.stored.length) throw missing(key, log.stored.length);
    for (let at = Math.max(from, own); at < to;) {
      const blocks = await this.#sources.blocks(log.stored.head, at, to);
      yield* blocks;
      at += blocks.length;
    }
  }

  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    return findBlock(await this.blocksFor(key, epoch, address), address);
  }

  async blocksFor(
    key: Key,
    epoch: number,
    address: number,
    reading?: Reading,
  ): Promise<Block[]> {
    const log = this.#logOf(key, epoch);
    if (log === undefined || isOwn(log, address)) {
      const block = await this.#store.blockAt(key, epoch, address);
      return block === undefined ? [] : [block];
    }
    const { stored, end, fetching } = log;
    if (address >= stored.bytes) return [];
    const held = findBlock(end, address);
    if (held !== undefined) return [held];
    const underWay = fetching.get(address);
    if (underWay !== undefined) return await underWay;
    const asked = this.#sources.blockAt(stored.head, address, this.#since(log, address, reading));
    fetching.set(address, asked);
    try {
      return await asked;
    } finally {
      fetching.delete(address);
    }
  }

  blockAtSync(key: Key, epoch: number, address: number): Block | undefined {
    const log = this.#logOf(key, epoch);
    if (log === undefined || isOwn(log, address)) {
      return this.#store.blockAtSync?.(key, epoch, address);
    }
    return findBlock(log.end, address);
  }

  /** Only of blocks that the store beneath holds; else `missing_block`. */
  async hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    const log = this.#logOf(key, epoch);
    const own = log === undefined ? to : log.own?.blocks ?? 0;
    if (to <= own) return await this.#store.hashes(key, epoch, from, to);
    throw missing(key, Math.max(own, from));
  }

  keys(): AsyncIterable<Key> {
    return this.#store.keys();
  }

  drop(key: Key, beforeEpoch: number): Promise<void> {
    return this.#store.drop(key, beforeEpoch);
  }

  asides(key: Key): Promise<string[]> {
    return this.#store.asides(key);
  }

  aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    return this.#store.aside(key, name);
  }

  keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    return this.#store.keepAside(key, name, bytes);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #logOf(key: Key, epoch: number): SparseLog | undefined {
    const log = this.#logs.get(key);
    return log?.stored.epoch === epoch ? log : undefined;
  }

  /** `reading`, and since when it was not read: so that nothing is sent of it that is at hand. */
  #since({ stored: { head }, read }: SparseLog, address: number, reading?: Reading) {
    if (reading === undefined) return undefined;
    const { kind, path, range } = reading;
    const name = JSON.stringify([kind, path, range]);
    const before = read.get(name);
    read.delete(name);
    read.set(name, head);
    for (const oldest of read.keys()) {
      if (read.size <= READ_MAX) break;
      read.delete(oldest);
    }
    // What was there then and is missing now, the cache has forgotten: it may have forgotten more.
    const isNews = before !== undefined && before.blocks < head.blocks && address >= before.bytes;
    return isNews ? { ...reading, since: before.blocks } : reading;
  }

  #open(
    head: VerifiedHead,
    own: VerifiedHead | undefined,
    end: readonly Block[],
    read: SparseLog["read"],
  ): StoredHead {
    const { key, epoch, blocks: length, bytes } = head;
    // Nothing is appended after these blocks: nobody needs the hashes that the next one would extend.
    const stored = { head, epoch, length, bytes, frontier: [] };
    this.#logs.set(key, { stored, own, end, read, fetching: new Map() });
    return stored;
  }
}

function isOwn({ own }: SparseLog, address: number): boolean {
  return own !== undefined && address < own.bytes;
}

function missing(key: Key, index: number): StreamoError {
  return new StreamoError("missing_block", `block ${index} of ${key} is not held`, { key, index });
}

function newer(a: VerifiedHead | undefined, b: VerifiedHead | undefined): VerifiedHead | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareHeads(a, b) < 0 ? a : b;
}
