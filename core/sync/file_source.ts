/** A log that lies on a web server as three plain files, as a source of blocks. */

import { concat, equal, readU64 } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { BLOCK_MAX_BYTES } from "../log/block.ts";
import { decodeHead, HEAD_BYTES } from "../log/head.ts";
import { HASH_BYTES } from "../log/merkle.ts";
import { Proofs } from "../log/proofs.ts";
import type { BlockSource, LogTree, Newest, ProvenBlocks } from "../log/source.ts";
import { ANSWER_BYTES } from "../log/walk.ts";
import type { Fetch } from "../platform.ts";
import { HttpClient } from "./http_client.ts";

/** Bytes of a block in the file `leaves`: where it ends, and its leaf hash. */
const LEAF_BYTES = 8 + HASH_BYTES;
/** Bytes that the file may have past twice what the head needs: the log may have grown since. */
const LEAVES_MORE_BYTES = 2 ** 20;

/** Leaves of one log. Nothing in them is trusted: the proofs made of them show whether they are right. */
interface Leaves {
  /** Block i is at [ends[i - 1], ends[i]). */
  readonly ends: readonly number[];
  readonly proofs: Proofs;
}

/**
 * Reads `head`, `log` (by byte ranges) and `leaves` below one URL: the signed head, all blocks one after
 * the other, and for each block [end: u64] [leaf hash: 32 bytes]. The leaves are fetched whole, once for
 * each head: 40 bytes for a block of up to 61,440.
 */
export class FileSource implements BlockSource {
  readonly name: string;
  readonly #http: HttpClient;
  readonly #crypto: Crypto;
  /** Of the log with this root. */
  #leaves: { readonly root: Uint8Array; readonly leaves: Promise<Leaves | undefined> } | undefined;

  /** The log below `url`. */
  constructor(url: string, options: { readonly crypto: Crypto; readonly fetch?: Fetch }) {
    this.name = url;
    this.#http = new HttpClient(url, options.fetch);
    this.#crypto = options.crypto;
  }

  async newest(key: Key, held: LogTree | undefined): Promise<Newest | undefined> {
    const bytes = await this.#http.get("head", HEAD_BYTES);
    if (bytes === undefined) return undefined;
    const head = decodeHead(bytes);
    const isExtension = held?.epoch === head.epoch && held.blocks < head.blocks;
    const isSame = held !== undefined && equal(held.root, head.root);
    if (isSame || head.blocks === 0) return { head, extension: [], end: undefined };
    const log = { ...head, key };
    const leaves = await this.#leavesOf(log);
    const extension = isExtension && leaves !== undefined
      ? await leaves.proofs.consistency(held.blocks, head.blocks)
      : [];
    const at = head.record ?? head.bytes - 1;
    return { head, extension, end: await this.blockAt(log, at) };
  }

  async blocks(log: LogTree, first: number, end: number): Promise<ProvenBlocks | undefined> {
    const leaves = await this.#leavesOf(log);
    if (leaves === undefined || end > leaves.ends.length) return undefined;
    const start = startOf(leaves, first);
    while (end > first + 1 && startOf(leaves, end) - start > ANSWER_BYTES) end--;
    const bytes = await this.#http.range("log", start, startOf(leaves, end));
    if (bytes === undefined) return undefined;
    const blocks: Uint8Array[] = [];
    for (let i = first; i < end; i++) {
      blocks.push(bytes.slice(startOf(leaves, i) - start, leaves.ends[i] - start));
    }
    const proof = await leaves.proofs.runs([[first, end]], log.blocks);
    return { runs: [{ first, start, blocks }], proof };
  }

  async blockAt(log: LogTree, address: number): Promise<ProvenBlocks | undefined> {
    const leaves = await this.#leavesOf(log);
    const index = leaves?.ends.findIndex((end) => end > address) ?? -1;
    return index < 0 ? undefined : await this.blocks(log, index, index + 1);
  }

  async #leavesOf(log: LogTree): Promise<Leaves | undefined> {
    if (this.#leaves === undefined || !equal(this.#leaves.root, log.root)) {
      this.#leaves = { root: log.root, leaves: this.#fetchLeaves(log) };
    }
    const asked = this.#leaves;
    try {
      return await asked.leaves;
    } catch (error) {
      // Asked for again at the next read.
      if (this.#leaves === asked) this.#leaves = undefined;
      throw error;
    }
  }

  async #fetchLeaves({ key, epoch, blocks }: LogTree): Promise<Leaves | undefined> {
    const needed = blocks * LEAF_BYTES;
    const bytes = await this.#http.get("leaves", 2 * needed + LEAVES_MORE_BYTES);
    if (bytes !== undefined && bytes.length % LEAF_BYTES !== 0) {
      throw new StreamoError("malformed", `a file of leaves has ${bytes.length} bytes`);
    }
    if (bytes === undefined || bytes.length < needed) return undefined;
    const ends: number[] = [];
    const hashes: Uint8Array[] = [];
    for (let i = 0; i < blocks; i++) {
      const at = i * LEAF_BYTES;
      const end = readU64(bytes, at);
      const length = end - (ends[i - 1] ?? 0);
      if (length < 1 || length > BLOCK_MAX_BYTES) {
        throw new StreamoError("malformed", `block ${i} has ${length} bytes in the file of leaves`);
      }
      ends.push(end);
      hashes.push(bytes.slice(at + 8, at + LEAF_BYTES));
    }
    const store = {
      hashes: (_key: Key, _epoch: number, from: number, to: number) =>
        Promise.resolve(concat(hashes.slice(from, to))),
      blocks: () => {
        throw new TypeError("proofs are made of leaves, not of blocks");
      },
    };
    return { ends, proofs: new Proofs(store, key, epoch, this.#crypto) };
  }
}

function startOf({ ends }: Leaves, index: number): number {
  return index === 0 ? 0 : ends[index - 1];
}
