/** The lists of keys that peers have asked for, so that who comes back need not say its keys again. */

import { toHex } from "../hex.ts";
import type { Key } from "../identity/key.ts";
import type { Registry } from "../repo/registry.ts";

/** Keys of all remembered lists: about 80 bytes each. */
const KEYS_MAX = 200_000;

/** Lists by their hash, the one used last last. */
export class KnownLists {
  readonly #lists = new Map<string, readonly Key[]>();
  #keys = 0;

  /** Those that the peers of `registry` have asked for. */
  static of(registry: Registry): KnownLists {
    let lists = known.get(registry);
    if (lists === undefined) known.set(registry, lists = new KnownLists());
    return lists;
  }

  /** The keys of a list. */
  get(hash: Uint8Array): readonly Key[] | undefined {
    const name = toHex(hash);
    const keys = this.#lists.get(name);
    if (keys !== undefined) this.#touch(name, keys);
    return keys;
  }

  /** Remembers a list; those that nobody has used for longest are forgotten. */
  add(hash: Uint8Array, keys: readonly Key[]): void {
    const name = toHex(hash);
    if (!this.#lists.has(name)) this.#keys += keys.length;
    this.#touch(name, keys);
    for (const [oldest, { length }] of this.#lists) {
      if (this.#keys <= KEYS_MAX) break;
      this.#lists.delete(oldest);
      this.#keys -= length;
    }
  }

  #touch(name: string, keys: readonly Key[]): void {
    this.#lists.delete(name);
    this.#lists.set(name, keys);
  }
}

const known = new WeakMap<Registry, KnownLists>();
