/** A store over another, for tests that see or change what goes through. */

import type { Key } from "../../core/identity/key.ts";
import type { Block } from "../../core/log/block.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";

/** Passes everything on but synchronous reads, which a subclass may add. */
export class StoreOver implements Store {
  /** The store underneath. */
  protected readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  head(key: Key): Promise<StoredHead | undefined> {
    return this.store.head(key);
  }

  append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    return this.store.append(key, expected, blocks, next);
  }

  blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    return this.store.blocks(key, epoch, from, to);
  }

  blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    return this.store.blockAt(key, epoch, address);
  }

  hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    return this.store.hashes(key, epoch, from, to);
  }

  keys(): AsyncIterable<Key> {
    return this.store.keys();
  }

  drop(key: Key, beforeEpoch: number): Promise<void> {
    return this.store.drop(key, beforeEpoch);
  }

  asides(key: Key): Promise<string[]> {
    return this.store.asides(key);
  }

  aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    return this.store.aside(key, name);
  }

  keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    return this.store.keepAside(key, name, bytes);
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
