/** What is kept at hand within a bound: it forgets what was not used for a while. */

/** A value with what it weighs, in bytes (estimated). */
export interface Weighed<V> {
  readonly value: V;
  readonly weight: number;
}

/** An old generation without entries, shared: none is ever added to it. */
const NOTHING = new Map<number, never>();

/**
 * Values by number. Two generations: when the young one is full the old one is dropped, so a hit costs
 * one or two look-ups and there is no list to maintain.
 */
export class Cache<V> {
  #young = new Map<number, Weighed<V>>();
  #old: Map<number, Weighed<V>> = NOTHING;
  #youngWeight = 0;
  #oldWeight = 0;
  readonly #limit: number;

  /** Never holds more than `limit` of weight; mostly half of it at least. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What everything in it weighs: at most the limit. */
  get weight(): number {
    return this.#youngWeight + this.#oldWeight;
  }

  /** What is cached under `key`. */
  get(key: number): V | undefined {
    return this.find(key)?.value;
  }

  /** The same with its weight. */
  find(key: number): Weighed<V> | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.#oldWeight -= old.weight;
    this.#add(key, old);
    return old;
  }

  /** Caches `value`, which weighs about `weight`; false, and does not, if that is past the limit. */
  set(key: number, value: V, weight: number): boolean {
    if (weight > this.#limit) return false;
    const known = this.find(key);
    if (known !== undefined) {
      this.#young.delete(key);
      this.#youngWeight -= known.weight;
    }
    this.#add(key, { value, weight });
    return true;
  }

  /** Forgets everything. */
  clear(): void {
    this.#young = new Map();
    this.#old = NOTHING;
    this.#youngWeight = this.#oldWeight = 0;
  }

  #add(key: number, entry: Weighed<V>): void {
    if (this.#youngWeight + entry.weight > this.#limit / 2) {
      this.#old = this.#young;
      this.#oldWeight = this.#youngWeight;
      this.#young = new Map();
      this.#youngWeight = 0;
    }
    this.#young.set(key, entry);
    this.#youngWeight += entry.weight;
    // One heavy entry can take the room of a whole generation, and more.
    if (this.weight > this.#limit) {
      this.#old = NOTHING;
      this.#oldWeight = 0;
    }
  }
}
