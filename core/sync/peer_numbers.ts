/** Which log the peer's frames of a number are of. */

import type { Key } from "../identity/key.ts";

/** Both ways round: a key has one number, so that these do not grow. */
export class PeerNumbers {
  readonly #keys = new Map<number, Key>();
  readonly #numbers = new Map<Key, number>();

  /** The key of a number. */
  keyOf(number: number): Key | undefined {
    return this.#keys.get(number);
  }

  /** Whether the peer has said a number for `key`. */
  has(key: Key): boolean {
    return this.#numbers.has(key);
  }

  /** Frames of `number` are of `key` from now on. */
  bind(number: number, key: Key): void {
    this.unbind(key);
    this.#keys.set(number, key);
    this.#numbers.set(key, number);
  }

  /** No frames are of `key` any more. */
  unbind(key: Key): void {
    const number = this.#numbers.get(key);
    this.#numbers.delete(key);
    if (number !== undefined && this.#keys.get(number) === key) this.#keys.delete(number);
  }
}
