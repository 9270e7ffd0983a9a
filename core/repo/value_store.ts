/** The verbs that a repo and a value in memory have in common. */

import type { ListRange, Range } from "../codec/container.ts";
import type { Path, Step, Value } from "../codec/value.ts";
import type { Draft } from "./draft.ts";
import type { Snapshot, Stat } from "./snapshot.ts";

/**
 * Holds a value: what reads, reads its newest state; what writes is one transaction. A base class and not
 * one more object in between, so that `repo.get()` is one look-up away from the value.
 */
export abstract class ValueStore {
  /** The newest state, which does not change any more. */
  abstract readonly snapshot: Snapshot;

  /** All changes that `change` makes, or none if it throws. */
  abstract transaction(change: (draft: Draft) => void): void;

  /** The value at the path, decoded and frozen. */
  get(...path: Step[]): Value {
    return this.snapshot.get(...path);
  }

  /** Whether there is a value at the path. */
  has(...path: Step[]): boolean {
    return this.snapshot.has(...path);
  }

  /** Keys of the map at `path`, in order. */
  keys(path?: Path, range?: Range): Generator<string> {
    return this.snapshot.keys(path, range);
  }

  /** Keys and values of the map at `path`, in order. */
  entries(path?: Path, range?: Range): Generator<[string, Value]> {
    return this.snapshot.entries(path, range);
  }

  /** Elements of the list at `path`, in order. */
  elements(path?: Path, range?: ListRange): Generator<Value> {
    return this.snapshot.elements(path, range);
  }

  /** Entries, elements or bytes at the path. */
  size(...path: Step[]): number {
    return this.snapshot.size(...path);
  }

  /** What stands at the path, without its content. */
  stat(...path: Step[]): Stat | undefined {
    return this.snapshot.stat(...path);
  }

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
}
