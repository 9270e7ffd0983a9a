/** Hearing that a log became longer, whoever appended to it. */

import type { Key } from "../../core/identity/key.ts";
import type { Registry } from "../../core/repo/registry.ts";

type Listener = () => void;

/**
 * Calls listeners after a key's head may have moved: told by the registry's repos for this process,
 * and by the store's `watch` for others. May call too often; listeners look at the head themselves.
 */
export class Changes {
  readonly #registry: Registry;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Map<Key, Set<Listener>>();
  #watch: AbortController | undefined;

  /** `onError` hears of a watch that broke; the next listener starts another. */
  constructor(registry: Registry, onError: (error: unknown) => void) {
    this.#registry = registry;
    this.#onError = onError;
  }

  /** Calls `listener` after changes of `key`, which must be stored; the result stops it. */
  async on(key: Key, listener: Listener): Promise<() => void> {
    const own: Listener = () => listener();
    const repo = await this.#registry.open(key);
    const stopRepo = repo.on("advance", own);
    let listeners = this.#listeners.get(key);
    if (listeners === undefined) this.#listeners.set(key, listeners = new Set());
    listeners.add(own);
    this.#startWatch();
    return () => {
      stopRepo();
      this.#registry.release(key);
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) {
        this.#listeners.delete(key);
      }
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** Stops watching. */
  close(): void {
    this.#watch?.abort();
    this.#watch = undefined;
  }

  #startWatch(): void {
    const { store } = this.#registry;
    if (this.#watch !== undefined || store.watch === undefined) return;
    const controller = this.#watch = new AbortController();
    const watch = async () => {
      for await (const key of store.watch!(controller.signal)) {
        for (const listener of [...this.#listeners.get(key) ?? []]) listener();
      }
    };
    const ended = (): void => {
      if (this.#watch === controller) this.#watch = undefined;
    };
    watch().then(ended, (error) => {
      ended();
      if (!controller.signal.aborted) this.#onError(error);
    });
  }
}
