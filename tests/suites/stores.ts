/** Stores for tests that go wrong, or wait, when they are told to. */

import type { Block } from "../../core/log/block.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import type { Key } from "../../core/identity/key.ts";
import { StoreOver } from "./store_over.ts";

/** A store like Deno KV or IndexedDB: it has no synchronous reads. */
export class AsyncStore extends StoreOver {
  /** How often a block was asked for by address. */
  reads = 0;

  constructor(store: Store = new MemoryStore()) {
    super(store);
  }

  override async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    this.reads++;
    // A turn of the event loop, so that writes can come in between.
    await new Promise((resolve) => setTimeout(resolve));
    return await super.blockAt(key, epoch, address);
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
