/** Waits for what a repo's status will be. */

import type { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";

/** Promises that are looked at whenever something about their repo changes. */
export class Lookouts {
  readonly #looks = new Map<Key, Set<() => void>>();

  /** Resolves when `test`, asked at {@link look}, gives true; rejects when it gives an error. */
  wait(key: Key, test: () => boolean | StreamoError): Promise<void> {
    return new Promise((resolve, reject) => {
      const looks = this.#looks.get(key) ?? new Set();
      const look = () => {
        const result = test();
        if (result === false) return;
        looks.delete(look);
        if (looks.size === 0) this.#looks.delete(key);
        if (result === true) resolve();
        else reject(result);
      };
      this.#looks.set(key, looks.add(look));
      look();
    });
  }

  /** Something about a repo changed. */
  look(key: Key): void {
    for (const look of [...this.#looks.get(key) ?? []]) look();
  }

  /** Something about all of them changed. */
  lookAll(): void {
    for (const key of [...this.#looks.keys()]) this.look(key);
  }
}
