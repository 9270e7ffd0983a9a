import assert from "node:assert/strict";
import type { Value } from "../../../core/codec/value.ts";
import type { Block } from "../../../core/log/block.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import type { Store, StoredHead } from "../../../core/log/store.ts";
import type { Key } from "../../../core/identity/key.ts";
import type { Timer } from "../../../core/platform.ts";
import { markedLengths } from "../../../core/repo/cited_heads.ts";
import type { RepoOptions } from "../../../core/repo/options.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { AsyncStore, GatedStore } from "../../suites/stores.ts";

const alice = await signerOf("alice");

/** All that `repo` has, in runs of at most `most` blocks. */
async function runsOf({ log }: Repo, most = Infinity, from = 0): Promise<Run[]> {
  const head = log.head!;
  const runs: Run[] = [];
  for (let first = from; first < head.blocks;) {
    const end = Math.min(head.blocks, first + most);
    const blocks: Uint8Array[] = [];
    for await (const { bytes } of log.blocks(first, end)) blocks.push(bytes);
    const proof = await log.proofs.right(first, end, head.blocks);
    runs.push({ head, first, blocks, proof });
    first = end;
  }
  return runs;
}

/** Gives `to` what `from` has and it has not; `false` if the logs are of one epoch and fork. */
async function give(from: Repo, to: Repo, most?: number): Promise<void> {
  const start = from.log.epoch === to.log.epoch ? to.log.length : 0;
  for (const run of await runsOf(from, most, start)) await to.receive(run, from);
}

async function device(options?: RepoOptions, store: Store = new MemoryStore()): Promise<Repo> {
  return await Repo.open(store, alice, options);
}

/** Two devices that have the same ten records. */
async function twoDevices(options?: RepoOptions): Promise<[Repo, Repo]> {
  const [a, b] = [await device(options), await device(options)];
  for (let i = 0; i < 10; i++) {
    a.set(`k${i}`, i);
    a.publish({ i });
    await a.flush();
  }
  await give(a, b);
  return [a, b];
}

function events(repo: Repo): Value[] {
  return repo.events().map(({ value }) => value);
}

async function epochsIn(store: Store, key: Key): Promise<number[]> {
  const found: number[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    if (await store.blockAt(key, epoch, 0) !== undefined) found.push(epoch);
  }
  return found;
}

/** Of all kinds and shapes: large text and bytes, trees, nesting, what is shared. */
function richValue() {
  const shared = { x: [1, 2, 3], y: "z".repeat(100) };
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >>> 3);
  return {
    scalars: [null, undefined, true, -0, NaN, 1n << 70n, new Date(5), "é".repeat(40)],
    bytes,
    text: "line\n".repeat(20_000),
    map: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, { i, shared }])),
    list: Array.from({ length: 500 }, (_, i) => i % 7 === 0 ? [i, shared] : i),
    empty: [{}, [], ""],
  };
}

Deno.test("compact() keeps the value alone, and time goes on", async () => {
  let now = 1000;
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice, { clock: () => now });
  for (let i = 0; i < 20; i++) {
    repo.set({ i, junk: "x".repeat(1000) + i });
    repo.publish({ i });
    now += 10;
  }
  repo.set(richValue());
  const before = (await repo.flush())!;
  now = 7; // a clock that steps back
  const head = await repo.compact();
  assert.equal(head, repo.head);
  assert.equal(head!.epoch, 1);
  assert.ok(head!.bytes < before.bytes);
  assert.deepEqual(repo.get(), richValue());
  assert.deepEqual([...repo.history()].map(({ seq, time }) => [seq, time]), [[41, 1200]]);
  assert.deepEqual(events(repo), []);
  assert.deepEqual(await epochsIn(store, alice.key), [1]);
  repo.set("after", 1);
  await repo.flush();
  const again = await Repo.open(store, alice.key);
  assert.equal(again.lastRecord!.seq, 42);
  assert.equal(again.lastRecord!.time, 1200);
  assert.deepEqual(again.get(), { ...richValue(), after: 1 });
  assert.equal(again.recordAt(40), undefined);
  assert.equal(again.recordAt(41)!.seq, 41);
});

Deno.test("compact() takes the last records along as they are", async () => {
  const repo = await device({ clock: ((now) => () => now += 5)(1000) });
  for (let i = 0; i < 100; i++) {
    if (i % 4 === 3) repo.publish({ i });
    else repo.transaction((draft) => draft.set(`k${i % 9}`, { i }), { message: `m${i}` });
    if (i % 10 === 0) await repo.flush();
  }
  const last = [...repo.history({ last: 30 })]
    .map(({ seq, time, message, hasEvent }) => ({ seq, time, message, hasEvent }));
  const values = last.map(({ seq }) => repo.at(seq)!.get());
  const published = repo.events({ after: 69 }).map(({ value }) => value);
  await repo.compact({ keepRecords: 30 });
  const [compacted, ...kept] = [...repo.history()]
    .map(({ seq, time, message, hasEvent }) => ({ seq, time, message, hasEvent }));
  assert.equal(compacted.seq, 100);
  assert.deepEqual(kept, last);
  assert.deepEqual(kept.map(({ seq }) => repo.at(seq)!.get()), values);
  assert.deepEqual(events(repo), published);
  assert.equal(repo.at(69), undefined);
  await repo.compact({ keepRecords: 1000 });
  assert.deepEqual(events(repo), published);
  assert.deepEqual(
    [...repo.history()].map(({ seq }) => seq).reverse(),
    Array.from({ length: 32 }, (_, i) => i + 70),
  );
  await assert.rejects(repo.compact({ keepRecords: -1 }), RangeError);
  assert.equal(await (await device()).compact(), undefined, "there is nothing");
});

Deno.test("a compacted log is found through: by number, by time, and after many more records", async () => {
  let now = 1000;
  const repo = await device({ clock: () => now += 10 });
  for (let i = 0; i < 37; i++) repo.set("i", i);
  await repo.compact({ keepRecords: 5 });
  for (let i = 38; i < 300; i++) repo.set("i", i);
  await repo.flush();
  for (let seq = 32; seq < 300; seq++) {
    const record = repo.recordAt(seq)!;
    assert.equal(record.seq, seq);
    // The record of the compaction is as old as the value that it holds.
    assert.equal(repo.recordAt(new Date(record.time))!.seq, seq === 36 ? 37 : seq);
    if (seq !== 37) assert.equal(repo.at(seq)!.get("i"), seq);
  }
  assert.equal(repo.recordAt(31), undefined);
});

Deno.test("compact() works where nothing is at hand, in steps that fit memory", async () => {
  const memory = new MemoryStore();
  const store = new AsyncStore(memory);
  const repo = await Repo.open(store, alice, { cacheBytes: 1 });
  const bytes = new Uint8Array(9_000_000);
  for (let i = 0; i < bytes.length; i += 65_536) {
    crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  }
  await repo.putBytes(["film"], new Blob([bytes]).stream());
  repo.set("value", richValue());
  repo.delete("value", "text");
  const { text: _text, ...value } = richValue();
  const appended: number[] = [];
  const append = store.append.bind(store);
  store.append = (key, expected, blocks, next) => {
    appended.push(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
    return append(key, expected, blocks, next);
  };
  await repo.flush();
  appended.length = 0;
  await repo.compact();
  assert.ok(appended.length >= 3, `${appended.length} appends`);
  assert.ok(Math.max(...appended) < 5 * 2 ** 20);
  assert.deepEqual(await repo.load("value"), value);
  const found = await new Response(repo.readBytes(["film"])).bytes();
  assert.ok(found.length === bytes.length && found.every((byte, i) => byte === bytes[i]));
  assert.deepEqual(await epochsIn(memory, alice.key), [1]);
});

Deno.test("what is written while compact() works is in the new epoch", async () => {
  const store = new GatedStore();
  const repo = await Repo.open(store, alice);
  for (let i = 0; i < 10; i++) repo.set("i", i);
  await repo.flush();
  const { begun, release } = store.hold();
  const seen: unknown[] = [];
  repo.on("replaced", ({ sharedBytes }) => seen.push(sharedBytes));
  const compacting = repo.compact();
  await begun;
  repo.set("late", { a: [1, 2] });
  repo.publish("late event");
  release();
  const head = await compacting;
  assert.equal(head!.epoch, 1);
  assert.deepEqual(seen, [0]);
  await repo.flush();
  const again = await Repo.open(store, alice.key);
  assert.deepEqual(again.get(), { i: 9, late: { a: [1, 2] } });
  assert.deepEqual(events(again), ["late event"]);
  assert.equal(again.lastRecord!.seq, 12);
});

/** A store whose appends or drops fail from the n-th on: what a crash leaves. */
class CrashingStore extends MemoryStore {
  left = Infinity;

  override async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    this.#step();
    await super.append(key, expected, blocks, next);
  }

  override async drop(key: Key, beforeEpoch: number): Promise<void> {
    this.#step();
    await super.drop(key, beforeEpoch);
  }

  #step(): void {
    if (this.left-- <= 0) throw new Error("crash");
  }
}

Deno.test("after a crash anywhere in compact() there is one epoch or the other, whole; the old one goes", async () => {
  for (let steps = 0;; steps++) {
    const store = new CrashingStore();
    const repo = await Repo.open(store, alice);
    const bytes = new Uint8Array(5_000_000);
    for (let i = 0; i < bytes.length; i += 50_000) {
      crypto.getRandomValues(bytes.subarray(i, i + 50_000));
    }
    await repo.putBytes(["film"], new Blob([bytes]).stream());
    repo.set("x", 1);
    await repo.flush();
    store.left = steps;
    const isWhole = await repo.compact().then(() => true, (error) => {
      assert.equal(error.message, "crash");
      return false;
    });
    store.left = Infinity;
    const again = await Repo.open(store, alice);
    assert.equal(again.get("x"), 1);
    assert.equal(again.size("film"), bytes.length);
    again.set("y", steps);
    await again.flush();
    assert.deepEqual(await epochsIn(store, alice.key), [again.log.epoch]);
    assert.equal(again.lastRecord!.seq, 2 + again.log.epoch);
    // The process that lived on goes on as well.
    if (again.log.epoch === 0) {
      await again.compact();
      assert.deepEqual(await epochsIn(store, alice.key), [1]);
    }
    assert.equal(again.get("y"), steps);
    if (!isWhole) continue;
    assert.ok(steps >= 3, `${steps} steps`);
    break;
  }
});

Deno.test("a failed compact() leaves the repo as it was, to be written and compacted", async () => {
  const store = new CrashingStore();
  const repo = await Repo.open(store, alice);
  repo.set("x", 1);
  await repo.flush();
  store.left = 0;
  await assert.rejects(repo.compact(), { message: "crash" });
  store.left = Infinity;
  repo.set("y", 2);
  await repo.flush();
  assert.equal(repo.head!.epoch, 0);
  await repo.compact();
  assert.deepEqual(repo.get(), { x: 1, y: 2 });
  assert.equal(repo.head!.epoch, 1);
});

Deno.test("a reader downloads the new epoch in pieces while the old one stays readable", async () => {
  const author = await device();
  const store = new MemoryStore();
  const reader = await Repo.open(store, alice.key);
  for (let i = 0; i < 40; i++) {
    author.set(`k${i}`, "x".repeat(3000) + i);
    await author.flush();
  }
  await give(author, reader);
  for (let i = 0; i < 10; i++) author.delete(`k${i}`);
  await author.compact();
  const runs = await runsOf(author, 1);
  assert.ok(runs.length > 1);
  const seen: unknown[] = [];
  reader.on("replaced", ({ sharedBytes }) => seen.push(sharedBytes));
  reader.on("advance", ({ head, from, source }) => seen.push([head.epoch, from, source]));
  for (const [i, run] of runs.entries()) {
    assert.equal(reader.size(), 40);
    assert.equal(reader.get("k0"), "x".repeat(3000) + 0);
    const received = await reader.receive(run, author);
    assert.equal(received.complete, i === runs.length - 1);
  }
  assert.equal(reader.size(), 30);
  assert.deepEqual(reader.head, author.head);
  assert.deepEqual(seen, [0, [1, 0, author]]);
  assert.deepEqual(await epochsIn(store, alice.key), [1]);
  author.set("more", 1);
  await author.flush();
  await give(author, reader);
  assert.equal(reader.get("more"), 1);
});

Deno.test("a broken download of an epoch goes on where it was, also in another process", async () => {
  const author = await device();
  for (let i = 0; i < 60; i++) author.set(`k${i}`, "x".repeat(3000) + i);
  await author.flush();
  const store = new MemoryStore();
  const reader = await Repo.open(store, alice.key);
  await give(author, reader);
  await author.compact();
  const runs = await runsOf(author, 1);
  for (const run of runs.slice(0, 2)) await reader.receive(run, author);
  reader.release(author);
  const again = await Repo.open(store, alice.key);
  assert.equal(again.size(), 60);
  assert.equal(again.head!.epoch, 0);
  assert.deepEqual(again.log.staged?.blocks, 2);
  for (const run of runs.slice(2)) await again.receive(run, author);
  assert.deepEqual(again.head, author.head);
});

Deno.test("an epoch that was replaced is refused as stale", async () => {
  const [a, b] = await twoDevices();
  const old = await runsOf(a);
  await a.compact();
  await give(a, b);
  for (const run of old) await assert.rejects(b.receive(run), { code: "stale" });
  assert.deepEqual(b.head, a.head);
});

Deno.test("a forged, foreign or damaged log of a later epoch changes nothing", async () => {
  const [a, b] = await twoDevices();
  await a.compact();
  const [run] = await runsOf(a);
  const { head } = run;
  const cases: [Run, string][] = [
    [{ ...run, head: { ...head, epoch: 9 } }, "bad_signature"],
    [{ ...run, blocks: [run.blocks[0].slice(1)] }, "bad_block"],
    [{ ...run, first: 1 }, "conflict"],
  ];
  const before = b.head;
  for (const [bad, code] of cases) {
    await assert.rejects(b.receive(bad), { code });
    assert.deepEqual(b.head, before);
    assert.equal(b.size(), 10);
  }
  b.set("works", true);
  await b.flush();
  await b.receive(run);
  assert.equal(b.get("works"), true);
});

Deno.test("blocks of the old epoch wait for a later one that is on its way, and for no longer", async () => {
  const timers: { callback: () => void; isStopped: boolean }[] = [];
  const timer: Timer = (callback) => {
    const entry = { callback, isStopped: false };
    timers.push(entry);
    return () => entry.isStopped = true;
  };
  for (const end of ["whole", "left", "stalled"]) {
    const author = await device();
    for (let i = 0; i < 60; i++) author.set(`k${i}`, "x".repeat(3000) + i);
    await author.flush();
    const store = new MemoryStore();
    const relay = await Repo.open(store, alice.key, { timer });
    await give(author, relay);
    const other = await device();
    await give(author, other);
    await author.compact();
    other.set("other", 1);
    await other.flush();
    const runs = await runsOf(author, 1);
    await relay.receive(runs[0], author);
    assert.ok(relay.isRaisedBy(author));
    let isDone = false;
    const [late] = await runsOf(other, Infinity, relay.log.length);
    const receiving = relay.receive(late, other).finally(() => isDone = true);
    if (end === "whole") {
      const refused = assert.rejects(receiving, { code: "stale" });
      for (const run of runs.slice(1)) {
        assert.ok(!isDone);
        await relay.receive(run, author);
      }
      await refused;
      assert.equal(relay.head!.epoch, 1);
    } else {
      assert.ok(!isDone);
      if (end === "left") relay.release(author);
      else timers.findLast(({ isStopped }) => !isStopped)!.callback();
      await receiving;
      assert.equal(relay.get("other"), 1);
      // Begun again, it is taken all the same.
      for (const run of runs) await relay.receive(run, author);
      assert.equal(relay.head!.epoch, 1);
    }
    assert.ok(timers.every(({ isStopped }, i) => isStopped || end === "stalled" && i >= 0));
    timers.length = 0;
  }
});

Deno.test("writes of a device that was away are merged into the new epoch, and nothing else comes back", async () => {
  let now = 1000;
  const [a, b] = await twoDevices({ clock: () => now++ });
  a.delete("k0");
  a.set("k1", "a");
  a.set("k2", "a");
  b.set("k2", "b, later");
  b.set("k3", "b");
  b.delete("k4");
  b.set("new", { deep: [1] });
  b.publish("b's event");
  await b.flush();
  b.set("unsealed", 1);
  await a.flush();
  await a.compact();
  await give(a, b, 1);
  const expected = {
    k1: "a",
    k2: "b, later",
    k3: "b",
    ...Object.fromEntries([5, 6, 7, 8, 9].map((i) => [`k${i}`, i])),
    new: { deep: [1] },
    unsealed: 1,
  };
  assert.deepEqual(b.get(), expected);
  assert.deepEqual(events(b), ["b's event"]);
  assert.equal(b.head!.epoch, 1);
  await give(b, a);
  assert.deepEqual(a.get(), expected);
  assert.deepEqual(a.head, b.head);
});

Deno.test("a device that has nothing of its own ends on the very head of the new epoch", async () => {
  const [a, b] = await twoDevices();
  a.delete("k0");
  await a.compact();
  await give(a, b);
  assert.deepEqual(b.head, a.head);
  // One that is an epoch behind, and far behind in that one.
  const c = await device();
  const [d] = await twoDevices();
  await give(d, c);
  for (let i = 0; i < 700; i++) {
    d.set("i", i);
    await d.flush();
  }
  d.delete("k5");
  await d.compact();
  d.delete("k6");
  await d.compact({ keepRecords: 3 });
  await give(d, c);
  assert.equal(c.has("k5"), false);
  assert.equal(c.has("k6"), false);
  assert.equal(c.get("i"), 699);
});

Deno.test("lists and texts that both changed are merged across epochs as in one", async () => {
  const [a, b] = [await device(), await device()];
  const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
  a.set({ list: [1, 2, 3, 4, 5], text: lines.join("\n"), same: [1] });
  await a.flush();
  await give(a, b);
  a.transaction((draft) => {
    draft.splice(["list"], 0, 1);
    draft.set("text", lines.with(3, "a's line").join("\n"));
    draft.set("same", [2]);
  });
  b.transaction((draft) => {
    draft.push(["list"], 6);
    draft.set("text", lines.with(30, "b's line").join("\n"));
    draft.set("same", [2]);
  });
  await a.compact();
  await give(a, b);
  const text = lines.with(3, "a's line").with(30, "b's line").join("\n");
  assert.deepEqual(b.get(), { list: [2, 3, 4, 5, 6], text, same: [2] });
});

Deno.test("kept records are not published again by a device that has them as its own", async () => {
  const [a, b] = await twoDevices();
  b.publish("only b");
  await b.flush();
  await a.compact({ keepRecords: 8 });
  await give(a, b);
  const kept = [6, 7, 8, 9].map((i) => ({ i }));
  assert.deepEqual(events(b), [...kept, "only b"]);
});

/** What a channel does when both sides have the epoch: the loser takes the other's log, and merges. */
async function settle(winner: Repo, loser: Repo): Promise<void> {
  const fork = await loser.log.branch(0);
  for (const run of await runsOf(winner)) await fork.hold(run);
  await loser.replace(fork, winner);
  await give(loser, winner);
}

Deno.test("two devices that compact at once end on one log with what both have written", async () => {
  // Who has written after both were equal, and whether the other has that.
  const cases: ((a: Repo, b: Repo) => Promise<void>)[] = [
    async (a, b) => {
      await write(a, "a");
      await give(a, b);
    },
    (a) => write(a, "a"),
    (_a, b) => write(b, "b"),
    async (a, b) => {
      await write(a, "a");
      await give(a, b);
      await write(b, "b");
    },
    async (a, b) => {
      await write(a, "a");
      await write(b, "b");
    },
  ];
  const write = async (repo: Repo, key: string) => {
    repo.set(key, 1);
    repo.delete("k0");
    await repo.flush();
  };
  for (const [i, prepare] of cases.entries()) {
    for (const keepRecords of [0, 4]) {
      const [a, b] = await twoDevices();
      await prepare(a, b);
      await a.compact({ keepRecords });
      await b.compact({ keepRecords });
      a.set("after a", 1);
      b.publish("after b");
      await a.flush();
      await b.flush();
      await settle(a, b);
      assert.deepEqual(a.head, b.head);
      assert.equal(a.head!.epoch, 1);
      const name = `case ${i}, ${keepRecords} kept`;
      assert.equal(a.get("after a"), 1, name);
      const found = events(a);
      assert.equal(found.filter((event) => event === "after b").length, 1, name);
      const numbers = found.filter((event) => event !== "after b").map((event) =>
        (event as { i: number }).i
      );
      assert.equal(new Set(numbers).size, numbers.length, `${name}: no event twice`);
      assert.deepEqual([a.has("a"), a.has("b")], [i !== 2, i >= 2], name);
      assert.equal(a.has("k0"), false, name);
    }
  }
});

Deno.test("another process over the same store may raise the epoch", async () => {
  const store = new MemoryStore();
  const [a, b] = [await device({}, store), await device({}, store)];
  const reader = await Repo.open(store, alice.key);
  a.set({ x: 1, y: 1 });
  await a.flush();
  await b.refresh();
  await reader.refresh();
  await a.compact();
  b.set("y", 2);
  await b.flush();
  assert.deepEqual(b.get(), { x: 1, y: 2 });
  assert.equal(b.head!.epoch, 1);
  const seen: unknown[] = [];
  reader.on("advance", ({ head }) => seen.push([head.epoch, head.blocks]));
  await reader.refresh();
  assert.deepEqual(reader.get(), { x: 1, y: 2 });
  assert.deepEqual(seen, [[1, b.head!.blocks]]);
  await a.refresh();
  assert.deepEqual(a.head, b.head);
  await Promise.all([a.compact(), b.compact()]);
  await a.refresh();
  await b.refresh();
  assert.deepEqual(a.head, b.head);
  assert.deepEqual(await epochsIn(store, alice.key), [a.head!.epoch]);
});

Deno.test("marked lengths are dense at the end and reach the beginning in few steps", () => {
  assert.deepEqual(markedLengths(0), []);
  assert.deepEqual(markedLengths(3), [3, 2, 1]);
  const lengths = markedLengths(1_000_000);
  assert.ok(lengths.length < 1300);
  assert.deepEqual(lengths.slice(0, 256), Array.from({ length: 256 }, (_, i) => 1_000_000 - i));
  for (let i = 1; i < lengths.length; i++) {
    const gap = lengths[i - 1] - lengths[i];
    assert.ok(gap >= 1 && gap <= Math.max(1, (1_000_000 - lengths[i]) / 32));
  }
});
