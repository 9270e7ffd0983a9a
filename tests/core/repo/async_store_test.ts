import assert from "node:assert/strict";
import { MissingBlock } from "../../../core/codec/chunks.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";
import { AsyncStore } from "../../suites/stores.ts";

const alice = await signerOf("alice");
/** Smaller than two blocks: what was just read is soon forgotten. */
const cacheBytes = 1000;

/** A repo with `count` keys, each written under its own head. */
async function filled(store: MemoryStore, count: number): Promise<Repo> {
  const repo = await Repo.open(store, alice);
  for (let i = 0; i < count; i++) {
    repo.set(`k${i}`, { text: `value ${i} `.repeat(20) });
    repo.publish({ i });
    await repo.flush();
  }
  return repo;
}

Deno.test("a repo over a store without synchronous reads opens, and reads what it fetches", async () => {
  const memory = new MemoryStore();
  const author = await filled(memory, 50);
  const store = new AsyncStore(memory);
  const repo = await Repo.open(store, alice.key, { cacheBytes });
  assert.ok(store.reads < 10, `opening read ${store.reads} blocks`);
  assert.throws(() => repo.get("k3", "text"), (error) => error instanceof MissingBlock);
  assert.equal(await repo.load("k3", "text"), "value 3 ".repeat(20));
  assert.deepStrictEqual(await repo.read(() => [...repo.keys()]), [...author.keys()]);
  const events = await repo.read(() => repo.events({ last: 3 }).map(({ value }) => value));
  assert.deepStrictEqual(events, [{ i: 47 }, { i: 48 }, { i: 49 }]);
  assert.equal(await repo.read(() => repo.at(5)?.size()), 3);
  await assert.rejects(repo.read(() => repo.snapshot.content(["k3"])), TypeError);
});

Deno.test("writes after load() keep what is not at hand", async () => {
  const memory = new MemoryStore();
  await filled(memory, 50);
  const repo = await Repo.open(new AsyncStore(memory), alice, { cacheBytes });
  await repo.read(() => repo.set("k7", "text", "changed"));
  await repo.read(() => repo.delete("k8"));
  await repo.read(() => repo.push(["list"], 1, 2));
  await repo.flush();
  assert.equal([...await repo.read(() => [...repo.history()])].length, 103);
  const again = await Repo.open(memory, alice.key);
  assert.equal(again.get("k7", "text"), "changed");
  assert.equal(again.get("k49", "text"), "value 49 ".repeat(20));
  assert.deepStrictEqual(again.get("list"), [1, 2]);
  assert.equal(again.size(), 50);
});

Deno.test("a merge fetches what it needs, and appends every event once", async () => {
  const base = new MemoryStore();
  await filled(base, 30);
  const copy = new MemoryStore();
  const there = await Repo.open(copy, alice);
  await there.receive(await runOf(await Repo.open(base, alice.key), 0));
  const here = await Repo.open(new AsyncStore(base), alice, { cacheBytes });
  await here.read(() => here.set("k1", "text", "here"));
  await here.read(() => here.publish("from here"));
  await here.flush();
  for (let i = 0; i < 5; i++) {
    there.set("k2", "text", `there ${i}`);
    there.publish(`from there ${i}`);
    await there.flush();
  }
  const branch = await here.log.branch(30);
  await branch.hold(await runOf(there, 30));
  await here.read(() => here.set("k3", "text", "not sealed yet"));
  await here.trunk.replace(branch);
  const value = async (...path: string[]) => await here.load(...path);
  assert.equal(await value("k1", "text"), "here");
  assert.equal(await value("k2", "text"), "there 4");
  assert.equal(await value("k3", "text"), "not sealed yet");
  const events = await here.read(() => here.events().slice(30).map(({ value }) => value));
  assert.deepStrictEqual(events, [
    ...Array.from({ length: 5 }, (_, i) => `from there ${i}`),
    "from here",
  ]);
});

Deno.test("a write while a received record is fetched is merged, whenever it comes", async () => {
  // The write comes after so many turns of the event loop: somewhere in the middle of receive().
  for (let turns = 0; turns < 8; turns++) {
    const author = await filled(new MemoryStore(), 9);
    const store = new AsyncStore();
    const repo = await Repo.open(store, alice, { cacheBytes: 1 });
    await repo.receive(await runOf(author, 0));
    author.set("late", true);
    author.publish("late");
    await author.flush();
    const receiving = repo.receive(await runOf(author, 9));
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve));
    await repo.read(() => repo.set("mine", turns));
    await receiving;
    await repo.flush();
    assert.equal(await repo.load("mine"), turns);
    assert.equal(await repo.load("late"), true, `${turns} turns`);
    assert.equal((await repo.read(() => repo.events())).length, 10);
    assert.equal(await repo.read(() => repo.size()), 11);
  }
});

Deno.test("a stream of bytes is stored and read where nothing is at hand", async () => {
  const memory = new MemoryStore();
  const repo = await Repo.open(new AsyncStore(memory), alice, { cacheBytes });
  const bytes = new Uint8Array(700_000).map((_, i) => i * i >> 8);
  await repo.putBytes(["file"], new Blob([bytes]).stream());
  await repo.flush();
  const again = await Repo.open(new AsyncStore(memory), alice.key, { cacheBytes });
  const part = await new Response(again.readBytes(["file"], { start: 99_999, end: 500_001 }))
    .bytes();
  assert.equal(part.length, 400_002);
  assert.ok(part.every((byte, i) => byte === bytes[99_999 + i]));
});
