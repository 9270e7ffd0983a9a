import assert from "node:assert/strict";
import { type Chunks, Space } from "../../../core/codec/chunks.ts";
import { writeList } from "../../../core/codec/edit.ts";
import { encode } from "../../../core/codec/encode.ts";
import type { Item, Value } from "../../../core/codec/value.ts";
import { StreamoError } from "../../../core/errors.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { type Difference, diffSnapshots } from "../../../core/repo/diff.ts";
import { Draft } from "../../../core/repo/draft.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { Snapshot } from "../../../core/repo/snapshot.ts";
import { baseOf, branchOf } from "../../suites/branch_chunks.ts";
import { sharedLeaves, sharedLists, sharedPieces, tallNest } from "../../suites/fuzz/bombs.ts";
import { MemoryChunks } from "../../suites/memory_chunks.ts";
import { signerOf } from "../../suites/people.ts";
import { randomSource } from "../../suites/random.ts";
import { randomChange, randomValue } from "../../suites/random_value.ts";

/** 20 to 40 bytes of text: inside a small map, a chunk of its own under a tree. */
const text = (i: number) => `text of about twenty bytes, ${i}`;
const fifteen = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`key${i}`, text(i)]));
const range = (length: number) => Array.from({ length }, (_, i) => i);

/** Differences with their values, without getters. */
function plain(differences: readonly Difference[]) {
  return differences.map(({ path, kind, before, after }) => {
    if (kind === "added") return [kind, path, after];
    return kind === "removed" ? [kind, path, before] : [kind, path, before, after];
  });
}

/** What changes from `before` to `after` within one log. */
function diffOf(before: Value, after: Value, options?: { forgets?: boolean }) {
  const base = baseOf(before);
  const { space, item } = branchOf(base, after, options);
  return plain(diffSnapshots(space, new Snapshot(space, base.item), new Snapshot(space, item)));
}

Deno.test("a map that grows past the small form has changed in its new entry only", async () => {
  const repo = await Repo.open(new MemoryStore(), await signerOf("alice"));
  repo.set(fifteen);
  const small = repo.snapshot;
  repo.set("key15", "new");
  const tree = repo.snapshot;
  assert.deepEqual(plain(await repo.diff(small, tree)), [["added", ["key15"], "new"]]);
  assert.deepEqual(plain(await repo.diff(tree, small)), [["removed", ["key15"], "new"]]);
});

Deno.test("text that is stored again after its chunk was forgotten has not changed", async () => {
  const store = new MemoryStore();
  const signer = await signerOf("alice");
  const first = await Repo.open(store, signer);
  first.set({ long: "x".repeat(1000), n: 1 });
  await first.flush();
  // A repo that is opened again does not know where its old chunks are.
  const again = await Repo.open(store, signer);
  const before = again.snapshot;
  again.set({ long: "x".repeat(1000), n: 2 });
  assert.deepEqual(plain(await again.diff(before, again.snapshot)), [["changed", ["n"], 1, 2]]);
});

Deno.test("merging with a map that grew past the small form keeps the other's change", async () => {
  const store = new MemoryStore();
  const signer = await signerOf("alice");
  let time = 1000;
  const options = { clock: () => time };
  const phone = await Repo.open(store, signer, options);
  phone.set(fifteen);
  await phone.flush();
  const laptop = await Repo.open(store, signer, options);
  laptop.set("key3", "changed on the laptop");
  await laptop.flush();
  time = 2000; // The phone is later, and would win a conflict.
  phone.set("key15", "new on the phone");
  await phone.flush();
  assert.deepEqual(phone.get(), {
    ...fifteen,
    key3: "changed on the laptop",
    key15: "new on the phone",
  });
});

Deno.test("diff() of lists names elements that were added, removed and changed", () => {
  const list = [{ id: 1, done: false }, "a", "b", { id: 2 }, "c"];
  const cases: [Value, unknown[]][] = [
    [[...list, "d"], [["added", [5], "d"]]],
    [["x", "y", ...list], [["added", [0], "x"], ["added", [1], "y"]]],
    [list.toSpliced(1, 2), [["removed", [1], "a"], ["removed", [1], "b"]]],
    [list.with(2, "B"), [["changed", [2], "b", "B"]]],
    [list.with(0, { id: 1, done: true }), [["changed", [0, "done"], false, true]]],
    // A new element before one that changed: what agrees in half of its entries is the same one.
    [
      ["new", { id: 1, done: true }, ...list.slice(1)],
      [["added", [0], "new"], ["changed", [1, "done"], false, true]],
    ],
    [list.toSpliced(1, 2, "x", "y", "z"), [
      ...[["removed", [1], "a"], ["removed", [1], "b"]],
      ...[["added", [1], "x"], ["added", [2], "y"], ["added", [3], "z"]],
    ]],
    [[], list.map((element) => ["removed", [0], element])],
    ["a scalar", [["changed", [], list, "a scalar"]]],
  ];
  for (const [after, expected] of cases) {
    assert.deepEqual(diffOf(list, after), expected);
    assert.deepEqual(diffOf(list, after, { forgets: true }), expected);
  }
});

Deno.test("whoever applies what diff() gives in its order gets from one value to the other", () => {
  const random = randomSource();
  for (let round = 0; round < 400; round++) {
    const before = randomValue(random);
    const after = round % 10 === 0 ? randomValue(random) : randomChange(random, before);
    const base = baseOf(before);
    const { space, item } = branchOf(base, after, { forgets: round % 3 === 0 });
    const snapshots = [new Snapshot(space, base.item), new Snapshot(space, item)];
    const draft = new Draft(space, base.item);
    for (const { path, kind, after } of diffSnapshots(space, snapshots[0], snapshots[1])) {
      const index = path.at(-1);
      if (kind === "removed") draft.delete(...path);
      else if (kind === "changed" || typeof index !== "number") draft.set(...path, after);
      else draft.splice(path.slice(0, -1), index, 0, after);
    }
    assert.deepStrictEqual(draft.get(), after, random.seed);
  }
});

/** Counts the chunks that are read. */
class CountingChunks implements Chunks {
  readonly #chunks = new MemoryChunks();
  reads = 0;

  at(address: number): Uint8Array {
    this.reads++;
    return this.#chunks.at(address);
  }

  append(chunk: Uint8Array): number {
    return this.#chunks.append(chunk);
  }
}

Deno.test("diff() reads in proportion to the change, not to the size", () => {
  const size = 50_000;
  const element = (i: number) => ({ id: i, text: text(i) });
  const values = [
    Object.fromEntries(range(size).map((i) => [`key${i}`, element(i)])),
    range(size).map(element),
    range(size),
  ];
  for (const value of values) {
    const chunks = new CountingChunks();
    const space = new Space(chunks);
    const before = encode(space, value);
    const draft = new Draft(space, before);
    const places = range(10).map((i) => 1000 + 4000 * i);
    for (const i of places) {
      if (!Array.isArray(value)) draft.set(`key${i}`, "id", -1);
      else if (typeof value[i] === "object") draft.set(i, "id", -1);
      else draft.set(i, -1);
    }
    if (Array.isArray(value)) {
      draft.splice([], 30_000, 100);
      draft.splice([], 10_000, 0, "new");
    }
    const after = draft.settle();
    // A space of its own, so that nothing is cached.
    const fresh = new Space(chunks);
    chunks.reads = 0;
    const found = diffSnapshots(fresh, new Snapshot(fresh, before), new Snapshot(fresh, after));
    assert.equal(found.length, Array.isArray(value) ? 111 : 10);
    assert.ok(chunks.reads < 1000, `${chunks.reads} chunks read`);
  }
});

Deno.test("diff() of few bytes that stand for much ends at its budget", () => {
  type Pair = (space: Space) => [Item, Item];
  const cases: Pair[] = [
    (space) => [sharedLists(space, 15, 400), sharedLists(space, 15, 399)],
    (space) => [sharedLeaves(space, 64, 7), sharedLeaves(space, 63, 7)],
    (space) => [sharedLeaves(space, 64, 7), writeList(space, [1, 2])],
    (space) => [tallNest(space, 600, 53), tallNest(space, 601, 53)],
    (space) => {
      // As many zeros in two shapes: alike, and so compared.
      const bytes = [sharedPieces(space, 64, 4), sharedPieces(space, 8, 8)];
      return [writeList(space, [bytes[0], 1]), writeList(space, [bytes[1], 2, 3])];
    },
  ];
  const isBudget = (error: unknown) => error instanceof StreamoError && error.code === "budget";
  for (const make of cases) {
    const space = new Space(new MemoryChunks());
    const [before, after] = make(space).map((item) => new Snapshot(space, item));
    assert.throws(() => diffSnapshots(space, before, after, 10_000), isBudget);
  }
});

Deno.test("diff() of the deepest nest of the highest trees does not overflow the stack", () => {
  const space = new Space(new MemoryChunks());
  const [before, after] = [tallNest(space, 490, 53), tallNest(space, 489, 53)]
    .map((item) => new Snapshot(space, item));
  const isBudget = (error: unknown) => error instanceof StreamoError && error.code === "budget";
  assert.throws(() => diffSnapshots(space, before, after, 100_000), isBudget);
});
