/** Looks over every disk's shoulder: what is stored must be covered by a genuine signature. */

import { equal } from "../../core/bytes.ts";
import { toHex } from "../../core/hex.ts";
import type { Crypto } from "../../core/identity/crypto.ts";
import { type Key, keyToBytes } from "../../core/identity/key.ts";
import type { Block } from "../../core/log/block.ts";
import { signedBytes, type SignedHead } from "../../core/log/head.ts";
import { leafHash, nodeHash, rootOf } from "../../core/log/merkle.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";

/** Checks that do not trust the code under test to have checked. */
export class Inspector {
  readonly #crypto: Crypto;
  readonly #onFault: (what: string) => void;
  /** Blocks that a liar has made up, by their text. */
  readonly #forged = new Set<string>();
  readonly #genuine = new Set<string>();

  constructor(crypto: Crypto, onFault: (what: string) => void) {
    this.#crypto = crypto;
    this.#onFault = onFault;
  }

  /** These bytes are no author's: nobody may store them. */
  forged(bytes: Uint8Array): void {
    this.#forged.add(toHex(bytes));
  }

  /** What a disk is given. */
  append(key: Key, blocks: readonly Block[], { head, epoch, length, frontier }: StoredHead): void {
    if (this.#forged.size > 0) {
      for (const { bytes } of blocks) {
        if (this.#forged.has(toHex(bytes))) this.#onFault(`stores a forged block of ${key}`);
      }
    }
    if (head === undefined) return;
    if (!this.#isGenuine(head)) this.#onFault(`stores a head of ${key} without a signature`);
    const isWhole = head.epoch === epoch && head.blocks === length;
    if (isWhole && !equal(rootOf(this.#crypto, frontier), head.root)) {
      this.#onFault(`stores a frontier of ${key} that is not its head's`);
    }
  }

  /** Everything that a store holds of a key, against its head, by the definition. */
  async whole(store: Store, key: Key): Promise<void> {
    const { head } = await store.head(key) ?? {};
    if (head === undefined) return;
    const leaves: Uint8Array[] = [];
    for await (const { start, bytes } of store.blocks(key, head.epoch, 0, head.blocks)) {
      leaves.push(leafHash(this.#crypto, start, bytes));
    }
    if (!this.#isGenuine(head)) this.#onFault(`holds a head of ${key} without a signature`);
    if (!equal(this.#root(leaves), head.root)) this.#onFault(`holds other blocks of ${key}`);
  }

  #isGenuine(head: SignedHead): boolean {
    const text = toHex(head.signature) + toHex(head.root) + head.blocks;
    if (this.#genuine.has(text)) return true;
    const isGenuine = this.#crypto.verify(keyToBytes(head.key), signedBytes(head), head.signature);
    if (isGenuine === true) this.#genuine.add(text);
    return isGenuine === true;
  }

  /** RFC 9162 section 2.1.1. */
  #root(leaves: readonly Uint8Array[]): Uint8Array {
    if (leaves.length === 0) return this.#crypto.sha256(new Uint8Array());
    if (leaves.length === 1) return leaves[0];
    let half = 1;
    while (half * 2 < leaves.length) half *= 2;
    return nodeHash(
      this.#crypto,
      this.#root(leaves.slice(0, half)),
      this.#root(leaves.slice(half)),
    );
  }
}
