import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import type { Timer } from "../../../core/platform.ts";
import { markedLengths, markIndex } from "../../../core/repo/cited_heads.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { alice, device, epochsIn, events, give, runsOf, twoDevices } from "./epoch_devices.ts";

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
  reader.trunk.release(author);
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
    assert.ok(relay.trunk.isRaisedBy(author));
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
      if (end === "left") relay.trunk.release(author);
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
async function settle(winner: Repo, loser: Repo, common = 0): Promise<void> {
  const fork = await loser.log.branch(common);
  for (const run of await runsOf(winner, Infinity, common)) await fork.hold(run);
  await loser.trunk.replace(fork, winner);
  await give(loser, winner);
}

Deno.test("a kept merge is not taken for the beginning of the epoch", async () => {
  const [a, b] = await twoDevices();
  const c = await device();
  await give(a, c);
  const common = c.log.length;
  a.delete("k0");
  a.set("a", 1);
  b.set("b", 1);
  c.set("c", 1);
  for (const repo of [a, b, c]) await repo.flush();
  await settle(a, b, common);
  // Its citation marks only what is past the ten records that all have.
  assert.equal(a.lastRecord!.message, "merge");
  await a.compact({ keepRecords: 3 });
  await a.compact();
  await give(a, c);
  assert.equal(c.has("k0"), false);
  assert.deepEqual([c.get("a"), c.get("b"), c.get("c")], [1, 1, 1]);
});

Deno.test("a device that was away for twenty short epochs deletes and changes nothing of the others'", async () => {
  const [a, b] = await twoDevices();
  a.delete("k0");
  a.set("k1", "a");
  await a.flush();
  b.set("b", 1);
  await b.flush();
  for (let epoch = 1; epoch <= 20; epoch++) await a.compact();
  await give(a, b);
  assert.deepEqual([b.has("k0"), b.get("k1"), b.get("b")], [false, "a", 1]);
});

Deno.test("what was taken in stays known when the epoch is compacted again", async () => {
  const [a, b] = await twoDevices();
  const c = await device();
  await give(a, c);
  c.set("x", 1);
  c.publish("c's event");
  await c.flush();
  await give(c, b);
  await a.compact();
  // Another device brings what both have of the log before, then all go on from there.
  await give(a, b);
  await give(b, a);
  assert.equal(a.get("x"), 1);
  a.delete("x");
  await a.compact({ keepRecords: 1 });
  await a.compact();
  a.publish("a's event");
  await a.flush();
  c.set("c", 1);
  await c.flush();
  const before = c.head!;
  await give(a, c);
  assert.deepEqual([c.has("x"), c.get("c")], [false, 1]);
  assert.deepEqual(events(c), ["a's event"]);
  assert.equal(await (await c.trunk.settling()).covers(before), true);
});

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
  for (const blocks of [0, 1, 255, 256, 257, 321, 5000]) {
    const marked = markedLengths(blocks);
    for (let length = -1; length <= blocks + 1; length++) {
      assert.equal(markIndex(blocks, length), marked.indexOf(length), `${length} of ${blocks}`);
    }
  }
});
