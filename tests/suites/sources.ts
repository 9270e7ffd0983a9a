/** Sources of blocks for tests: ones that count, and ones that lie. */

import type { SignedHead } from "../../core/log/head.ts";
import type { BlockSource, LogTree, ProvenBlocks } from "../../core/log/source.ts";
import { StoreSource } from "../../core/log/store_source.ts";
import type { Store } from "../../core/log/store.ts";
import type { Key } from "../../core/identity/key.ts";
import { testCrypto } from "./test_log.ts";

/** What a lying source makes of the truth. */
export interface Lies {
  readonly head?: (head: SignedHead | undefined) => SignedHead | undefined;
  readonly blocks?: (proven: ProvenBlocks | undefined) => ProvenBlocks | undefined;
  readonly consistency?: (proof: readonly Uint8Array[]) => readonly Uint8Array[] | undefined;
}

/** A source over a store that counts what it is asked, and may lie. */
export class TestSource implements BlockSource {
  readonly name: string;
  readonly #truth: StoreSource;
  /** May be changed at any time. */
  lies: Lies;
  /** What was asked, in order. */
  readonly asked: string[] = [];

  constructor(store: Store, name = "test source", lies: Lies = {}) {
    this.name = name;
    this.#truth = new StoreSource(store, testCrypto);
    this.lies = lies;
  }

  async head(key: Key): Promise<SignedHead | undefined> {
    this.asked.push("head");
    const head = await this.#truth.head(key);
    return this.lies.head === undefined ? head : this.lies.head(head);
  }

  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined> {
    this.asked.push("blocks");
    return this.#lie(await this.#truth.blocks(log, first, end));
  }

  async blockAt(log: LogTree, address: number): Promise<ProvenBlocks | undefined> {
    this.asked.push("blockAt");
    return this.#lie(await this.#truth.blockAt(log, address));
  }

  async consistency(log: LogTree, older: number): Promise<readonly Uint8Array[] | undefined> {
    this.asked.push("consistency");
    const proof = await this.#truth.consistency(log, older);
    return this.lies.consistency === undefined ? proof : this.lies.consistency(proof);
  }

  #lie(proven: ProvenBlocks | undefined): ProvenBlocks | undefined {
    return this.lies.blocks === undefined ? proven : this.lies.blocks(proven);
  }
}
