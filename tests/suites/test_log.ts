/** Logs with real signatures for tests of everything that stores or passes on blocks. */

import type { Block } from "../../core/log/block.ts";
import { signHead, type VerifiedHead } from "../../core/log/head.ts";
import { leafHash, pushLeaf, rootOf } from "../../core/log/merkle.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import type { Crypto, SigningKey } from "../../core/identity/crypto.ts";
import { type Key, keyFromBytes } from "../../core/identity/key.ts";
import { defaultCrypto } from "../../core/identity/default_crypto.ts";

/** The provider that these logs are made with. */
export const testCrypto: Crypto = defaultCrypto();

/** Numbers in [0, 1) that depend only on `seed` (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A growing log of one key and epoch, with a head for every length. */
export class TestLog {
  readonly signer: SigningKey;
  readonly key: Key;
  readonly epoch: number;
  readonly blocks: Block[] = [];
  /** `frontiers[n]` stands for the first n blocks. */
  readonly frontiers: Uint8Array[][] = [[]];
  readonly #salt: number;

  constructor(signer: SigningKey, epoch: number, salt: number) {
    this.signer = signer;
    this.key = keyFromBytes(signer.publicKey);
    this.epoch = epoch;
    this.#salt = salt;
  }

  /** An empty log of the key whose seed is `seed` 32 times. */
  static async create(seed: number, epoch = 0): Promise<TestLog> {
    const signer = await testCrypto.signingKey(new Uint8Array(32).fill(seed));
    return new TestLog(signer, epoch, seed);
  }

  /** Where the first `length` blocks end. */
  bytes(length: number = this.blocks.length): number {
    if (length === 0) return 0;
    const last = this.blocks[length - 1];
    return last.start + last.bytes.length;
  }

  /** Adds blocks of these sizes; their contents depend on place, key, epoch and fork. */
  add(...sizes: number[]): this {
    for (const size of sizes) {
      const seed = this.#salt * 7919 + this.epoch * 104729 + this.blocks.length * 31 + 1;
      const random = seeded(seed);
      this.addBytes(Uint8Array.from({ length: size }, () => random() * 256));
    }
    return this;
  }

  /** Adds one block of these bytes. */
  addBytes(bytes: Uint8Array): this {
    const index = this.blocks.length;
    const start = this.bytes();
    this.blocks.push({ index, start, bytes });
    const leaf = leafHash(testCrypto, start, bytes);
    this.frontiers.push(pushLeaf(testCrypto, this.frontiers[index], index, leaf));
    return this;
  }

  /** A log with the same first `length` blocks and other blocks after them. */
  fork(length: number, salt: number): TestLog {
    const fork = new TestLog(this.signer, this.epoch, salt);
    fork.blocks.push(...this.blocks.slice(0, length));
    fork.frontiers.push(...this.frontiers.slice(1, length + 1));
    return fork;
  }

  /** The same key's log of another epoch. */
  inEpoch(epoch: number): TestLog {
    return new TestLog(this.signer, epoch, this.#salt);
  }

  /** The signed head over the first `blocks` blocks. */
  head(blocks: number = this.blocks.length): Promise<VerifiedHead> {
    return signHead({
      key: this.key,
      flags: 0,
      epoch: this.epoch,
      blocks,
      bytes: this.bytes(blocks),
      record: blocks > 0 ? this.blocks[blocks - 1].start : undefined,
      root: rootOf(testCrypto, this.frontiers[blocks]),
    }, this.signer);
  }

  /** What a store holds with `length` blocks and the given head (by default the head at `length`). */
  async stored(
    length: number = this.blocks.length,
    head?: VerifiedHead | "none",
  ): Promise<StoredHead> {
    return {
      head: head === "none" ? undefined : head ?? await this.head(length),
      epoch: this.epoch,
      length,
      bytes: this.bytes(length),
      frontier: this.frontiers[length],
    };
  }

  /** Appends the blocks from `from` to `next.length` to what `store` holds now. */
  async put(store: Store, from: number, next: StoredHead): Promise<StoredHead> {
    const expected = await store.head(this.key);
    await store.append(this.key, expected, this.blocks.slice(from, next.length), next);
    return next;
  }

  /** Appends the blocks [from, to) with the head over all of them. */
  async putRun(store: Store, from: number, to: number = this.blocks.length): Promise<StoredHead> {
    return await this.put(store, from, await this.stored(to));
  }
}
