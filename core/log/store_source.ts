/** A store as a source of blocks with their proofs: what relays answer from. */

import type { Reading } from "../codec/reading.ts";
import { equal } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Block } from "./block.ts";
import { verifyConsistency } from "./consistency_proof.ts";
import type { SignedHead } from "./head.ts";
import { leafHash } from "./merkle.ts";
import { Proofs } from "./proofs.ts";
import { verifyRuns } from "./range_proof.ts";
import type { BlockSource, LogTree, Newest, ProvenBlocks } from "./source.ts";
import type { Store } from "./store.ts";
import { ANSWER_BLOCKS, ANSWER_BYTES, blocksFor } from "./walk.ts";

/** Logs whose subtrees are remembered. */
const LOGS_MAX = 64;

const shared = new WeakMap<Store, StoreSource>();

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

  /** The one over `store` that all share: it remembers what took long to work out. */
  static of(store: Store, crypto: Crypto): StoreSource {
    let source = shared.get(store);
    if (source === undefined) shared.set(store, source = new StoreSource(store, crypto));
    return source;
  }

  /** The newest head of `key`. */
  async head(key: Key): Promise<SignedHead | undefined> {
    return (await this.#store.head(key))?.head;
  }

  async newest(key: Key, held: LogTree | undefined): Promise<Newest | undefined> {
    const head = await this.head(key);
    if (head === undefined) return undefined;
    const { epoch, blocks } = head;
    const isExtension = held?.epoch === epoch && held.blocks <= blocks;
    if (isExtension && held.blocks === blocks && equal(held.root, head.root)) {
      return { head, extension: [], end: undefined };
    }
    const extension = isExtension ? await this.#extension(head, held.blocks) : [];
    return { head, extension, end: await this.#end(head) };
  }

  /** The first blocks of [first, end), as many as fit into one answer; `conflict` if the log is another. */
  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks> {
    const found: Block[] = [];
    let bytes = 0;
    for await (const block of this.#store.blocks(log.key, log.epoch, first, end)) {
      bytes += block.bytes.length;
      if (bytes > ANSWER_BYTES || found.length === ANSWER_BLOCKS) break;
      found.push(block);
    }
    return await this.#prove(log, found);
  }

  async blockAt(
    log: LogTree,
    address: number,
    reading?: Reading,
  ): Promise<ProvenBlocks | undefined> {
    const block = await this.#store.blockAt(log.key, log.epoch, address);
    if (block === undefined || block.index >= log.blocks) return undefined;
    const blocks = reading === undefined
      ? [block]
      : await blocksFor(this.#store, log, block, reading);
    return await this.#prove(log, blocks);
  }

  /** The last block, and the one that holds the newest record if that is another. */
  async #end(head: SignedHead): Promise<ProvenBlocks | undefined> {
    const { key, epoch, record, bytes } = head;
    const found = new Map<number, Block>();
    for (const address of [record, bytes - 1]) {
      if (address === undefined || address < 0) continue;
      const block = await this.#store.blockAt(key, epoch, address);
      if (block !== undefined) found.set(block.index, block);
    }
    return found.size === 0 ? undefined : await this.#prove(head, [...found.values()]);
  }

  async #extension(log: LogTree, older: number): Promise<Uint8Array[]> {
    const { proof } = await this.#checked(log, async (proofs) => ({
      proof: await proofs.consistency(older, log.blocks),
      before: { blocks: older, root: await proofs.root(older) },
    }), ({ proof, before }) => verifyConsistency(this.#crypto, before, log, proof));
    return proof;
  }

  /** `blocks` rise. */
  async #prove(log: LogTree, blocks: readonly Block[]): Promise<ProvenBlocks> {
    const runs = runsOf(blocks);
    const leafRuns = runs.map((run) => ({
      first: run[0].index,
      leaves: run.map(({ start, bytes }) => leafHash(this.#crypto, start, bytes)),
    }));
    const proof = await this.#checked(
      log,
      (proofs) => proofs.runs(runs.map((run) => [run[0].index, run.at(-1)!.index + 1]), log.blocks),
      (proof) => verifyRuns(this.#crypto, log, leafRuns, proof),
    );
    return {
      runs: runs.map((run) => ({
        first: run[0].index,
        start: run[0].start,
        blocks: run.map(({ bytes }) => bytes),
      })),
      proof,
    };
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

/** `blocks`, which rise, as runs of consecutive ones. */
function runsOf(blocks: readonly Block[]): Block[][] {
  const runs: Block[][] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last !== undefined && last[0].index + last.length === block.index) last.push(block);
    else runs.push([block]);
  }
  return runs;
}
