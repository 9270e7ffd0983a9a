/** Stores for tests that go wrong, or wait, when they are told to. */

import type { Block } from "../../core/log/block.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import type { Key } from "../../core/identity/key.ts";

/** A store like Deno KV or IndexedDB: it has no synchronous reads. */
export class AsyncStore implements Store {
  readonly #store: Store;
  /** How often a block was asked for by address. */
  reads = 0;

  constructor(store: Store = new MemoryStore()) {
    this.#store = store;
  }

  head(key: Key): Promise<StoredHead | undefined> {
    return this.#store.head(key);
  }

  append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    return this.#store.append(key, expected, blocks, next);
  }

  blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    return this.#store.blocks(key, epoch, from, to);
  }

  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    this.reads++;
    // A turn of the event loop, so that writes can come in between.
    await new Promise((resolve) => setTimeout(resolve));
    return await this.#store.blockAt(key, epoch, address);
  }

  hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
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

/** What happens to an append of a {@link GatedStore}. */
export type Gate = (append: () => Promise<void>) => Promise<void>;

/** A memory store whose appends go through `gate`. */
export class GatedStore extends MemoryStore {
  gate: Gate = (append) => append();

  override append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    return this.gate(() => super.append(key, expected, blocks, next));
  }

  /** Holds the next append back; gives what lets it go on, and when it has begun. */
  hold(): { begun: Promise<void>; release: () => void } {
    const begun = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.gate = async (append) => {
      this.gate = (next) => next();
      begun.resolve();
      await released.promise;
      await append();
    };
    return { begun: begun.promise, release: released.resolve };
  }
}
