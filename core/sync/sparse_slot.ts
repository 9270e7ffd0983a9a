/** What a session reads block by block: loaded when it is asked for first, because most never do. */

import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { late } from "../late.ts";
import type { Repo } from "../repo/repo.ts";
import type { Parts } from "./parts.ts";
import type { RepoStatus } from "./session_status.ts";
import type { SparseReaders, SparseReadersOptions } from "./sparse_readers.ts";

const loadReaders = late(() => import("./sparse_readers.ts"));

/** See {@link SparseReaders}. */
export class SparseSlot {
  readonly #options: SparseReadersOptions;
  #readers: SparseReaders | undefined;
  #parts: Parts | undefined;
  #isClosed = false;

  /** Nothing is read yet. */
  constructor(options: SparseReadersOptions) {
    this.#options = options;
  }

  /** Where each of them is. */
  get statuses(): RepoStatus[] {
    return this.#readers?.statuses ?? [];
  }

  /** The repo of `key`. */
  async open(key: Key): Promise<Repo> {
    const { SparseReaders } = await loadReaders();
    if (this.#isClosed) {
      throw new StreamoError("closed", `cannot read ${key}: the session is closed`);
    }
    if (this.#readers === undefined) {
      this.#readers = new SparseReaders(this.#options);
      if (this.#parts !== undefined) this.#readers.online(this.#parts);
    }
    return await this.#readers.open(key);
  }

  /** Resolves when `repo` has the peer's newest head; undefined if it is not read block by block. */
  synced(repo: Repo): Promise<void> | undefined {
    return this.#readers?.readerOf(repo)?.synced();
  }

  /** Reads `key` no longer. */
  leave(key: Key): void {
    this.#readers?.leave(key);
  }

  /** There is a connection, or there is none. */
  use(parts: Parts | undefined): void {
    this.#parts = parts;
    if (parts === undefined) this.#readers?.away();
    else this.#readers?.online(parts);
  }

  /** Reads nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#readers?.close();
  }
}
