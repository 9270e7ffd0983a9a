/** The value store alone: no signer, no records, nothing stored. */

import { Space } from "../codec/chunks.ts";
import { copyItem } from "./copy.ts";
import { Draft } from "./draft.ts";
import { KnownChunks } from "../log/known_chunks.ts";
import { HeapChunks } from "./heap_chunks.ts";
import { Snapshot } from "./snapshot.ts";
import { ValueStore } from "./value_store.ts";

/** What unused chunks may take before they are left behind: as much again as the value, and this. */
const GARBAGE_BYTES = 2 ** 20;

/**
 * A value in memory with the same verbs as a repo: content-addressed, so unchanged parts stay `===`.
 *
 * @example
 * ```ts
 * import { Streamo } from "@streamo/streamo/value";
 *
 * const store = new Streamo();
 * store.set({ name: "alice", score: 42 });
 * store.set("score", 43);
 * console.assert(store.get("score") === 43);
 * ```
 */
export class Streamo extends ValueStore {
  #chunks = new HeapChunks();
  #space = new Space(new KnownChunks(this.#chunks));
  #snapshot = new Snapshot(this.#space, undefined);
  #keepBytes = GARBAGE_BYTES;

  /** The newest state. */
  override get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** All changes that `change` makes, or none if it throws. */
  override transaction(change: (draft: Draft) => void): void {
    const draft = new Draft(this.#space, this.#snapshot.root);
    change(draft);
    this.#snapshot = new Snapshot(this.#space, draft.settle());
    if (this.#chunks.size > this.#keepBytes) this.#compact();
  }

  #compact(): void {
    const chunks = new HeapChunks();
    const space = new Space(new KnownChunks(chunks));
    const root = copyItem(this.#space, this.#snapshot.root, space, 0);
    this.#chunks = chunks;
    this.#space = space;
    this.#snapshot = new Snapshot(space, root);
    this.#keepBytes = 2 * chunks.size + GARBAGE_BYTES;
  }
}
