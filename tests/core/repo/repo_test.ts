import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { StreamoError } from "../../../core/errors.ts";
import { parseKey } from "../../../core/identity/key.ts";
import type { Run } from "../../../core/log/run.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { randomSource } from "../../suites/random.ts";

const alice = await signerOf("alice");
const open = (store = new MemoryStore()) => Repo.open(store, alice, { clock: ticking() });

Deno.test("set(), get(), update() and delete() work on paths", async () => {
  const repo = await open();
  repo.set({ name: "alice", messages: [] });
  repo.set("name", "Alice");
  repo.update("score", (score) => (score as number ?? 0) + 1);
  repo.push(["messages"], { text: "hello" }, "second");
  assert.equal(repo.get("messages", 0, "text"), "hello");
  repo.delete("messages", 0);
  repo.delete("name");
  assert.deepStrictEqual(repo.get(), { messages: ["second"], score: 1 });
  assert.equal(repo.size("messages"), 1);
  assert.equal(repo.has("name"), false);
  repo.set(42);
  assert.equal(repo.get(), 42);
  repo.set(undefined);
  assert.equal(repo.get(), undefined);
  await repo.flush();
});

Deno.test("writes of one tick share a block, and a reopened repo has them all", async () => {
  const store = new MemoryStore();
  const repo = await open(store);
  for (let i = 0; i < 10; i++) repo.set(`key${i}`, i);
  const head = await repo.flush();
  assert.equal(head?.blocks, 1);
  const again = await Repo.open(store, alice.key);
  assert.deepStrictEqual(again.get(), repo.get());
  assert.equal(again.lastRecord?.seq, 9);
  assert.deepStrictEqual([...again.history()].map(({ seq }) => seq), [
    9,
    8,
    7,
    6,
    5,
    4,
    3,
    2,
    1,
    0,
  ]);
});

Deno.test("a write that changes nothing makes no record", async () => {
  const repo = await open();
  repo.set({ a: { b: "a string that is longer than what sits inside its parent, by far, yes" } });
  repo.set("a", "b", "a string that is longer than what sits inside its parent, by far, yes");
  repo.set("a", { b: "a string that is longer than what sits inside its parent, by far, yes" });
  repo.delete("nothing");
  assert.equal(repo.lastRecord?.seq, 0);
  await repo.flush();
});

Deno.test("a transaction is one record, and none if it throws", async () => {
  const repo = await open();
  repo.transaction((draft) => {
    draft.set("a", 1);
    draft.set("list", [1, 2]);
    draft.set("list", 2, 3);
    draft.update("a", (a) => (a as number) + 1);
    assert.deepStrictEqual(draft.get(), { a: 2, list: [1, 2, 3] });
    draft.delete("list", 0);
    draft.set("list", 0, "x");
    draft.set("deep", "er", "still", true);
  }, { message: "all at once" });
  assert.deepStrictEqual(repo.get(), { a: 2, list: ["x", 3], deep: { er: { still: true } } });
  assert.throws(() =>
    repo.transaction((draft) => {
      draft.set("a", 99);
      throw new Error("changed my mind");
    }), /changed my mind/);
  assert.throws(() => repo.set("a", "b", 1), /cannot set inside a: it is a scalar/);
  assert.throws(() => repo.set("list", "b", 1), /list is a list/);
  assert.throws(() => repo.set("list", 7, 1), /the list has 2 elements/);
  assert.throws(() => repo.set("a", () => 1), /cannot store a: a function/);
  assert.equal(repo.get("a"), 2);
  assert.equal(repo.lastRecord?.seq, 0);
  assert.equal(repo.lastRecord?.message, "all at once");
  await repo.flush();
});

Deno.test("paths and values follow a plain object through random changes", async () => {
  const random = randomSource();
  const store = new MemoryStore();
  let repo = await open(store);
  const model: Record<string, Record<string, unknown>> = {};
  for (let i = 0; i < 400; i++) {
    const outer = `o${random.integer(0, 30)}`;
    const inner = `i${random.integer(0, 40)}`;
    const value =
      [i, `v${i}`, { i }, [i, i], "long ".repeat(random.integer(0, 40))][random.integer(0, 4)];
    repo.transaction((draft) => {
      if (random.integer(0, 3) === 0 && model[outer] !== undefined) {
        if (random.integer(0, 3) === 0) {
          delete model[outer];
          draft.delete(outer);
        } else {
          delete model[outer][inner];
          draft.delete(outer, inner);
        }
      } else {
        (model[outer] ??= {})[inner] = value;
        draft.set(outer, inner, value);
      }
    });
    if (i % 50 === 0) {
      await repo.flush();
      repo = await Repo.open(store, alice, { clock: ticking() });
    }
    assert.deepStrictEqual(repo.get(), Object.keys(model).length ? model : repo.get(), random.seed);
  }
  await repo.flush();
});

Deno.test("events leave the state as it is and come back in order", async () => {
  const repo = await open();
  repo.set({ state: 1 });
  for (let i = 0; i < 5; i++) repo.publish({ type: "chat/text", text: `message ${i}` });
  repo.set("state", 2);
  const texts = repo.events({ last: 2 }).map(({ value }) => (value as { text: string }).text);
  assert.deepStrictEqual(texts, ["message 3", "message 4"]);
  assert.equal(repo.events({ since: new Date(repo.recordAt(3)!.time) }).length, 3);
  assert.deepStrictEqual(repo.get(), { state: 2 });
  await repo.flush();
});

Deno.test("at() finds every record by number, by time and by itself", async () => {
  const repo = await open();
  for (let i = 0; i < 300; i++) repo.set({ i });
  for (let i = 0; i < 300; i++) {
    assert.equal(repo.at(i)?.get("i"), i);
    const record = repo.recordAt(i)!;
    assert.equal(repo.at(new Date(record.time))?.get("i"), i);
    assert.equal(repo.at(record)?.get("i"), i);
  }
  assert.equal(repo.at(1000)?.get("i"), 299);
  assert.equal(repo.at(new Date(0)), undefined);
  await repo.flush();
});

Deno.test("a clock that steps back does not make time run backwards", async () => {
  const times = [5000, 6000, 1000, 7000];
  const repo = await Repo.open(new MemoryStore(), alice, { clock: () => times.shift()! });
  for (let i = 0; i < 4; i++) repo.set(i);
  assert.deepStrictEqual([...repo.history()].map(({ time }) => time), [7000, 6000, 6000, 5000]);
  await repo.flush();
});

Deno.test("diff() gives changed paths with old and new values", async () => {
  const repo = await open();
  const keys = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`k${i}`, i]));
  repo.set({ keys, same: { x: 1 }, gone: true });
  const before = repo.snapshot;
  repo.transaction((draft) => {
    draft.set("keys", "k700", "changed");
    draft.delete("keys", "k3");
    draft.set("keys", "new", [1]);
    draft.delete("gone");
  });
  const found = (await repo.diff(before, repo.snapshot)).map(({ path, kind, before, after }) => {
    return { path, kind, before, after };
  });
  assert.deepStrictEqual(found, [
    { path: ["gone"], kind: "removed", before: true, after: undefined },
    { path: ["keys", "k3"], kind: "removed", before: 3, after: undefined },
    { path: ["keys", "k700"], kind: "changed", before: 700, after: "changed" },
    { path: ["keys", "new"], kind: "added", before: undefined, after: [1] },
  ]);
  await repo.flush();
});

Deno.test("bytes are stored from a stream and read by range", async () => {
  const store = new MemoryStore();
  const repo = await open(store);
  const random = randomSource();
  const bytes = Uint8Array.from({ length: 9_000_000 }, () => random.integer(0, 255));
  await repo.putBytes(["files", "film"], new Blob([bytes]).stream());
  assert.ok(repo.head!.blocks > 100, "parts were stored on the way");
  await repo.flush();
  const again = await Repo.open(store, alice.key);
  assert.deepStrictEqual(again.stat("files", "film")?.size, bytes.length);
  const whole = await new Response(again.readBytes(["files", "film"])).bytes();
  assert.deepEqual(Buffer.compare(whole, bytes), 0);
  const part = await new Response(
    again.readBytes(["files", "film"], { start: 4_321_000, end: 4_400_001 }),
  ).bytes();
  assert.deepEqual(Buffer.compare(part, bytes.subarray(4_321_000, 4_400_001)), 0);
});

Deno.test("a repo without signer reads and refuses to write", async () => {
  const repo = await Repo.open(new MemoryStore(), alice.key);
  assert.equal(repo.get(), undefined);
  assert.throws(
    () => repo.set(1),
    (error) => error instanceof StreamoError && error.code === "read_only",
  );
  assert.throws(() => parseKey("not a key"), { code: "malformed" });
});

Deno.test("two processes over one store: the second merges what the first wrote", async () => {
  const store = new MemoryStore();
  const first = await open(store);
  const second = await open(store);
  first.set({ a: 1, shared: { x: 1 } });
  await first.flush();
  second.set("b", 2);
  second.publish("hello");
  await second.flush();
  assert.deepStrictEqual(second.get(), { a: 1, b: 2, shared: { x: 1 } });
  first.set("shared", "y", 2);
  await first.flush();
  assert.deepStrictEqual(first.get(), { a: 1, b: 2, shared: { x: 1, y: 2 } });
  assert.deepStrictEqual(first.events().map(({ value }) => value), ["hello"]);
});

Deno.test("two devices that wrote apart settle on equal heads, and lose nothing", async () => {
  const here = await open(new MemoryStore());
  const there = await open(new MemoryStore());
  here.set({ base: true, both: "base", list: [1] });
  await here.flush();
  await pass(here, there);
  here.set("here", { big: "x".repeat(100_000) });
  here.set("both", "here");
  here.publish("from here");
  there.set("there", 1);
  there.set("both", "there");
  there.publish("from there");
  await here.flush();
  await there.flush();
  assert.ok(there.head!.blocks <= here.head!.blocks);
  const shared = 1;
  const branch = await there.log.branch(shared);
  assert.equal(await branch.hold(await runOf(here, shared)), true);
  await there.trunk.replace(branch);
  await pass(there, here);
  assert.deepStrictEqual(here.head, there.head);
  assert.deepStrictEqual(here.get(), there.get());
  assert.equal(here.get("there"), 1);
  assert.equal((here.get("here", "big") as string).length, 100_000);
  assert.deepStrictEqual(here.events().map(({ value }) => value), ["from here", "from there"]);
  assert.ok(here.lastRecord!.cites, "the merge cites the head that it replaces");
});

Deno.test("receive() refuses what the head does not cover, and changes nothing", async () => {
  const author = await open();
  for (let i = 0; i < 5; i++) {
    author.set({ i });
    await author.flush();
  }
  const other = await Repo.open(new MemoryStore(), await signerOf("mallory"));
  other.set({ i: 4 });
  await other.flush();
  const good = await runOf(author, 0);
  const flip = (bytes: Uint8Array, at: number) =>
    bytes.map((byte, i) => i === at ? byte ^ 1 : byte);
  const blocks = (at: number, change: (block: Uint8Array) => Uint8Array) =>
    good.blocks.map((block, i) => i === at ? change(block) : block);
  const cases: [string, Run, string][] = [
    ["a flipped byte", { ...good, blocks: blocks(2, (block) => flip(block, 3)) }, "bad_block"],
    ["a cut block", { ...good, blocks: blocks(4, (block) => block.subarray(1)) }, "bad_block"],
    ["a missing block", { ...good, blocks: good.blocks.slice(0, 4) }, "bad_block"],
    ["blocks out of order", { ...good, blocks: good.blocks.toReversed() }, "bad_block"],
    ["a needless proof", { ...good, proof: [good.head.root] }, "bad_block"],
    ["an empty block", { ...good, blocks: blocks(1, () => new Uint8Array()) }, "too_large"],
    [
      "a forged length",
      { ...good, head: { ...good.head, bytes: good.head.bytes + 1 } },
      "bad_signature",
    ],
    [
      "a flipped root",
      { ...good, head: { ...good.head, root: flip(good.head.root, 0) } },
      "bad_signature",
    ],
    ["a flipped signature", {
      ...good,
      head: { ...good.head, signature: flip(good.head.signature, 9) },
    }, "bad_signature"],
    ["another repo's log", await runOf(other, 0), "wrong_key"],
    ["another repo's block", { ...good, blocks: blocks(4, () => other.log.at(0)) }, "bad_block"],
    ["another repo's head", { ...good, head: { ...other.head!, key: alice.key } }, "bad_signature"],
    ["blocks from the middle", { ...good, first: 1 }, "conflict"],
  ];
  for (const [name, run, code] of cases) {
    const reader = await Repo.open(new MemoryStore(), alice.key);
    await assert.rejects(reader.receive(run), { code }, name);
    assert.equal(reader.get(), undefined, name);
    assert.equal(reader.log.length, 0, name);
    await reader.receive(good);
    assert.deepStrictEqual(reader.get(), { i: 4 }, name);
  }
});

Deno.test("a long log is received in runs, each checked against the head", async () => {
  const author = await open();
  for (let i = 0; i < 37; i++) {
    author.set({ i });
    await author.flush();
  }
  const store = new MemoryStore();
  let reader = await Repo.open(store, alice.key);
  for (let from = 0; from < 37; from += 5) {
    const end = Math.min(37, from + 5);
    const { complete } = await reader.receive(await runOf(author, from, end));
    assert.equal(complete, end === 37);
    assert.equal(reader.get("i"), complete ? 36 : undefined);
    // A restart in the middle goes on from what was stored.
    reader = await Repo.open(store, alice.key);
    assert.equal(reader.log.length, end);
  }
  assert.equal(reader.get("i"), 36);
});

Deno.test("a failed append keeps the writes, and the next flush stores them", async () => {
  const store = new MemoryStore();
  const append = store.append.bind(store);
  let full = true;
  store.append = (...args) =>
    full ? Promise.reject(new StreamoError("storage", "no space left")) : append(...args);
  const repo = await open(store);
  repo.set({ kept: true });
  await assert.rejects(repo.flush(), { code: "storage" });
  repo.set("more", 1);
  full = false;
  await repo.flush();
  assert.deepStrictEqual((await Repo.open(store, alice.key)).get(), { kept: true, more: 1 });
});

async function runOf(repo: Repo, first: number, end = repo.head!.blocks): Promise<Run> {
  const head = repo.head!;
  const blocks: Uint8Array[] = [];
  for await (const { bytes } of repo.log.blocks(first, end)) blocks.push(bytes);
  return {
    head,
    first,
    blocks,
    proof: await (await repo.log.proofs()).right(first, end, head.blocks),
  };
}

async function pass(from: Repo, to: Repo): Promise<void> {
  await to.receive(await runOf(from, to.log.length));
}

Deno.test("onConflict decides, and can keep the other version at another path", async () => {
  const options = { clock: ticking() };
  const here = await Repo.open(new MemoryStore(), alice, options);
  const seen: unknown[] = [];
  const there = await Repo.open(new MemoryStore(), alice, {
    ...options,
    onConflict(conflict) {
      const { path, base, mine, theirs, mineStat } = conflict;
      seen.push({ path, base, mine, theirs, size: mineStat.size });
      conflict.also([`${path[0]}.mine`], "mine");
      return "theirs";
    },
  });
  here.set({ file: "base", other: 1 });
  await here.flush();
  await pass(here, there);
  here.set("file", "written here");
  there.set("file", "there");
  await here.flush();
  await there.flush();
  const branch = await there.log.branch(1);
  await branch.hold(await runOf(here, 1));
  await there.trunk.replace(branch);
  assert.deepStrictEqual(there.get(), { file: "written here", "file.mine": "there", other: 1 });
  assert.deepStrictEqual(seen, [
    { path: ["file"], base: "base", mine: "there", theirs: "written here", size: 5 },
  ]);
});

function ticking(): () => number {
  let now = 1_000_000;
  return () => now += 1000;
}
