import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import { Log } from "../../../core/log/log.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Store } from "../../../core/log/store.ts";
import { Branch } from "../../../core/repo/branch.ts";
import { writeRecord } from "../../../core/repo/write_record.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { randomSource } from "../../suites/random.ts";
import { runOf } from "../../suites/runs.ts";
import { AsyncStore, GatedStore } from "../../suites/stores.ts";
import { testCrypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const open = (store: Store = new MemoryStore()) => Repo.open(store, alice);

function valuesOf(repo: Repo): unknown[] {
  return repo.events().map(({ value }) => value);
}

for (const kind of ["memory", "async"]) {
  Deno.test(`four repos race on one ${kind} store for 50 rounds and lose nothing`, async () => {
    const random = randomSource();
    const memory = new MemoryStore();
    const store = kind === "memory" ? memory : new AsyncStore(memory);
    // More than two: a merge is overtaken as well.
    const repos = [await open(store), await open(store), await open(store), await open(store)];
    for (let round = 0; round < 50; round++) {
      await Promise.all(repos.map(async (repo, i) => {
        if (random.integer(0, 2) === 0) return;
        await repo.read(() => repo.set(`repo${i}`, `round${round}`, round));
        await repo.read(() => repo.publish([i, round]));
        if (random.integer(0, 1) === 0) await repo.flush();
      }));
    }
    for (const repo of [...repos, ...repos]) await repo.flush();
    const end = await Repo.open(memory, alice.key);
    const events = valuesOf(end) as [number, number][];
    for (let i = 0; i < repos.length; i++) {
      const rounds = events.filter(([from]) => from === i).map(([, round]) => round);
      assert.deepStrictEqual(rounds, [...new Set(rounds)].sort((a, b) => a - b), random.seed);
      const written = Object.values(end.get(`repo${i}`) as Record<string, number>);
      assert.deepStrictEqual(written.sort((a, b) => a - b), rounds, random.seed);
    }
  });
}

Deno.test("an upload, writes and received blocks at once all arrive", async () => {
  const random = randomSource();
  const repo = await open();
  const bytes = new Uint8Array(6_000_000).map(() => random.integer(0, 255));
  const peer = await open();
  let sent = 0;
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(bytes.slice(sent, sent += 500_000));
      repo.set("writes", `w${sent}`, sent);
      peer.set("peer", `p${sent}`, sent);
      if (sent === 1_500_000) {
        await peer.flush();
        await repo.receive(await runOf(peer, 0)).catch((error) => {
          // Blocks that were stored first make it a fork, which is not settled here.
          assert.match(error.code, /^(conflict|stale)$/);
        });
      }
      if (sent >= bytes.length) controller.close();
    },
  });
  await repo.putBytes(["file"], source);
  await repo.flush();
  const again = await Repo.open(new MemoryStore(), alice.key);
  await again.receive(await runOf(repo, 0));
  const found = await new Response(again.readBytes(["file"])).bytes();
  assert.ok(found.length === bytes.length && found.every((byte, i) => byte === bytes[i]));
  assert.equal(again.size("writes"), 12, random.seed);
});

Deno.test("an upload goes on when another device's log takes this one's place", async () => {
  const here = await open();
  const there = await open();
  here.set("here", 1);
  await here.flush();
  there.set("there", 1);
  await there.flush();
  there.set("there", 2);
  await there.flush();
  const bytes = new Uint8Array(1_000_000).map((_, i) => i * i >> 7);
  let sent = 0;
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(bytes.slice(sent, sent += 100_000));
      if (sent === 500_000) {
        const branch = await here.log.branch(0);
        await branch.hold(await runOf(there, 0));
        await here.trunk.replace(branch);
      }
      if (sent >= bytes.length) controller.close();
    },
  });
  await here.putBytes(["file"], source);
  await here.flush();
  assert.deepStrictEqual([here.get("here"), here.get("there")], [1, 2]);
  const found = await new Response(here.readBytes(["file"])).bytes();
  assert.ok(found.length === bytes.length && found.every((byte, i) => byte === bytes[i]));
});

Deno.test("a write from any listener while blocks are received is neither lost nor loses them", async () => {
  for (const name of ["advance", "change"] as const) {
    const author = await open();
    author.set("theirs", 1);
    await author.flush();
    const store = new MemoryStore();
    const repo = await open(store);
    const stop = repo.on(name, () => {
      stop();
      repo.set("mine", 1);
      repo.publish(name);
    });
    await repo.receive(await runOf(author, 0));
    await repo.flush();
    assert.deepStrictEqual(repo.get(), { mine: 1, theirs: 1 }, name);
    assert.deepStrictEqual(valuesOf(repo), [name]);
    assert.deepStrictEqual((await open(store)).get(), repo.get());
  }
});

Deno.test("writes while a download is in progress are stored at once, and it can be taken in later", async () => {
  const author = await open();
  for (let i = 0; i < 6; i++) {
    author.set(`k${i}`, i);
    await author.flush();
  }
  const store = new MemoryStore();
  const first = await open(store);
  await first.receive(await runOf(author, 0, 4));
  const repo = await open(store);
  repo.set("offline", true);
  await repo.flush();
  assert.deepStrictEqual((await open(store)).get(), { offline: true });
  const branch = await repo.log.branch(0);
  await branch.hold(await runOf(author, 0));
  await repo.trunk.replace(branch);
  assert.equal(repo.size(), 7);
});

Deno.test("a fork that was fetched while this device wrote on takes in all it wrote, once", async () => {
  const here = await open();
  const there = await open();
  here.publish("here 1");
  await here.flush();
  there.publish("there 1");
  await there.flush();
  const branch = await here.log.branch(0);
  await branch.hold(await runOf(there, 0));
  here.publish("here 2");
  await here.flush();
  here.publish("here 3");
  await here.trunk.replace(branch);
  assert.deepStrictEqual(valuesOf(here), ["there 1", "here 1", "here 2", "here 3"]);
  await there.receive(await runOf(here, 1));
  assert.deepStrictEqual(there.head, here.head);
});

Deno.test("replace() refuses a branch of a past that is gone, and a reader one that loses", async () => {
  const [a, b, c] = [await open(), await open(), await open()];
  for (const [i, repo] of [a, b, c].entries()) {
    for (let n = 0; n <= i; n++) {
      repo.set({ i, n });
      await repo.flush();
    }
  }
  const reader = await Repo.open(new MemoryStore(), alice.key);
  await reader.receive(await runOf(b, 0));
  const loser = await reader.log.branch(0);
  await loser.hold(await runOf(a, 0));
  await assert.rejects(reader.trunk.replace(loser), { code: "stale" });
  assert.deepStrictEqual(reader.head, b.head);
  assert.deepStrictEqual(reader.get(), { i: 1, n: 1 });
  const late = await reader.log.branch(1);
  const winner = await reader.log.branch(0);
  await winner.hold(await runOf(c, 0));
  const news: unknown[] = [];
  reader.on("advance", ({ from, head }) => news.push(from, head.blocks));
  await reader.trunk.replace(winner);
  assert.deepStrictEqual(news, [0, 3]);
  assert.deepStrictEqual(reader.get(), { i: 2, n: 2 });
  await assert.rejects(reader.trunk.replace(late), { code: "conflict" });
  assert.deepStrictEqual(reader.get(), { i: 2, n: 2 });
});

Deno.test("a reader that cannot store a winning branch keeps its own", async () => {
  const store = new GatedStore();
  const author = await open();
  author.set("long", "x".repeat(1000));
  await author.flush();
  const other = await open();
  for (let i = 0; i < 2; i++) {
    other.set({ i });
    await other.flush();
  }
  const reader = await Repo.open(store, alice.key, { cacheBytes: 1 });
  await reader.receive(await runOf(author, 0));
  const branch = await reader.log.branch(0);
  await branch.hold(await runOf(other, 0));
  store.gate = () => Promise.reject(new StreamoError("storage", "no space left"));
  await assert.rejects(reader.trunk.replace(branch), { code: "storage" });
  assert.equal(reader.get("long"), "x".repeat(1000));
  assert.deepStrictEqual(reader.head, author.head);
});

Deno.test("a snapshot from before a branch was replaced never shows the other's bytes", async () => {
  const author = await open();
  const other = await open();
  for (let i = 0; i < 5; i++) {
    author.set(`k${i}`, `a${i}`.repeat(25_000));
    await author.flush();
    other.set(`k${i}`, `b${i}`.repeat(25_000));
    await other.flush();
  }
  other.set("more", 1);
  await other.flush();
  const reader = await Repo.open(new MemoryStore(), alice.key, { cacheBytes: 1 });
  await reader.receive(await runOf(author, 0));
  const before = reader.snapshot;
  const branch = await reader.log.branch(0);
  await branch.hold(await runOf(other, 0));
  await reader.trunk.replace(branch);
  assert.equal(reader.get("k0"), "b0".repeat(25_000));
  let missing = 0;
  for (let i = 0; i < 5; i++) {
    const value = await reader.read(() => before.get(`k${i}`)).catch((error) => {
      assert.equal(error.code, "missing_block");
      missing++;
    });
    assert.ok(value === undefined || value === `a${i}`.repeat(25_000));
  }
  assert.ok(missing > 0, "the store does not hold them any more");
});

for (const answers of [true, false]) {
  const what = answers
    ? "is found in the store"
    : "repeats no event when the store cannot be asked";
  Deno.test(`an append whose answer is lost ${what}`, async () => {
    const store = new GatedStore();
    const repo = await open(store);
    repo.publish("one");
    await repo.flush();
    const { head } = store;
    store.gate = async (append) => {
      store.gate = (next) => next();
      await append();
      if (!answers) store.head = () => Promise.reject(new StreamoError("storage", "no answer"));
      throw new StreamoError("storage", "the answer was lost");
    };
    repo.publish("two");
    if (answers) assert.equal((await repo.flush())?.blocks, 2);
    else await assert.rejects(repo.flush(), { code: "storage" });
    store.head = head;
    repo.publish("three");
    await repo.flush();
    assert.deepStrictEqual(valuesOf(repo), ["one", "two", "three"]);
    assert.deepStrictEqual(valuesOf(await open(store)), ["one", "two", "three"]);
  });
}

Deno.test("events come in order: the record, then its durability; received: durable, then the record", async () => {
  const store = new MemoryStore();
  const repo = await open(store);
  const told: string[] = [];
  repo.on(
    "change",
    ({ record, isLocal }) => told.push(`${isLocal ? "wrote" : "got"} ${record.seq}`),
  );
  repo.on("advance", ({ head, from }) => told.push(`advance ${from}-${head.blocks}`));
  repo.set({ a: 1 });
  repo.set("a", 2);
  await repo.flush();
  assert.deepStrictEqual(told.splice(0), ["wrote 0", "wrote 1", "advance 0-1"]);
  const author = await open();
  await author.receive(await runOf(repo, 0));
  author.set("b", 1);
  await author.flush();
  await repo.receive(await runOf(author, 1));
  assert.deepStrictEqual(told.splice(0), ["advance 1-2", "got 2"]);
});

Deno.test("a listener that throws reaches neither the writer nor the peer, and is not silent", async () => {
  const store = new MemoryStore();
  const repo = await open(store);
  const errors: unknown[] = [];
  const heard: string[] = [];
  repo.on("error", (error) => errors.push((error as Error).message));
  for (const name of ["change", "advance"] as const) {
    repo.on(name, () => {
      throw new Error(`${name} listener`);
    });
    repo.on(name, () => heard.push(name));
  }
  repo.set({ a: 1 });
  await repo.flush();
  assert.deepStrictEqual(heard.splice(0), ["change", "advance"]);
  assert.deepStrictEqual(errors.splice(0), ["change listener", "advance listener"]);
  const author = await open();
  await author.receive(await runOf(repo, 0));
  author.set("b", 2);
  await author.flush();
  assert.ok((await repo.receive(await runOf(author, 1))).complete);
  assert.deepStrictEqual(heard, ["advance", "change"]);
  assert.equal(errors.length, 2);
  assert.deepStrictEqual(repo.get(), { a: 1, b: 2 });
  repo.set("c", 3);
  await repo.flush();
  const again = await open(store);
  assert.deepStrictEqual(again.get(), { a: 1, b: 2, c: 3 });
  assert.equal(again.lastRecord!.seq, 2);
});

Deno.test("a listener that reads what is not at hand does not make a write happen twice", async () => {
  const memory = new MemoryStore();
  const author = await open(memory);
  for (let i = 0; i < 20; i++) {
    author.set(`k${i}`, "x".repeat(500));
    await author.flush();
  }
  const repo = await Repo.open(new AsyncStore(memory), alice, { cacheBytes: 1 });
  const errors: unknown[] = [];
  repo.on("error", (error) => errors.push((error as StreamoError).code));
  repo.on("change", () => void repo.get("k3"));
  await repo.read(() => repo.set("new", 1));
  await repo.flush();
  assert.deepStrictEqual(errors, ["missing_block"]);
  assert.equal(repo.lastRecord!.seq, 20);
});

Deno.test("a chain of records that skips by other rules than the format's is malformed, and short", async () => {
  const store = new MemoryStore();
  const log = await Log.open(store, alice.key, { crypto: testCrypto });
  const { space } = new Branch(log);
  let parent: number | undefined;
  for (let seq = 0; seq < 100_000; seq++) {
    // Odd numbers only, whose skip is the parent: a chain of skips as long as the log.
    const where = { seq: seq === 0 ? 0 : seq * 2 + 1, time: 1, parent, skip: parent };
    const what = { root: undefined, event: undefined, hasEvent: false, message: "" };
    const record = { ...where, ...what, cites: undefined };
    parent = writeRecord(space, record, (chunk) => log.append(chunk));
  }
  await log.seal(alice, () => parent);
  await assert.rejects(Repo.open(store, alice), { code: "malformed" });
});

for (const isEventLater of [true, false]) {
  const when = isEventLater ? "later" : "earlier";
  Deno.test(`an event that came ${when} into an empty repo takes no other device's value away`, async () => {
    const [values, events] = [await open(), await open()];
    const write = async (repo: Repo, now: boolean) => {
      if (now) repo.set({ list: ["kept"] });
      else repo.publish("hello");
      await repo.flush();
    };
    await write(isEventLater ? values : events, isEventLater);
    await write(isEventLater ? events : values, !isEventLater);
    for (const [mine, theirs] of [[events, values], [values, events]]) {
      const branch = await mine.log.branch(0);
      await branch.hold(await runOf(theirs, 0));
      await mine.trunk.replace(branch);
      assert.deepStrictEqual(mine.get(), { list: ["kept"] });
      assert.deepStrictEqual(valuesOf(mine), ["hello"]);
    }
  });
}
