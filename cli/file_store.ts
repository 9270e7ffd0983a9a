/**
 * The store in a directory: what the CLI and a small relay keep their logs in.
 *
 *     DIR/lock                     held while the store is open
 *     DIR/KEY/EPOCH/0001.log ...   segments: blocks and heads in the order of writing
 *     DIR/KEY/EPOCH/index          where each block lies; made again when it is not whole
 *     DIR/KEY/NAME.aside           what is kept beside the log
 */

import { dirname, resolve } from "node:path";
import { isKey } from "./store/names.ts";
import { StreamoError } from "../core/errors.ts";
import type { Crypto } from "../core/identity/crypto.ts";
import { defaultCrypto } from "../core/identity/default_crypto.ts";
import type { Key } from "../core/identity/key.ts";
import type { Block } from "../core/log/block.ts";
import type { Store, StoredHead } from "../core/log/store.ts";
import { asideNames, keepAside, readAside } from "./store/asides.ts";
import { DataLock } from "./store/data_lock.ts";
import type { EpochLog, FileContext } from "./store/epoch_log.ts";
import { attempt, FilePool, namesIn, syncDirectory } from "./store/file_pool.ts";
import { KeyLog } from "./store/key_log.ts";
import { PageCache } from "./store/page_cache.ts";
import { removeDropped } from "./store/set_aside.ts";

/** How a {@link FileStore} is set up; the defaults suit everything but tests. */
export interface FileStoreOptions {
  /** The platform's own by default. */
  readonly crypto?: Crypto;
  /** A segment that would grow past this is followed by a new one: 256 MiB. */
  readonly maxSegmentBytes?: number;
  /** Files open at once: 64. */
  readonly maxOpenFiles?: number;
  /** Keys whose state is kept in memory: 1024. */
  readonly maxOpenKeys?: number;
}

/** A {@link Store} of files. Reads are synchronous underneath; appends wait for the disk. */
export class FileStore implements Store {
  readonly #directory: string;
  readonly #context: FileContext;
  readonly #lock: DataLock;
  readonly #maxOpenKeys: number;
  /** The longest unused first. */
  readonly #logs = new Map<Key, KeyLog>();
  #closed = false;

  private constructor(directory: string, lock: DataLock, options: FileStoreOptions) {
    this.#directory = directory;
    this.#lock = lock;
    this.#maxOpenKeys = options.maxOpenKeys ?? 1024;
    this.#context = {
      files: new FilePool(options.maxOpenFiles),
      cache: new PageCache(),
      crypto: options.crypto ?? defaultCrypto(),
      maxSegmentBytes: options.maxSegmentBytes ?? 256 * 1024 * 1024,
    };
  }

  /**
   * Opens the store in `directory`, which is created if it is not there. `locked` while another
   * process (or another store of this one) has it open; `storage` if the system does not allow it.
   */
  static async open(directory: string, options: FileStoreOptions = {}): Promise<FileStore> {
    const path = resolve(directory).replaceAll("\\", "/");
    if (!isDirectory(path)) {
      attempt("create", path, () => Deno.mkdirSync(path, { recursive: true }));
      await syncDirectory(dirname(path));
    }
    const lock = await DataLock.take(path);
    try {
      removeDropped(path);
    } catch (error) {
      await lock.free();
      throw error;
    }
    return new FileStore(path, lock, options);
  }

  // deno-lint-ignore require-await
  async head(key: Key): Promise<StoredHead | undefined> {
    return this.#log(key)?.stored;
  }

  async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    const log = this.#log(key) ?? this.#keep(key, this.#read(key));
    await log.append(expected, blocks, next);
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    for (let index = from; index < to;) {
      const log = this.#log(key)?.epoch(epoch);
      if (index < 0 || log === undefined || index >= log.length) throw missing(key, epoch, index);
      for (const block of log.run(index, Math.min(to, log.length))) {
        yield block;
        index++;
      }
    }
  }

  // deno-lint-ignore require-await
  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    return this.blockAtSync(key, epoch, address);
  }

  blockAtSync(key: Key, epoch: number, address: number): Block | undefined {
    return this.#log(key)?.epoch(epoch)?.blockAt(address);
  }

  // deno-lint-ignore require-await
  async hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    const log: EpochLog | undefined = this.#log(key)?.epoch(epoch);
    if (to <= from) return new Uint8Array(0);
    const length = log?.length ?? 0;
    if (log === undefined || from < 0 || to > length) {
      throw missing(key, epoch, from < 0 ? from : Math.max(from, length));
    }
    return log.leaves(from, to);
  }

  async *keys(): AsyncIterable<Key> {
    this.#checkOpen();
    for (const name of namesIn(this.#directory)) {
      if (isKey(name) && this.#holds(name)) yield name;
    }
  }

  async drop(key: Key, beforeEpoch: number): Promise<void> {
    await this.#log(key)?.drop(beforeEpoch);
  }

  // deno-lint-ignore require-await
  async asides(key: Key): Promise<string[]> {
    this.#checkOpen();
    return asideNames(`${this.#directory}/${key}`);
  }

  // deno-lint-ignore require-await
  async aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    this.#checkOpen();
    return readAside(`${this.#directory}/${key}`, name);
  }

  async keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    this.#checkOpen();
    await keepAside(`${this.#directory}/${key}`, name, bytes);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const log of this.#logs.values()) await log.idle();
    this.#logs.clear();
    this.#context.files.close();
    await this.#lock.free();
  }

  /** Whether anything is held of `key`; a damaged log is there, and says so when it is read. */
  #holds(key: Key): boolean {
    try {
      return this.#log(key)?.stored !== undefined;
    } catch (error) {
      if (error instanceof StreamoError && error.code === "damaged") return true;
      throw error;
    }
  }

  #log(key: Key): KeyLog | undefined {
    this.#checkOpen();
    const kept = this.#logs.get(key);
    if (kept !== undefined) return this.#keep(key, kept);
    if (!isDirectory(`${this.#directory}/${key}`)) return undefined;
    return this.#keep(key, this.#read(key));
  }

  #read(key: Key): KeyLog {
    return KeyLog.open(this.#context, `${this.#directory}/${key}`, key);
  }

  /** Makes `log` the newest used; a log with a write under way is never forgotten. */
  #keep(key: Key, log: KeyLog): KeyLog {
    this.#logs.delete(key);
    this.#logs.set(key, log);
    if (this.#logs.size > this.#maxOpenKeys) {
      for (const [oldest, { isBusy }] of this.#logs) {
        if (isBusy || oldest === key) continue;
        this.#logs.delete(oldest);
        break;
      }
    }
    return log;
  }

  #checkOpen(): void {
    if (this.#closed) throw new StreamoError("closed", `the store "${this.#directory}" is closed`);
  }
}

function isDirectory(path: string): boolean {
  return attempt("read", path, () => {
    try {
      return Deno.statSync(path).isDirectory;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

function missing(key: Key, epoch: number, index: number): StreamoError {
  const message = `block ${index} of epoch ${epoch} of ${key} is not held`;
  return new StreamoError("missing_block", message, { key, epoch, index });
}
