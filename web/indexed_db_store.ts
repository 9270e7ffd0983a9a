/**
 * The store of browsers, over IndexedDB. All tabs of one origin share it, and each hears of what the
 * others write: a registry that follows `Registry.watch` shows it.
 */

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from "idb";
import { equal } from "../core/bytes.ts";
import { StreamoError } from "../core/errors.ts";
import type { Crypto } from "../core/identity/crypto.ts";
import { defaultCrypto } from "../core/identity/default_crypto.ts";
import { type Key, parseKey } from "../core/identity/key.ts";
import type { Block } from "../core/log/block.ts";
import { appendBase, checkJoin } from "../core/log/check_append.ts";
import { sameStored } from "../core/log/head.ts";
import { HASH_BYTES, leafHash, leafOf } from "../core/log/merkle.ts";
import type { Store, StoredHead } from "../core/log/store.ts";
import { decodeHeld, encodeHeld, type HeldEntry } from "./indexed_db_head.ts";

/** What an {@link IndexedDbStore} is made of. */
export interface IndexedDbStoreOptions {
  /** Name of the database; `streamo` by default. */
  readonly name?: string;
  /** The platform's own by default. */
  readonly crypto?: Crypto;
}

/** A block's place: key, epoch, index. */
type Place = [key: string, epoch: number, index: number];

/** What is known of a block without reading it. */
interface LeafEntry {
  /** Key, epoch, and address of the first byte: blocks are found by it. */
  readonly start: [key: string, epoch: number, start: number];
  readonly length: number;
  readonly leaf: Uint8Array;
}

interface Schema extends DBSchema {
  heads: { key: string; value: HeldEntry };
  blocks: { key: Place; value: Uint8Array };
  leaves: { key: Place; value: LeafEntry; indexes: { start: [string, number, number] } };
  asides: { key: [key: string, name: string]; value: Uint8Array };
}

type Name = "heads" | "blocks" | "leaves" | "asides";
type Writing = IDBPTransaction<Schema, Name[], "readwrite">;

const VERSION = 1;
const NAMES: Name[] = ["heads", "blocks", "leaves", "asides"];
/** Blocks read at once. */
const RUN_BLOCKS = 64;
const CLOSED = "the IndexedDB store is closed";

/** A {@link Store} in a browser's IndexedDB. */
export class IndexedDbStore implements Store {
  readonly #database: IDBPDatabase<Schema>;
  readonly #crypto: Crypto;
  readonly #news: BroadcastChannel;
  readonly #closing = new AbortController();

  private constructor(database: IDBPDatabase<Schema>, crypto: Crypto) {
    this.#database = database;
    this.#crypto = crypto;
    this.#news = new BroadcastChannel(`streamo-store:${database.name}`);
  }

  /** Opens or creates the database; `storage` if the browser does not allow it. */
  static async open(options: IndexedDbStoreOptions = {}): Promise<IndexedDbStore> {
    const { name = "streamo", crypto = defaultCrypto() } = options;
    try {
      const database = await openDB<Schema>(name, VERSION, {
        upgrade(created) {
          created.createObjectStore("heads");
          created.createObjectStore("blocks");
          created.createObjectStore("asides");
          created.createObjectStore("leaves").createIndex("start", "start", { unique: true });
        },
        // Another tab has a newer version of this program, which waits for this one to let go.
        blocking: () => void store.close(),
      });
      const store = new IndexedDbStore(database, crypto);
      return store;
    } catch (error) {
      throw storageError(`open the database "${name}"`, error);
    }
  }

  async head(key: Key): Promise<StoredHead | undefined> {
    return await this.#try(`read ${key}`, async () => {
      const held = await this.#database.get("heads", key);
      return held && decodeHeld(key, held);
    });
  }

  async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    const base = appendBase(blocks, next);
    const { epoch } = next;
    // Before the transaction, which ends by itself when nothing is asked of it for a moment.
    const leaves = blocks.map((block) => this.#leafOf(key, epoch, block));
    await this.#write(`write ${key}`, async (writing) => {
      const heads = writing.objectStore("heads");
      const held = await heads.get(key);
      if (!sameStored(held && decodeHeld(key, held), expected)) {
        throw new StreamoError("conflict", `the head of ${key} is not the one expected`, { key });
      }
      const start = blocks.length > 0 ? blocks[0].start : next.bytes;
      const { length, end } = await measure(writing, key, epoch, base);
      checkJoin(base, length, start, end);
      await Promise.all([
        remove(writing, IDBKeyRange.bound([key, epoch, base], [key, epoch + 1], false, true)),
        // A download of a higher epoch that was given up leaves nothing.
        remove(writing, IDBKeyRange.bound([key, epoch + 1], [key, Infinity])),
      ]);
      await Promise.all([
        heads.put(encodeHeld(next), key),
        ...blocks.map(({ index, bytes }) =>
          writing.objectStore("blocks").put(own(bytes), [key, epoch, index])
        ),
        ...leaves.map((leaf, i) => writing.objectStore("leaves").put(leaf, [key, epoch, base + i])),
      ]);
    });
    this.#news.postMessage(key);
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    for (let index = from; index < to;) {
      const first = index;
      const run = await this.#try(
        `read ${key}`,
        () => this.#run(key, epoch, first, Math.min(to, first + RUN_BLOCKS)),
      );
      if (run.length === 0) throw missing(key, epoch, index);
      for (const block of run) yield block;
      index += run.length;
    }
  }

  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    return await this.#try(`read ${key}`, async () => {
      if (address < 0) return undefined;
      const reading = this.#database.transaction(["blocks", "leaves"]);
      const range = IDBKeyRange.bound([key, epoch, 0], [key, epoch, address]);
      const found = await reading.objectStore("leaves").index("start").openCursor(range, "prev");
      if (found === null || address >= found.value.start[2] + found.value.length) return undefined;
      const { primaryKey, value: leaf } = found;
      const bytes = await reading.objectStore("blocks").get(primaryKey);
      return this.#checked(key, primaryKey[2], leaf, bytes);
    });
  }

  async hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    return await this.#try(`read ${key}`, async () => {
      const hashes = new Uint8Array(Math.max(0, to - from) * HASH_BYTES);
      if (hashes.length === 0) return hashes;
      const leaves = await this.#database.getAll("leaves", places(key, epoch, from, to));
      if (leaves.length < to - from) throw missing(key, epoch, from + leaves.length);
      leaves.forEach(({ leaf }, i) => hashes.set(leaf, i * HASH_BYTES));
      return hashes;
    });
  }

  async *keys(): AsyncIterable<Key> {
    const keys = await this.#try("list the keys", () => this.#database.getAllKeys("heads"));
    for (const key of keys) yield parseKey(key);
  }

  async drop(key: Key, beforeEpoch: number): Promise<void> {
    await this.#write(`drop ${key}`, async (writing) => {
      const heads = writing.objectStore("heads");
      const held = await heads.get(key);
      if (held === undefined) return;
      const stored = decodeHeld(key, held);
      // From below every epoch, so that the range is never empty: that is an error.
      await remove(writing, IDBKeyRange.bound([key], [key, beforeEpoch]));
      if (stored.epoch < beforeEpoch) {
        await heads.delete(key);
        await writing.objectStore("asides").delete(IDBKeyRange.bound([key], [key, []]));
      } // A head is only held with its blocks.
      else if (stored.head !== undefined && stored.head.epoch < beforeEpoch) {
        await heads.put(encodeHeld({ ...stored, head: undefined }), key);
      }
    });
  }

  async asides(key: Key): Promise<string[]> {
    const range = IDBKeyRange.bound([key], [key, []]);
    const found = await this.#try(`read ${key}`, () => this.#database.getAllKeys("asides", range));
    return found.map(([, name]) => name);
  }

  async aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    return await this.#try(`read ${key}`, () => this.#database.get("asides", [key, name]));
  }

  async keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    await this.#write(`write ${key}`, async (writing) => {
      const asides = writing.objectStore("asides");
      if (bytes === undefined) await asides.delete([key, name]);
      else await asides.put(own(bytes), [key, name]);
    });
  }

  async *watch(signal: AbortSignal): AsyncIterable<Key> {
    this.#checkOpen();
    const changed = new Set<Key>();
    let wake = () => {};
    const hear = ({ data }: MessageEvent) => {
      changed.add(parseKey(String(data)));
      wake();
    };
    const ended = AbortSignal.any([signal, this.#closing.signal]);
    const end = () => wake();
    this.#news.addEventListener("message", hear);
    ended.addEventListener("abort", end);
    try {
      while (!ended.aborted) {
        for (const key of changed) {
          changed.delete(key);
          yield key;
        }
        if (changed.size > 0 || ended.aborted) continue;
        await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      this.#news.removeEventListener("message", hear);
      ended.removeEventListener("abort", end);
    }
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#news.close();
    this.#database.close();
  }

  #leafOf(key: Key, epoch: number, block: Block): LeafEntry {
    const { start, bytes } = block;
    return { start: [key, epoch, start], length: bytes.length, leaf: leafOf(this.#crypto, block) };
  }

  /** The blocks [from, to), as far as they are held. */
  async #run(key: Key, epoch: number, from: number, to: number): Promise<Block[]> {
    const reading = this.#database.transaction(["blocks", "leaves"]);
    const range = places(key, epoch, from, to);
    const [leaves, blocks] = await Promise.all([
      reading.objectStore("leaves").getAll(range),
      reading.objectStore("blocks").getAll(range),
    ]);
    return leaves.map((leaf, i) => this.#checked(key, from + i, leaf, blocks[i]));
  }

  /** The block, if its bytes are those that were stored. */
  #checked(key: Key, index: number, entry: LeafEntry, bytes: Uint8Array | undefined): Block {
    const start = entry.start[2];
    if (bytes === undefined || !equal(leafHash(this.#crypto, start, bytes), entry.leaf)) {
      const message = `what the browser holds of ${key} is damaged: block ${index} has changed`;
      throw new StreamoError("damaged", message, { key, index });
    }
    return { index, start, bytes };
  }

  async #write(what: string, act: (writing: Writing) => Promise<void>): Promise<void> {
    await this.#try(what, async () => {
      const writing = this.#database.transaction(NAMES, "readwrite", { durability: "strict" });
      const done = writing.done.then(() => undefined, (error: unknown) => error);
      try {
        await act(writing);
      } catch (error) {
        // The browser has done so itself if the error came from a request.
        if (writing.error === null) abort(writing);
        await done;
        throw error;
      }
      const error = await done;
      if (error !== undefined) throw error;
    });
  }

  async #try<T>(what: string, act: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await act();
    } catch (error) {
      if (error instanceof StreamoError || error instanceof RangeError) throw error;
      if (this.#closing.signal.aborted) {
        throw new StreamoError("closed", CLOSED, {}, { cause: error });
      }
      throw storageError(what, error);
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new StreamoError("closed", CLOSED);
  }
}

/** How many blocks of an epoch are held, and where block `base` starts: -1 if none is before it. */
async function measure(
  writing: Writing,
  key: Key,
  epoch: number,
  base: number,
): Promise<{ length: number; end: number }> {
  const leaves = writing.objectStore("leaves");
  const last = await leaves.openKeyCursor(places(key, epoch, 0, Infinity), "prev");
  const length = last === null ? 0 : last.primaryKey[2] + 1;
  if (base === 0) return { length, end: 0 };
  const before = await leaves.get([key, epoch, base - 1]);
  return { length, end: before === undefined ? -1 : before.start[2] + before.length };
}

async function remove(writing: Writing, range: IDBKeyRange): Promise<void> {
  await Promise.all([
    writing.objectStore("blocks").delete(range),
    writing.objectStore("leaves").delete(range),
  ]);
}

function abort(writing: Writing): void {
  try {
    writing.abort();
  } catch (error) {
    // A request that failed has ended it already.
    if (!(error instanceof DOMException && error.name === "InvalidStateError")) throw error;
  }
}

function places(key: Key, epoch: number, from: number, to: number): IDBKeyRange {
  return IDBKeyRange.bound([key, epoch, from], [key, epoch, to], false, true);
}

/** Bytes of their own: IndexedDB stores the whole buffer that a view is part of. */
function own(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function storageError(what: string, error: unknown): StreamoError {
  const reason = error instanceof Error ? error.message || error.name : String(error);
  const message = `cannot ${what} in the browser's storage: ${reason}`;
  return new StreamoError("storage", message, {}, { cause: error });
}

function missing(key: Key, epoch: number, index: number): StreamoError {
  const message = `block ${index} of epoch ${epoch} of ${key} is not held`;
  return new StreamoError("missing_block", message, { key, epoch, index });
}
