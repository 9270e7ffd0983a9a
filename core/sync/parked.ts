/**
 * Logs that peers follow while nothing happens to them. For such a log there is no channel and no open
 * repo, only an entry here: whoever follows it is told when it moves on.
 */

import type { Key } from "../identity/key.ts";
import type { Advance } from "../log/advance.ts";
import type { Registry } from "../repo/registry.ts";

/** Who is told; it does not follow the key any more then. */
export interface Follower {
  /** The log of `key` moved on, by `advance` if it was in this process. */
  wake(key: Key, advance: Advance | undefined): void;
}

/** Who follows what of one registry without having it open. */
export class Parked {
  /** Most logs have one follower: a set for each would take more than all the rest. */
  readonly #followers = new Map<Key, Follower | Set<Follower>>();

  private constructor(registry: Registry) {
    registry.onMoved((key, advance) => this.#wake(key, advance));
  }

  /** The followers of `registry`'s logs. */
  static of(registry: Registry): Parked {
    let parked = known.get(registry);
    if (parked === undefined) known.set(registry, parked = new Parked(registry));
    return parked;
  }

  /** Whether `follower` is told about `key`. */
  has(key: Key, follower: Follower): boolean {
    const found = this.#followers.get(key);
    return found instanceof Set ? found.has(follower) : found === follower;
  }

  /** `follower` is told when the log of `key` moves on; false if it is already. */
  add(key: Key, follower: Follower): boolean {
    const found = this.#followers.get(key);
    if (found === follower) return false;
    if (found === undefined) this.#followers.set(key, follower);
    else if (!(found instanceof Set)) this.#followers.set(key, new Set([found, follower]));
    else if (found.has(follower)) return false;
    else found.add(follower);
    return true;
  }

  /** `follower` is not told any more; false if it was not. */
  delete(key: Key, follower: Follower): boolean {
    const found = this.#followers.get(key);
    const isThere = found instanceof Set ? found.delete(follower) : found === follower;
    if (isThere && (found === follower || (found as Set<Follower>).size === 0)) {
      this.#followers.delete(key);
    }
    return isThere;
  }

  #wake(key: Key, advance: Advance | undefined): void {
    const found = this.#followers.get(key);
    if (found === undefined) return;
    this.#followers.delete(key);
    if (!(found instanceof Set)) return found.wake(key, advance);
    for (const follower of found) follower.wake(key, advance);
  }
}

const known = new WeakMap<Registry, Parked>();
