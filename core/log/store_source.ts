/** A store as a source of blocks with their proofs: what relays answer from. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Block } from "./block.ts";
import { verifyConsistency } from "./consistency_proof.ts";
import type { SignedHead } from "./head.ts";
import { leafHash } from "./merkle.ts";
import { Proofs } from "./proofs.ts";
import { verifyRange } from "./range_proof.ts";
import type { BlockSource, LogTree, ProvenBlocks } from "./source.ts";
import type { Store } from "./store.ts";

/** Logs whose subtrees are remembered. */
const LOGS_MAX = 64;

/** Proves what a store holds. */
export class StoreSource implements BlockSource {
  readonly name: string;
  readonly #store: Store;
  readonly #crypto: Crypto;
  /** Last used last. Blocks may be replaced behind their back: answers are checked. */
  readonly #proofs = new Map<string, Proofs>();

  /** Over what `store` holds. */
  constructor(store: Store, crypto: Crypto, name = "the store") {
    this.#store = store;
    this.#crypto = crypto;
    this.name = name;
  }

  async head(key: Key): Promise<SignedHead | undefined> {
    return (await this.#store.head(key))?.head;
  }

  /** Blocks [first, end); `conflict` if the log held is not `log`. */
  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks> {
    const blocks: Block[] = [];
    for await (const block of this.#store.blocks(log.key, log.epoch, first, end)) {
      blocks.push(block);
    }
    return await this.#prove(log, blocks);
  }

  async blockAt(log: LogTree, address: number): Promise<ProvenBlocks | undefined> {
    const block = await this.#store.blockAt(log.key, log.epoch, address);
    if (block === undefined || block.index >= log.blocks) return undefined;
    return await this.#prove(log, [block]);
  }

  async consistency(log: LogTree, older: number): Promise<Uint8Array[]> {
    const { proof } = await this.#checked(log, async (proofs) => ({
      proof: await proofs.consistency(older, log.blocks),
      before: { blocks: older, root: await proofs.root(older) },
    }), ({ proof, before }) => verifyConsistency(this.#crypto, before, log, proof));
    return proof;
  }

  async #prove(log: LogTree, blocks: readonly Block[]): Promise<ProvenBlocks> {
    const first = blocks[0]?.index ?? 0;
    const end = first + blocks.length;
    const leaves = blocks.map(({ start, bytes }) => leafHash(this.#crypto, start, bytes));
    const proof = await this.#checked(
      log,
      (proofs) => proofs.range(first, end, log.blocks),
      (proof) => verifyRange(this.#crypto, log, first, leaves, proof),
    );
    return { first, start: blocks[0].start, blocks: blocks.map(({ bytes }) => bytes), proof };
  }

  /** What `make` makes of the log's proofs: of fresh ones if `verify` refuses that of remembered ones. */
  async #checked<T>(
    log: LogTree,
    make: (proofs: Proofs) => Promise<T>,
    verify: (made: T) => void,
  ): Promise<T> {
    for (const isFresh of [false, true]) {
      const made = await make(this.#proofsOf(log, isFresh));
      try {
        verify(made);
        return made;
      } catch (error) {
        if (!(error instanceof StreamoError && error.code === "bad_block")) throw error;
      }
    }
    throw new StreamoError("conflict", `the log of ${log.key} held here has another root`);
  }

  #proofsOf({ key, epoch }: LogTree, isFresh = false): Proofs {
    const name = `${key}.${epoch}`;
    const known = isFresh ? undefined : this.#proofs.get(name);
    const proofs = known ?? new Proofs(this.#store, key, epoch, this.#crypto);
    this.#proofs.delete(name);
    this.#proofs.set(name, proofs);
    for (const oldest of this.#proofs.keys()) {
      if (this.#proofs.size <= LOGS_MAX) break;
      this.#proofs.delete(oldest);
    }
    return proofs;
  }
}
