/** Sources of blocks for tests: ones that count, and ones that lie. */

import type { Reading } from "../../core/codec/reading.ts";
import type { BlockSource, LogTree, Newest, ProvenBlocks } from "../../core/log/source.ts";
import { StoreSource } from "../../core/log/store_source.ts";
import type { Store } from "../../core/log/store.ts";
import type { Key } from "../../core/identity/key.ts";
import { testCrypto } from "./test_log.ts";

/** What a lying source makes of the truth. */
export interface Lies {
  readonly newest?: (newest: Newest | undefined) => Newest | undefined;
  readonly blocks?: (proven: ProvenBlocks | undefined) => ProvenBlocks | undefined;
}

/** A source over a store that counts what it is asked, and may lie. */
export class TestSource implements BlockSource {
  readonly name: string;
  readonly #truth: StoreSource;
  /** May be changed at any time. */
  lies: Lies;
  /** What was asked, in order. */
  readonly asked: string[] = [];
  /** How many blocks were given. */
  given = 0;

  constructor(store: Store, name = "test source", lies: Lies = {}) {
    this.name = name;
    this.#truth = new StoreSource(store, testCrypto);
    this.lies = lies;
  }

  async newest(key: Key, held: LogTree | undefined): Promise<Newest | undefined> {
    this.asked.push("newest");
    const newest = await this.#truth.newest(key, held);
    return this.lies.newest === undefined ? newest : this.lies.newest(newest);
  }

  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined> {
    this.asked.push("blocks");
    return this.#lie(await this.#truth.blocks(log, first, end));
  }

  async blockAt(
    log: LogTree,
    address: number,
    reading?: Reading,
  ): Promise<ProvenBlocks | undefined> {
    this.asked.push("blockAt");
    return this.#lie(await this.#truth.blockAt(log, address, reading));
  }

  #lie(truth: ProvenBlocks | undefined): ProvenBlocks | undefined {
    const proven = this.lies.blocks === undefined ? truth : this.lies.blocks(truth);
    for (const { blocks } of proven?.runs ?? []) this.given += blocks.length;
    return proven;
  }
}
