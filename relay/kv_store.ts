/**
 * The store over Deno KV: a local SQLite file, a shared `denokv` server, or Deno Deploy. Any number
 * of processes may use one database; none of them is special.
 */

import { StreamoError } from "../core/errors.ts";
import { equal } from "../core/bytes.ts";
import type { Crypto } from "../core/identity/crypto.ts";
import { defaultCrypto } from "../core/identity/default_crypto.ts";
import { type Key, parseKey } from "../core/identity/key.ts";
import type { Block } from "../core/log/block.ts";
import { leafHash } from "../core/log/merkle.ts";
import type { Store, StoredHead } from "../core/log/store.ts";
import { KvAsides } from "./kv/asides.ts";
import { listen } from "./kv/bells.ts";
import { blocksFrom, HEADS } from "./kv/layout.ts";
import type { Entry } from "./kv/tile.ts";
import { type LogOfKey, Tiles } from "./kv/tiles.ts";
import { KvRecords } from "./kv/records.ts";
import { KvWriter } from "./kv/writer.ts";
import { logOf } from "./kv/record.ts";

/** What a {@link KvStore} is made of. */
export interface KvStoreOptions {
  /** The platform's own by default. */
  readonly crypto?: Crypto;
}

/** Most blocks, and most bytes, that are read at once. */
const RUN_BLOCKS = 256;
const RUN_BYTES = 1024 * 1024;

const CLOSED = "the KV store is closed";

/** A {@link Store} in a Deno KV database. */
export class KvStore implements Store {
  readonly #kv: Deno.Kv;
  readonly #crypto: Crypto;
  readonly #records: KvRecords;
  readonly #tiles: Tiles;
  readonly #writer: KvWriter;
  readonly #asides: KvAsides;
  readonly #closing = new AbortController();

  private constructor(kv: Deno.Kv, crypto: Crypto) {
    this.#kv = kv;
    this.#crypto = crypto;
    this.#records = new KvRecords(kv);
    this.#tiles = new Tiles(kv);
    this.#asides = new KvAsides(kv);
    this.#writer = new KvWriter(kv, this.#records, this.#tiles, crypto);
  }

  /** The store in `kv`, which belongs to it from now on. */
  // deno-lint-ignore require-await -- a later version may have to read the database first
  static async open(kv: Deno.Kv, options: KvStoreOptions = {}): Promise<KvStore> {
    return new KvStore(kv, options.crypto ?? defaultCrypto());
  }

  async head(key: Key): Promise<StoredHead | undefined> {
    return await this.#try("read", key, async () => (await this.#records.read(key))?.record.stored);
  }

  async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    await this.#try("write", key, () => this.#writer.append(key, expected, blocks, next));
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    for (let index = from; index < to;) {
      const first = index;
      const run = await this.#read(key, epoch, async (log) => {
        if (first < 0 || first >= log.length) return undefined;
        return await this.#run(log, first, Math.min(to, log.length, first + RUN_BLOCKS));
      });
      if (run === undefined) throw missing(key, epoch, index);
      for (const block of run) yield block;
      index += run.length;
    }
  }

  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    return await this.#read(key, epoch, async (log) => {
      const entry = await this.#tiles.find(log, address);
      return entry && (await this.#blocksOf(log, [entry]))[0];
    });
  }

  async hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    const hashes = await this.#read(key, epoch, async (log) => {
      if (from < 0 || to > log.length) return undefined;
      return await this.#tiles.leaves(log, from, Math.max(from, to));
    });
    if (hashes !== undefined) return hashes;
    if (to <= from) return new Uint8Array(0);
    throw missing(key, epoch, from);
  }

  async *keys(): AsyncIterable<Key> {
    this.#checkOpen();
    try {
      for await (const { key } of this.#kv.list({ prefix: HEADS })) yield parseKey(String(key[1]));
    } catch (error) {
      throw this.#storeError("list the keys", error);
    }
  }

  async drop(key: Key, beforeEpoch: number): Promise<void> {
    await this.#try("drop", key, () => this.#writer.drop(key, beforeEpoch));
  }

  async asides(key: Key): Promise<string[]> {
    return await this.#try("read", key, () => this.#asides.names(key));
  }

  async aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    return await this.#try("read", key, () => this.#asides.read(key, name));
  }

  async keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    await this.#try("write", key, () => this.#asides.keep(key, name, bytes));
  }

  async *watch(signal: AbortSignal): AsyncIterable<Key> {
    this.#checkOpen();
    try {
      yield* listen(this.#kv, AbortSignal.any([signal, this.#closing.signal]));
    } catch (error) {
      throw this.#storeError("watch the keys", error);
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#writer.idle();
    this.#kv.close();
  }

  /** Runs `act` on the log of an epoch as it is now; undefined if there is none. */
  #read<T>(
    key: Key,
    epoch: number,
    act: (log: LogOfKey) => Promise<T>,
  ): Promise<T | undefined> {
    return this.#try("read", key, async () => {
      let log = await this.#log(key, epoch);
      while (log !== undefined) {
        const { misses } = this.#tiles;
        const result = await settle(act(log));
        if (result.error === undefined && this.#tiles.misses === misses) return result.value;
        // The log may have changed between the reading of its head and of its tiles.
        const now = await this.#log(key, epoch);
        const isSame = now !== undefined && equal(now.lineage, log.lineage);
        if (isSame && result.error === undefined) return result.value;
        if (isSame && now.length === log.length) throw result.error;
        log = now;
      }
      return undefined;
    });
  }

  async #log(key: Key, epoch: number): Promise<LogOfKey | undefined> {
    const log = logOf((await this.#records.read(key))?.record, epoch);
    return log && { ...log, key };
  }

  /** The blocks from `from` on, up to `to` or as many as are read at once. */
  async #run(log: LogOfKey, from: number, to: number): Promise<Block[]> {
    const entries = await this.#tiles.entries(log, from, to);
    let bytes = 0;
    const end = entries.findIndex((entry) => (bytes += entry.length) > RUN_BYTES);
    return await this.#blocksOf(log, end > 0 ? entries.slice(0, end) : entries);
  }

  /** The blocks of `entries`, which follow one another; `damaged` if one is not what it was. */
  async #blocksOf(log: LogOfKey, entries: readonly Entry[]): Promise<Block[]> {
    const start = blocksFrom(log, entries[0].index);
    const end = blocksFrom(log, entries[0].index + entries.length);
    const blocks: Block[] = [];
    for await (const { key, value } of this.#kv.list({ start, end }, { batchSize: RUN_BLOCKS })) {
      const entry = entries[blocks.length];
      if (entry === undefined || Number(key[4]) > entry.index) break;
      // There may be blocks of appends that died, or that are losing a race just now.
      const isOther = Number(key[4]) < entry.index;
      if (isOther || !(key[5] instanceof Uint8Array) || !equal(key[5], entry.append)) continue;
      const isWhole = value instanceof Uint8Array &&
        equal(leafHash(this.#crypto, entry.start, value), entry.leaf);
      if (!isWhole) throw damaged(log.key, entry.index, "does not have its hash");
      blocks.push({ index: entry.index, start: entry.start, bytes: value });
    }
    if (blocks.length === entries.length) return blocks;
    throw damaged(log.key, entries[blocks.length].index, "is gone");
  }

  async #try<T>(what: string, key: Key, act: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await act();
    } catch (error) {
      throw this.#storeError(`${what} ${key}`, error);
    }
  }

  /** What the database says against it is `storage`, or `closed` once the store is. */
  #storeError(what: string, error: unknown): unknown {
    if (error instanceof StreamoError || error instanceof RangeError) return error;
    if (this.#closing.signal.aborted) return new StreamoError("closed", CLOSED);
    const reason = error instanceof Error ? error.message : String(error);
    const message = `cannot ${what} in the database: ${reason}`;
    return new StreamoError("storage", message, {}, { cause: error });
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StreamoError("closed", CLOSED);
  }
}

/** The value, or the error if it is that something looks damaged. */
async function settle<T>(
  promise: Promise<T>,
): Promise<{ value: T; error?: undefined } | { error: StreamoError }> {
  try {
    return { value: await promise };
  } catch (error) {
    if (error instanceof StreamoError && error.code === "damaged") return { error };
    throw error;
  }
}

function damaged(key: Key, index: number, what: string): StreamoError {
  const message = `what the database holds of ${key} is damaged: block ${index} ${what}`;
  return new StreamoError("damaged", message, { key, index });
}

function missing(key: Key, epoch: number, index: number): StreamoError {
  const message = `block ${index} of epoch ${epoch} of ${key} is not held`;
  return new StreamoError("missing_block", message, { key, epoch, index });
}
