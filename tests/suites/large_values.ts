/** A map and a list of any size in one repo: every verb, and what each may cost. */

import assert from "node:assert/strict";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Draft } from "../../core/repo/draft.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "./people.ts";

/** Bytes that one change of one entry may add to the log: a path of nodes and a record. */
const CHANGE_BYTES = 2500;
const CHANGES = 200;

/** Builds both with `size` entries, changes and compares them, and reads them back. */
export async function largeValues(size: number): Promise<void> {
  const store = new MemoryStore();
  const repo = await Repo.open(store, await signerOf("alice"));
  repo.transaction((draft) => {
    for (let i = 0; i < size; i++) draft.push(["list"], i);
    for (let i = 0; i < size; i++) draft.set("map", `key${i}`, i);
  });
  await repo.flush();
  assert.equal(repo.size("map"), size);
  assert.equal(repo.size("list"), size);
  await changeEach(repo, size);
  await compare(repo, size);
  await repo.flush();
  await readBack(await Repo.open(store, repo.key), size);
}

/** Changes all over, each a record: no change costs more than its path. */
async function changeEach(repo: Repo, size: number): Promise<void> {
  const place = (i: number) => (i * 7919 + 13) % size;
  const verbs: ((i: number) => void)[] = [
    (i) => repo.set("map", `key${place(i)}`, -1),
    (i) => repo.delete("map", `key${place(i)}`),
    (i) => repo.set("map", `new${place(i)}`, i),
    (i) => repo.delete("map", `new${place(i)}`),
    (i) => repo.set("list", place(i), -1),
    (i) => repo.insert(["list"], place(i), "new"),
    (i) => repo.delete("list", place(CHANGES - 1 - i)),
    (i) => repo.push(["list"], `pushed ${i}`),
    () => repo.splice(["list"], size, 1),
  ];
  for (const [n, verb] of verbs.entries()) {
    const before = (await repo.flush())!.bytes;
    for (let i = 0; i < CHANGES; i++) verb(i);
    const bytes = (await repo.flush())!.bytes - before;
    assert.ok(bytes < CHANGES * CHANGE_BYTES, `verb ${n}: ${bytes / CHANGES} bytes a change`);
  }
  assert.equal(repo.size("map"), size - CHANGES);
  assert.equal(repo.size("list"), size);
}

/** Differences of ten entries are ten, wherever they are. */
async function compare(repo: Repo, size: number): Promise<void> {
  const ten = Array.from({ length: 10 }, (_, i) => Math.floor(size / 11) * (i + 1));
  const differences = async (change: (draft: Draft) => void) => {
    const before = repo.snapshot;
    repo.transaction(change);
    const found = await repo.diff(before, repo.snapshot);
    return found.map(({ path, kind, after }) => [kind, path[1], after]);
  };
  const found = await differences((draft) => {
    for (const i of ten) draft.set("map", `new ${i}`, "x");
    for (const i of ten) draft.set("list", i, "x");
  });
  const expected = [
    ...ten.map((i) => ["changed", i, "x"]),
    ...ten.map((i) => ["added", `new ${i}`, "x"]).sort(),
  ];
  assert.deepEqual(found, expected);
  assert.deepEqual(
    await differences((draft) => draft.insert(["list"], ten[0], "y")),
    [["added", ten[0], "y"]],
  );
  const removed = await differences((draft) => draft.splice(["list"], ten[5], 10));
  assert.equal(removed.length, 10);
}

async function readBack(repo: Repo, size: number): Promise<void> {
  const map = await repo.load("map") as Record<string, unknown>;
  const list = await repo.load("list") as unknown[];
  assert.equal(Object.keys(map).length, repo.size("map"));
  assert.equal(list.length, size - 9);
  let at = 0;
  for (const element of repo.elements(["list"])) {
    if (element !== list[at++]) assert.fail(`element ${at - 1} is ${element}`);
  }
  assert.equal(at, list.length);
  const last = [...repo.elements(["list"], { limit: 100, reverse: true })];
  assert.deepEqual(last, list.slice(-100).reverse());
  const keys = [...repo.keys(["map"], { prefix: "key12" })];
  assert.deepEqual(keys, Object.keys(map).filter((key) => key.startsWith("key12")));
}
