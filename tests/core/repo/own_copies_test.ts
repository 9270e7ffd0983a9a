/** Bytes and dates cannot be frozen: whoever changes those that came in or went out changes no log. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Repo } from "../../../core/repo/repo.ts";
import { Streamo } from "../../../core/repo/streamo.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Value } from "../../../core/codec/value.ts";
import { signerOf } from "../../suites/people.ts";

/** Each kind of place that bytes and dates can have: inside a small container, a tree, a chunk. */
const fresh = () => ({
  bytes: Uint8Array.of(1, 2, 3),
  buffer: new Uint8Array(Buffer.from([4, 5])),
  date: new Date(5),
  chunk: new Uint8Array(100),
  small: [Uint8Array.of(7), new Date(7)],
  list: Array.from({ length: 40 }, (_, i) => i % 2 === 0 ? Uint8Array.of(i) : new Date(i)),
});

/** Overwrites all bytes and dates in `value`. */
function spoil(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(99);
  else if (value instanceof Date) value.setTime(99);
  else if (typeof value === "object" && value !== null) Object.values(value).forEach(spoil);
}

/** Reads `repo` in every way, and spoils what it gets. */
function spoilAll(repo: Repo): void {
  for (const key of repo.keys()) spoil(repo.get(key));
  for (const [, value] of repo.entries()) spoil(value);
  for (let i = 0; i < 40; i++) spoil(repo.get("list", i));
  for (const element of repo.elements(["list"])) spoil(element);
  for (const key of ["bytes", "chunk"]) {
    for (const part of repo.snapshot.content([key])) spoil(part);
  }
  for (const { record, value } of repo.events()) spoil([value, record.event, record.root]);
  spoil([repo.lastRecord!.event, repo.lastRecord!.root, repo.snapshot.root]);
  spoil(repo.get());
}

Deno.test("who changes bytes and dates that were read changes no log", async () => {
  const store = new MemoryStore();
  const signer = await signerOf("alice");
  const first = await Repo.open(store, signer);
  first.set({ ...fresh(), x: 1 });
  first.publish(Uint8Array.of(1, 2, 3));
  await first.flush();

  const repo = await Repo.open(store, signer);
  spoilAll(repo);
  repo.set("x", 2);
  repo.set("list", 0, "zero");
  repo.set("small", 0, "zero");
  await repo.flush();
  const again = await Repo.open(store, signer.key);
  const expected: { [key: string]: Value } = { ...fresh(), x: 2 };
  for (const key of ["list", "small"]) {
    expected[key] = ["zero", ...(expected[key] as Value[]).slice(1)];
  }
  assert.deepEqual(again.get(), expected);
  assert.deepEqual(again.events().map(({ value }) => value), [Uint8Array.of(1, 2, 3)]);
});

Deno.test("who changes bytes and dates after they were written changes no log", async () => {
  const store = new MemoryStore();
  const signer = await signerOf("alice");
  const repo = await Repo.open(store, signer);
  const written = fresh();
  repo.set(written);
  spoil(written);
  const pushed = Uint8Array.of(40);
  const published = new Date(1000);
  repo.transaction((draft) => {
    draft.push(["list"], pushed);
    spoil(pushed);
  });
  repo.publish(published);
  spoil(published);
  await repo.flush();
  const again = await Repo.open(store, signer.key);
  const { list } = fresh();
  assert.deepEqual(again.get(), { ...fresh(), list: [...list, Uint8Array.of(40)] });
  assert.deepEqual(again.events()[0].value, new Date(1000));
});

Deno.test("a value that is nothing but bytes stays what was set, whatever is written after it", async () => {
  const store = new MemoryStore();
  const signer = await signerOf("alice");
  const repo = await Repo.open(store, signer);
  // A view: `slice()` of a Buffer gives another view of the same bytes.
  const buffer = Buffer.from([1, 2, 3]);
  repo.set(buffer);
  spoil(buffer);
  spoil(repo.get());
  repo.publish(new Date(1), { cites: Uint8Array.of(4) });
  const { root, event, citesItem } = repo.lastRecord!;
  spoil([root, event, citesItem]);
  const { root: state, event: published, cites } = repo.lastRecord!;
  assert.deepEqual([state, published, cites], [
    Uint8Array.of(1, 2, 3),
    new Date(1),
    Uint8Array.of(4),
  ]);
  await repo.flush();
  const again = await Repo.open(store, signer.key);
  assert.deepEqual(again.get(), Uint8Array.of(1, 2, 3));

  const streamo = new Streamo();
  streamo.set("at", new Date(1));
  spoil(streamo.get("at"));
  streamo.set("other", 1);
  assert.deepEqual(streamo.get(), { at: new Date(1), other: 1 });
});
