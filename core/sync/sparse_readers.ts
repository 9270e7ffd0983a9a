/** The logs that a session reads block by block, as their heads move on. */

import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import type { Parts } from "./parts.ts";
import type { RepoStatus } from "./session_status.ts";
import { SparseReader } from "./sparse_reader.ts";

/** What they need of their session. */
export interface SparseReadersOptions {
  readonly registry: Registry;
  /** What people call the peer. */
  readonly name: string;
  /** Something that the peer gave was not good. */
  readonly onRefused: (key: Key, error: StreamoError) => void;
  /** The status of `key` changed. */
  readonly onStatus: (key: Key) => void;
}

/** One for each key. */
export class SparseReaders {
  readonly #options: SparseReadersOptions;
  readonly #readers = new Map<Key, SparseReader>();
  #parts: Parts | undefined;
  #isClosed = false;

  /** Nothing is read yet. */
  constructor(options: SparseReadersOptions) {
    this.#options = options;
  }

  /** The repo of `key`: as soon as its head is known, the peer's or the store's. */
  async open(key: Key): Promise<Repo> {
    if (this.#isClosed) throw closed(key);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      const { name, onRefused, onStatus } = this.#options;
      reader = new SparseReader(key, name, {
        onRefused: (error) => onRefused(key, error),
        onStatus: () => onStatus(key),
      });
      this.#readers.set(key, reader);
      if (this.#parts !== undefined) reader.online(this.#parts);
    }
    try {
      return await reader.open(this.#options.registry);
    } catch (error) {
      // What did not open is opened anew by the next who asks.
      if (this.#readers.get(key) === reader) this.#readers.delete(key);
      throw error;
    }
  }

  /** The reader whose repo is `repo`. */
  readerOf(repo: Repo): SparseReader | undefined {
    const reader = this.#readers.get(repo.key);
    return reader?.repo === repo ? reader : undefined;
  }

  /** Where each of them is. */
  get statuses(): RepoStatus[] {
    return [...this.#readers.values()].map(({ status }) => status);
  }

  /** There is a connection. */
  online(parts: Parts): void {
    this.#parts = parts;
    for (const reader of this.#readers.values()) reader.online(parts);
  }

  /** There is none. */
  away(): void {
    this.#parts = undefined;
    for (const reader of this.#readers.values()) reader.away();
  }

  /** Reads `key` no longer. */
  leave(key: Key): void {
    this.#readers.get(key)?.close(closed(key));
    this.#readers.delete(key);
  }

  /** Reads nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const key of [...this.#readers.keys()]) this.leave(key);
  }
}

function closed(key: Key): StreamoError {
  return new StreamoError("closed", `the session does not read ${key} any more`, { key });
}
