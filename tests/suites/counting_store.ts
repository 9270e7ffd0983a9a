/** A store that counts what is read of it. */

import { StreamoError } from "../../core/errors.ts";
import type { Block } from "../../core/log/block.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import type { Key } from "../../core/identity/key.ts";

/** Counts calls, or what they gave. */
export class CountingStore implements Store {
  readonly #store: Store;
  readonly count = { heads: 0, appends: 0, blocks: 0, blocksAt: 0, hashes: 0 };
  /** Index of a block that cannot be read. */
  damaged: number | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  head(key: Key): Promise<StoredHead | undefined> {
    this.count.heads++;
    return this.#store.head(key);
  }

  append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    this.count.appends++;
    return this.#store.append(key, expected, blocks, next);
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    for await (const block of this.#store.blocks(key, epoch, from, to)) {
      if (block.index === this.damaged) throw new StreamoError("damaged", "a block is damaged");
      this.count.blocks++;
      yield block;
    }
  }

  blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    this.count.blocksAt++;
    return this.#store.blockAt(key, epoch, address);
  }

  blockAtSync(key: Key, epoch: number, address: number): Block | undefined {
    this.count.blocksAt++;
    return this.#store.blockAtSync?.(key, epoch, address);
  }

  hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    this.count.hashes += to - from;
    return this.#store.hashes(key, epoch, from, to);
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
}
