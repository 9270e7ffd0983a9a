/** A store of logs of which only some blocks are here: the others come from sources, verified. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Block } from "./block.ts";
import { compareHeads, sameHead, type VerifiedHead } from "./head.ts";
import { leafHash, pushLeaf } from "./merkle.ts";
import type { Sources } from "./sources.ts";
import type { Store, StoredHead } from "./store.ts";

/** Blocks that are asked for at a time where many are read in order. */
const STEP_BLOCKS = 8;

/** One log, read from sources. */
interface SparseLog {
  readonly stored: StoredHead & { readonly head: VerifiedHead };
  /** The block at the end, which came with the frontier and mostly holds the newest record. */
  readonly newest: Block;
  /** What the store beneath holds of it: shown to be where this log begins. */
  readonly own: VerifiedHead | undefined;
  /** Fetches under way, by address. */
  readonly fetching: Map<number, Promise<Block>>;
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
    const head = await this.#sources.head(key, held);
    if (head === undefined) return undefined;
    if (own !== undefined && sameHead(own, head)) {
      this.#logs.delete(key);
      return stored;
    }
    const isShown = own === held ? own?.epoch === head.epoch : sameHead(own, log?.own);
    const shown = isShown ? own : undefined;
    if (log !== undefined && sameHead(log.stored.head, head) && sameHead(log.own, shown)) {
      return log.stored;
    }
    return await this.#open(head, shown);
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
    for (let at = Math.max(from, own); at < to; at += STEP_BLOCKS) {
      const end = Math.min(at + STEP_BLOCKS, to);
      yield* (await this.#sources.blocks(log.stored.head, at, end)).placed;
    }
  }

  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    const log = this.#logOf(key, epoch);
    if (log === undefined || isOwn(log, address)) {
      return await this.#store.blockAt(key, epoch, address);
    }
    if (address >= log.stored.bytes) return undefined;
    if (address >= log.newest.start) return log.newest;
    const { fetching } = log;
    const underWay = fetching.get(address);
    if (underWay !== undefined) return await underWay;
    const asked = this.#sources.blockAt(log.stored.head, address);
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
    return address >= log.newest.start && address < log.stored.bytes ? log.newest : undefined;
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

  async #open(head: VerifiedHead, own: VerifiedHead | undefined): Promise<StoredHead> {
    const { key, epoch, blocks: length } = head;
    if (length === 0) return { head, epoch, length, bytes: 0, frontier: [] };
    // The hashes left of the last block are the frontier before it.
    const { placed: [newest], proof } = await this.#sources.blocks(head, length - 1, length);
    const leaf = leafHash(this.#crypto, newest.start, newest.bytes);
    const frontier = pushLeaf(this.#crypto, proof, length - 1, leaf);
    const stored = { head, epoch, length, bytes: head.bytes, frontier };
    this.#logs.set(key, { stored, newest, own, fetching: new Map() });
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
