/** Few bytes that stand for much: reading them costs no more than its budget. */

import assert from "node:assert/strict";
import { Space } from "../../core/codec/chunks.ts";
import { encode } from "../../core/codec/encode.ts";
import type { Item } from "../../core/codec/value.ts";
import { StreamoError } from "../../core/errors.ts";
import { Snapshot } from "../../core/repo/snapshot.ts";
import {
  sharedKeys,
  sharedLeaves,
  sharedLists,
  sharedPieces,
  tallNest,
} from "../suites/fuzz/bombs.ts";
import { FlatChunks } from "../suites/fuzz/flat_chunks.ts";

const BUDGET = { elements: 10_000, bytes: 2 ** 20 };

/** A snapshot of what `make` writes, whose every read may look at `reads` chunks. */
function bomb(
  make: (space: Space) => Item,
): { snapshot: Snapshot; chunks: FlatChunks } {
  const chunks = new FlatChunks(new Uint8Array());
  const item = make(new Space(chunks));
  return { snapshot: new Snapshot(new Space(chunks), item), chunks };
}

const isBudget = (error: unknown) => error instanceof StreamoError && error.code === "budget";

Deno.test("15 ^ 400 elements out of 401 chunks are decoded as 401 objects", () => {
  const { snapshot, chunks } = bomb((space) => sharedLists(space, 15, 400));
  chunks.allow(5000);
  let value = snapshot.value([], BUDGET) as readonly unknown[];
  for (let depth = 0; depth < 400; depth++) {
    assert.equal(value[0], value[14]);
    value = value[0] as readonly unknown[];
  }
  assert.deepEqual(value, [7]);
});

Deno.test("a tree that holds one leaf 64 ^ 7 times runs into the budget", () => {
  const { snapshot, chunks } = bomb((space) => sharedLeaves(space, 64, 7));
  assert.equal(snapshot.size(), 16 * 64 ** 7);
  chunks.allow(5000);
  assert.throws(() => snapshot.value([], BUDGET), isBudget);
  // What does not decode it all is as cheap as in any tree.
  chunks.allow(20);
  assert.equal(snapshot.get(16 * 64 ** 7 - 1), 15);
});

Deno.test("bytes that hold one piece 64 ^ 5 times run into the budget, and are read in part", () => {
  const { snapshot, chunks } = bomb((space) => sharedPieces(space, 64, 5));
  assert.equal(snapshot.size(), 2 ** 45);
  chunks.allow(100);
  assert.throws(() => snapshot.value([], BUDGET), isBudget);
  chunks.allow(100);
  const [part] = snapshot.content([], { start: 2 ** 44, end: 2 ** 44 + 5 });
  assert.deepEqual(part, new Uint8Array(5));
});

Deno.test("the deepest nest of the highest trees is refused or read, without a stack overflow", () => {
  const { snapshot, chunks } = bomb((space) => tallNest(space, 501, 53));
  chunks.allow(501 * 60 * 4);
  assert.throws(() => snapshot.value([]), isBudget);
  const read = bomb((space) => tallNest(space, 499, 53));
  read.chunks.allow(501 * 60 * 4);
  assert.equal((read.snapshot.value([]) as unknown[]).length, 32);
});

Deno.test("keys that share nearly all of their bytes are counted whole", () => {
  const { snapshot } = bomb((space) => sharedKeys(space, "", 64, 120));
  const bytes = 64 * 120;
  assert.throws(() => snapshot.value([], { bytes: bytes - 1 }), isBudget);
  assert.equal(Object.keys(snapshot.value([]) as object).length, 64);

  const space = new Space(new FlatChunks(new Uint8Array()));
  for (let i = 0; i < 100; i++) space.node(sharedKeys(space, `${i}`, 64, 120).address);
  assert(space.cachedBytes > 100 * bytes, `${space.cachedBytes} bytes are said to be kept`);
});

Deno.test("a leaf of many long keys that share their bytes is refused, the most a writer makes is read", () => {
  const { snapshot } = bomb((space) => sharedKeys(space, "", 3, 4096));
  const isMalformed = (error: unknown) =>
    error instanceof StreamoError && error.code === "malformed";
  assert.throws(() => snapshot.value([]), isMalformed);
  const keys = ["a".repeat(4095), "a".repeat(4096), "a".repeat(8192)];
  const value = Object.fromEntries(keys.map((key) => [key, 1]));
  const most = bomb((space) => encode(space, value));
  assert.deepEqual(most.snapshot.value([]), value);
  assert.equal(most.chunks.reads, 1);
});
