/** The value store alone: no signer, no records, nothing stored. */

import { Space } from "../codec/chunks.ts";
import type { ListRange, Range } from "../codec/container.ts";
import type { Path, Step, Value } from "../codec/value.ts";
import { copyItem } from "./copy.ts";
import { Draft } from "./draft.ts";
import { HeapChunks } from "./heap_chunks.ts";
import { Snapshot } from "./snapshot.ts";

/** What unused chunks may take before they are left behind: as much again as the value, and this. */
const GARBAGE_BYTES = 2 ** 20;

/**
 * A value in memory with the same verbs as a repo: content-addressed, so unchanged parts stay `===`.
 *
 * @example
 * ```ts
 * import { Streamo } from "@streamo/streamo";
 *
 * const store = new Streamo();
 * store.set({ name: "alice", score: 42 });
 * store.set("score", 43);
 * console.assert(store.get("score") === 43);
 * ```
 */
export class Streamo {
  #chunks = new HeapChunks();
  #space = new Space(this.#chunks);
  #snapshot = new Snapshot(this.#space, undefined);
  #keepBytes = GARBAGE_BYTES;

  /** `set(value)` sets the whole value, `set(...path, value)` what is at the path. */
  set(...pathAndValue: [...Step[], unknown]): void {
    this.transaction((draft) => draft.set(...pathAndValue));
  }

  /** Sets what `change` makes of the value at the path. */
  update(...pathAndChange: [...Step[], (value: Value) => unknown]): void {
    this.transaction((draft) => draft.update(...pathAndChange));
  }

  /** Deletes the key or element at the path. */
  delete(...path: Step[]): void {
    this.transaction((draft) => draft.delete(...path));
  }

  /** Appends to the list at `path`. */
  push(path: Path, ...values: unknown[]): void {
    this.transaction((draft) => draft.push(path, ...values));
  }

  /** Inserts into the list at `path`, before the element at index `at`. */
  insert(path: Path, at: number, ...values: unknown[]): void {
    this.transaction((draft) => draft.insert(path, at, ...values));
  }

  /** In the list at `path`: removes `remove` elements from index `at` on and inserts others there. */
  splice(path: Path, at: number, remove?: number, ...values: unknown[]): void {
    this.transaction((draft) => draft.splice(path, at, remove, ...values));
  }

  /** All changes that `change` makes, or none if it throws. */
  transaction(change: (draft: Draft) => void): void {
    const draft = new Draft(this.#space, this.#snapshot.root);
    change(draft);
    this.#snapshot = new Snapshot(this.#space, draft.settle());
    if (this.#chunks.size > this.#keepBytes) this.#compact();
  }

  /** The value at the path, frozen. */
  get(...path: Step[]): Value {
    return this.#snapshot.get(...path);
  }

  /** Whether there is a value at the path. */
  has(...path: Step[]): boolean {
    return this.#snapshot.has(...path);
  }

  /** Keys of the map at `path`, in order. */
  keys(path?: Path, range?: Range): Generator<string> {
    return this.#snapshot.keys(path, range);
  }

  /** Keys and values of the map at `path`, in order. */
  entries(path?: Path, range?: Range): Generator<[string, Value]> {
    return this.#snapshot.entries(path, range);
  }

  /** Elements of the list at `path`, in order. */
  elements(path?: Path, range?: ListRange): Generator<Value> {
    return this.#snapshot.elements(path, range);
  }

  /** Entries, elements or bytes at the path. */
  size(...path: Step[]): number {
    return this.#snapshot.size(...path);
  }

  #compact(): void {
    const chunks = new HeapChunks();
    const space = new Space(chunks);
    const root = copyItem(this.#space, this.#snapshot.root, space, 0);
    this.#chunks = chunks;
    this.#space = space;
    this.#snapshot = new Snapshot(space, root);
    this.#keepBytes = 2 * chunks.size + GARBAGE_BYTES;
  }
}
