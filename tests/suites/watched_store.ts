/** A store whose changes by other processes are heard, for tests of what follows them. */

import type { Key } from "../../core/identity/key.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";

/** A store that other processes write to: changes are heard by `watch` only. */
export class WatchedStore extends MemoryStore {
  readonly #bells = new Set<(key: Key) => void>();
  #left = Promise.withResolvers<void>();

  /** How many watch. */
  get watchers(): number {
    return this.#bells.size;
  }

  /** Tells who watches that `key` may have changed. */
  ring(key: Key): void {
    for (const bell of this.#bells) bell(key);
  }

  /** Resolves when nobody watches any more. */
  async quiet(): Promise<void> {
    while (this.#bells.size > 0) await this.#left.promise;
  }

  /** Yields what was rung, from the next on. */
  async *watch(signal: AbortSignal): AsyncGenerator<Key> {
    while (!signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<Key | undefined>();
      const stop = (): void => resolve(undefined);
      this.#bells.add(resolve);
      signal.addEventListener("abort", stop);
      const key = await promise;
      signal.removeEventListener("abort", stop);
      this.#bells.delete(resolve);
      this.#left.resolve();
      this.#left = Promise.withResolvers<void>();
      if (key !== undefined) yield key;
    }
  }
}
