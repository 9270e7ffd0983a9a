/** The logs that one peer follows while they have no channel. */

import type { Key } from "../identity/key.ts";
import type { Advance } from "../log/advance.ts";
import type { Registry } from "../repo/registry.ts";
import { type Follower, Parked } from "./parked.ts";

/** Kept small: a peer that is idle has thousands. What is known of a key is that it is in `#parked`. */
export class Follows implements Follower {
  readonly #parked: Parked;
  readonly #onWake: (key: Key, advance: Advance | undefined) => void;
  /** All that may be in `#parked`: a list, which others may share, and what was added one by one. */
  #listed: readonly Key[] = [];
  readonly #added = new Set<Key>();
  #count = 0;

  /** `onWake` is called when a log moves on, which is then followed no more. */
  constructor(registry: Registry, onWake: (key: Key, advance: Advance | undefined) => void) {
    this.#parked = Parked.of(registry);
    this.#onWake = onWake;
  }

  /** How many they are. */
  get count(): number {
    return this.#count;
  }

  /** Whether the log of `key` is one of them: nothing has happened to it since. */
  has(key: Key): boolean {
    return this.#parked.has(key, this);
  }

  /** One more. */
  add(key: Key): void {
    this.#added.add(key);
    if (this.#parked.add(key, this)) this.#count++;
  }

  /** All of a list, but those that `isExcept` names. */
  addList(keys: readonly Key[], isExcept: (key: Key) => boolean): void {
    this.#listed = keys;
    for (const key of keys) {
      if (!isExcept(key) && this.#parked.add(key, this)) this.#count++;
    }
  }

  /** Follows it no more; false if it did not. */
  delete(key: Key): boolean {
    this.#added.delete(key);
    const isThere = this.#parked.delete(key, this);
    if (isThere) this.#count--;
    return isThere;
  }

  /** Follows nothing any more; gives what it followed. */
  end(): Key[] {
    const keys = [...this.#listed, ...this.#added].filter((key) => this.#parked.delete(key, this));
    this.#listed = [];
    this.#added.clear();
    this.#count = 0;
    return keys;
  }

  wake(key: Key, advance: Advance | undefined): void {
    this.#added.delete(key);
    this.#count--;
    this.#onWake(key, advance);
  }
}
