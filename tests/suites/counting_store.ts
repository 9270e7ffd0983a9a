/** A store that counts what is read of it. */

import { StreamoError } from "../../core/errors.ts";
import type { Block } from "../../core/log/block.ts";
import type { StoredHead } from "../../core/log/store.ts";
import type { Key } from "../../core/identity/key.ts";
import { StoreOver } from "./store_over.ts";

/** Counts calls, or what they gave. */
export class CountingStore extends StoreOver {
  readonly count = { heads: 0, appends: 0, blocks: 0, blocksAt: 0, hashes: 0 };
  /** Index of a block that cannot be read. */
  damaged: number | undefined;

  override head(key: Key): Promise<StoredHead | undefined> {
    this.count.heads++;
    return super.head(key);
  }

  override append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    this.count.appends++;
    return super.append(key, expected, blocks, next);
  }

  override async *blocks(
    key: Key,
    epoch: number,
    from: number,
    to: number,
  ): AsyncIterable<Block> {
    for await (const block of super.blocks(key, epoch, from, to)) {
      if (block.index === this.damaged) throw new StreamoError("damaged", "a block is damaged");
      this.count.blocks++;
      yield block;
    }
  }

  override blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    this.count.blocksAt++;
    return super.blockAt(key, epoch, address);
  }

  blockAtSync(key: Key, epoch: number, address: number): Block | undefined {
    this.count.blocksAt++;
    return this.store.blockAtSync?.(key, epoch, address);
  }

  override hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    this.count.hashes += to - from;
    return super.hashes(key, epoch, from, to);
  }
}
