/** What holds of drafts and of `Streamo`: they do what is done to plain values. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { Space } from "../../../core/codec/chunks.ts";
import { encode } from "../../../core/codec/encode.ts";
import { type Item, Ref, type Value } from "../../../core/codec/value.ts";
import { Draft } from "../../../core/repo/draft.ts";
import { Snapshot } from "../../../core/repo/snapshot.ts";
import { Streamo } from "../../../core/repo/streamo.ts";
import { MemoryChunks } from "../memory_chunks.ts";
import { paths } from "./arbitraries.ts";
import type { Check } from "./check.ts";
import { isMap, modelGet, NOTHING, type Place } from "./model.ts";
import {
  apply,
  applyVerb,
  modelApply,
  type Operation,
  operations,
  wideOperations,
  wideStart,
} from "./operations.ts";

const many = fc.array(operations, { maxLength: 12, size: "max" });
const manyWide = fc.array(wideOperations, { maxLength: 12, size: "max" });

/** The properties of changing a value. */
export function valueProperties(check: Check): void {
  check(
    "a draft does what is done to plain values, at the address of what was written at once",
    300,
    fc.property(fc.array(many, { maxLength: 6 }), (all) => transactions(undefined, all)),
  );
  check(
    "wide maps and lists have the same address in whatever order they are edited",
    100,
    fc.property(wideStart, fc.array(manyWide, { maxLength: 6 }), transactions),
  );
  check("Streamo does what is done to plain values", 200, fc.property(many, streamo));
  check("reads of a snapshot see what plain values hold", 300, fc.property(many, paths, reads));
}

/** Each list of operations is one transaction. */
function transactions(start: Value, all: readonly (readonly Operation[])[]): void {
  const chunks = new MemoryChunks();
  const space = new Space(chunks);
  let root = encode(space, start);
  let model = start;
  for (const operationsOfAll of all) {
    const list = withoutIdleDeletes(model, operationsOfAll);
    const expected = modelAll(model, list);
    const found = outcome(() => {
      const draft = new Draft(space, root);
      for (const operation of list) apply(draft, operation);
      return draft.settle();
    });
    if (expected instanceof Error) {
      // What is wrong in the middle may be replaced by the end of a transaction: then it is not seen.
      if (found instanceof Error) continue;
      root = found;
      model = new Snapshot(space, root).get();
      continue;
    }
    if (found instanceof Error) throw found;
    root = found;
    model = expected.value;
    // A new space: nothing is read from a cache.
    assert.deepStrictEqual(new Snapshot(new Space(chunks), root).get(), model);
    assert.deepStrictEqual(addressOf(root), addressOf(encode(space, model)));
  }
}

/**
 * Without deletes of what is not there: a draft takes their paths as a claim of what a place is, and
 * refuses a later step of the other kind, where plain values have forgotten the delete.
 */
function withoutIdleDeletes(value: Value, list: readonly Operation[]): Operation[] {
  const kept: Operation[] = [];
  let place: Place = value;
  for (const operation of list) {
    if (operation.type === "delete" && modelGet(place, operation.path) === NOTHING) continue;
    kept.push(operation);
    const before: Place = place;
    const after: Place | Error = outcome<Place>(() => modelApply(before, operation));
    if (!(after instanceof Error)) place = after;
  }
  return kept;
}

function streamo(list: readonly Operation[]): void {
  const store = new Streamo();
  let model: Value = undefined;
  for (const operation of list) {
    const expected = modelAll(model, [operation]);
    const found = outcome(() => {
      if (operation.type === "splice" || operation.type === "push") {
        return store.transaction((draft) => apply(draft, operation));
      }
      applyVerb(store, operation);
    });
    sameOutcome(found, expected);
    if (!(expected instanceof Error)) model = expected.value;
    assert.deepStrictEqual(store.get(), model);
  }
}

function reads(list: readonly Operation[], path: readonly (string | number)[]): void {
  const space = new Space(new MemoryChunks());
  const expected = modelAll(undefined, list);
  if (expected instanceof Error) return;
  const snapshot = new Snapshot(space, encode(space, expected.value));
  for (let length = 0; length <= path.length; length++) {
    const start = path.slice(0, length);
    const place = modelGet(expected.value, start);
    assert.equal(snapshot.has(...start), place !== NOTHING);
    assert.deepStrictEqual(snapshot.get(...start), place === NOTHING ? undefined : place);
    if (isMap(place)) {
      const entries = [...snapshot.entries(start)];
      assert.deepStrictEqual([...snapshot.keys(start)], entries.map(([key]) => key));
      assert.deepStrictEqual(Object.fromEntries(entries), place);
      assert.equal(snapshot.size(...start), entries.length);
    }
    if (Array.isArray(place)) {
      assert.equal(snapshot.size(...start), place.length);
      assert.deepStrictEqual(
        [...snapshot.elements(start, { start: 3, end: 30 })],
        place.slice(3, 30),
      );
    }
  }
}

/** `value` after all of `list`; the error of the first that cannot be done. */
export function modelAll(
  value: Value,
  list: readonly Operation[],
): { readonly value: Value } | Error {
  const after = outcome(() => list.reduce<Place>(modelApply, value));
  if (after instanceof Error) return after;
  return { value: after === NOTHING ? undefined : after };
}

/** What `work` gives or throws, if that is an error of misuse. */
export function outcome<T>(work: () => T): T | TypeError | RangeError {
  try {
    return work();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return error;
    throw error;
  }
}

/** Either both are errors of one class or neither is. */
export function sameOutcome(found: unknown, expected: unknown): void {
  const name = (thing: unknown) => thing instanceof Error ? thing.name : "done";
  if (name(found) === name(expected)) return;
  throw new assert.AssertionError({
    message: `${found} and not ${expected}`,
    actual: name(found),
    expected: name(expected),
  });
}

function addressOf(item: Item): unknown {
  return item instanceof Ref ? item.address : item;
}
