import assert from "node:assert/strict";
import { Space } from "../../../core/codec/chunks.ts";
import { encode } from "../../../core/codec/encode.ts";
import { nestingOf } from "../../../core/codec/nesting.ts";
import type { Step, Value } from "../../../core/codec/value.ts";
import { StreamoError } from "../../../core/errors.ts";
import { Draft, Stored } from "../../../core/repo/draft.ts";
import { Snapshot } from "../../../core/repo/snapshot.ts";
import { Streamo } from "../../../core/repo/streamo.ts";
import { sharedLeaves, sharedLists, tallNest } from "../../suites/fuzz/bombs.ts";
import { MemoryChunks } from "../../suites/memory_chunks.ts";
import { randomSource } from "../../suites/random.ts";

/** Containers one inside the other, `depth` of them. */
function nested(depth: number): Value {
  let value: Value = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}

const steps = (length: number): Step[] => new Array(length).fill("k");

Deno.test("push(), insert() and splice() do what they do to an array", () => {
  const random = randomSource();
  for (let round = 0; round < 30; round++) {
    const store = new Streamo();
    const model: { a: Value[]; b: { c: Value[] } } = { a: [], b: { c: [] } };
    store.set(model);
    for (let step = 0; step < 20; step++) {
      store.transaction((draft) => {
        for (let i = random.integer(0, 8); i > 0; i--) {
          const [path, list] = random.integer(0, 1) ? [["a"], model.a] : [["b", "c"], model.b.c];
          const at = random.integer(0, list.length);
          const values = Array.from(
            { length: random.integer(0, random.integer(0, 9) ? 3 : 90) },
            (_, n) => random.integer(0, 2) ? n : { n, text: "x".repeat(random.integer(0, 70)) },
          );
          const action = random.integer(0, 5);
          if (action < 2) {
            draft.push(path, ...values);
            list.push(...values);
          } else if (action === 2) {
            draft.insert(path, at, ...values);
            list.splice(at, 0, ...values);
          } else if (action === 3) {
            const remove = random.integer(0, 60);
            draft.splice(path, at, remove, ...values);
            list.splice(at, remove, ...values);
          } else if (action === 4) {
            draft.set(...path, at, "set");
            list[at] = "set";
          } else if (at < list.length) {
            draft.delete(...path, at);
            list.splice(at, 1);
          }
          if (random.integer(0, 9) === 0) assert.deepStrictEqual(draft.get(), model, random.seed);
        }
      });
      assert.deepStrictEqual(store.get(), model, random.seed);
    }
  }
});

Deno.test("what a list cannot do is refused, and changes nothing", () => {
  const store = new Streamo();
  store.set({ list: [1, 2], map: {}, text: "x" });
  const cases: [change: (draft: Draft) => void, message: RegExp][] = [
    [(draft) => draft.insert(["list"], 3, "x"), /cannot splice list at 3: it has 2 elements/],
    [(draft) => draft.splice(["list"], -1, 1), /cannot splice list at -1/],
    [(draft) => draft.splice(["list"], 0, -1), /cannot remove -1 elements of list/],
    [(draft) => draft.splice(["list"], 0, 1.5), /cannot remove 1.5 elements of list/],
    [(draft) => draft.push(["map"], 1), /cannot change elements of map: it is not a list/],
    [(draft) => draft.push(["text"], 1), /cannot change elements of text/],
    [(draft) => draft.push(["list"], 1, () => 1), /cannot store list\[3\]: a function/],
    [(draft) => draft.set("list", 3, 1), /cannot set list\[3\]: the list has 2 elements/],
  ];
  for (const [change, message] of cases) assert.throws(() => store.transaction(change), message);
  store.transaction((draft) => {
    assert.throws(() => draft.push(["new"], () => 1), /cannot store new\[0\]/);
  });
  assert.deepStrictEqual(store.get(), { list: [1, 2], map: {}, text: "x" });
});

Deno.test("a run of pushes writes the list once", () => {
  const chunks = new MemoryChunks();
  const draft = new Draft(new Space(chunks), undefined);
  const values = Array.from({ length: 10_000 }, (_, i) => i * 1000);
  for (const value of values) draft.push(["list"], value);
  assert.deepStrictEqual(draft.get("list"), values);
  draft.settle();
  assert.ok(chunks.size < 70_000, `${chunks.size} bytes`);
});

Deno.test("pushing nothing makes a list where there is none, and else changes nothing", () => {
  const store = new Streamo();
  store.push(["list"]);
  assert.deepStrictEqual(store.get(), { list: [] });
  store.push(["list"], ...Array.from({ length: 40 }, (_, i) => i));
  const before = store.get("list");
  store.push(["list"]);
  store.splice(["list"], 7);
  assert.equal(store.get("list"), before);
});

Deno.test("0 and -0 are two values", () => {
  const store = new Streamo();
  store.set({ map: { n: 0 }, list: [0] });
  store.set("map", "n", -0);
  store.set("list", 0, -0);
  assert.deepStrictEqual(store.get(), { map: { n: -0 }, list: [-0] });
});

Deno.test("values nest 500 deep wherever they come from, and no deeper", () => {
  const space = new Space(new MemoryChunks());
  const stored = (depth: number) => new Stored(space, encode(space, nested(depth)));
  const elsewhere = new Space(new MemoryChunks());
  const foreign = (depth: number) => new Stored(elsewhere, encode(elsewhere, nested(depth)));
  const cases: [path: Step[], value: (depth: number) => unknown][] = [
    [[], nested],
    [steps(200), nested],
    [steps(500), (depth) => depth === 0 ? 1 : [1]],
    [steps(499), nested],
    [steps(200), stored],
    [steps(200), foreign],
  ];
  for (const [path, make] of cases) {
    const draft = new Draft(space, undefined);
    const most = 500 - path.length;
    assert.throws(() => draft.set(...path, make(most + 1)), /nest deeper than 500/);
    draft.set(...path, make(most));
    // Read back without what is cached.
    const chunks = new Snapshot(space, draft.settle());
    assert.doesNotThrow(() => chunks.get());
  }
  const draft = new Draft(space, undefined);
  assert.throws(() => draft.set(...steps(501), 1), /nest/);
  assert.throws(() => draft.delete(...steps(100_000)), /nest/);
  assert.throws(() => draft.push(steps(500), 1), /nest deeper than 500/);
  draft.push(steps(499), 1);
  assert.doesNotThrow(() => draft.get());
});

Deno.test("elements() gives any part of a list, both ways, and reads nothing else", () => {
  const random = randomSource();
  for (const size of [0, 1, 15, 16, 300, 5000]) {
    const chunks = new MemoryChunks();
    const list = Array.from({ length: size }, (_, i) => i);
    const item = encode(new Space(chunks), list);
    for (let i = 0; i < 100; i++) {
      const maybe = (most: number) => random.integer(0, 2) ? random.integer(0, most) : undefined;
      const range = {
        ...{ start: maybe(size + 2), end: maybe(size + 2), limit: maybe(40) },
        reverse: random.integer(0, 1) === 1,
      };
      const part = list.slice(range.start ?? 0, range.end ?? size);
      const expected = (range.reverse ? part.reverse() : part).slice(0, range.limit);
      const found = [...new Snapshot(new Space(chunks), item).elements([], range)];
      assert.deepStrictEqual(found, expected, `${random.seed} ${JSON.stringify(range)}`);
    }
    let reads = 0;
    const counting = {
      at(address: number) {
        reads++;
        return chunks.at(address);
      },
      append: () => assert.fail("nothing is written"),
    };
    const snapshot = new Snapshot(new Space(counting), item);
    assert.deepStrictEqual(
      [...snapshot.elements([], { limit: 3, reverse: true })].length,
      Math.min(3, size),
    );
    assert.ok(reads <= 6, `${reads} chunks read`);
  }
});

Deno.test("what stands for more than can be read is not taken from another log", () => {
  const elsewhere = new Space(new MemoryChunks());
  const draft = new Draft(new Space(new MemoryChunks()), undefined);
  const isBudget = (error: unknown) => error instanceof StreamoError && error.code === "budget";
  assert.throws(() => nestingOf(elsewhere, sharedLeaves(elsewhere, 64, 7), 10_000), isBudget);
  const tall = new Stored(elsewhere, tallNest(elsewhere, 600, 53));
  assert.throws(() => draft.set("a", tall), isBudget);
  // Many times the same parts are as many parts as are stored.
  draft.set("a", new Stored(elsewhere, sharedLists(elsewhere, 15, 400)));
  assert.equal(draft.snapshot().size("a", 3, 14, 7), 15);
});

Deno.test("what was set and deleted again leaves the containers that were made for it", () => {
  const store = new Streamo();
  store.transaction((draft) => {
    draft.push(["a", "b"], 1);
    draft.delete("a", "b");
  });
  assert.deepEqual(store.get(), { a: {} });
});
