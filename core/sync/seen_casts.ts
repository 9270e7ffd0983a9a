/** Casts that have passed already: between relays in a circle one comes by several ways. */

import { toHex } from "../hex.ts";

/** Remembered of each of two generations: some seconds of more casts than anybody passes on. */
const SEEN_MAX = 8192;

/** See the head of this file. */
export class SeenCasts {
  #young = new Set<string>();
  #old = new Set<string>();

  /** Whether this is the first time; nobody can guess an `id`, and so keep a cast from others. */
  isNew(id: Uint8Array): boolean {
    const name = toHex(id);
    if (this.#young.has(name) || this.#old.has(name)) return false;
    if (this.#young.size >= SEEN_MAX) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(name);
    return true;
  }
}
