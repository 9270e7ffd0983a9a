import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { sampleBytes } from "../../suites/sample_bytes.ts";
import { GatedStore } from "../../suites/stores.ts";
import { alice, device, epochsIn, events, give, runsOf, twoDevices } from "./epoch_devices.ts";

/** What a channel does when both sides have the epoch: the loser takes the other's log, and merges. */
async function settle(winner: Repo, loser: Repo): Promise<void> {
  const fork = await loser.log.branch(0);
  for (const run of await runsOf(winner)) await fork.hold(run);
  await loser.trunk.replace(fork, winner);
  await give(loser, winner);
}

/** What a channel does when this side's epoch is the later one: it takes in the other's log. */
async function takeIn(from: Repo, to: Repo): Promise<void> {
  const log = to.log.raise(from.log.epoch);
  for (const run of await runsOf(from)) await log.hold(run);
  await to.trunk.takeIn(log);
}

/** Ten keys, a list and a text that both devices have; each has a peer, which is away. */
async function sharedDevices(): Promise<[Repo, Repo, MemoryStore]> {
  let now = 1000;
  const clock = () => now++;
  const store = new MemoryStore();
  const [a, b] = [await device({ clock }), await device({ clock }, store)];
  a.set({ list: ["x", "y", "z"], text: lines().join("\n") });
  for (let i = 0; i < 10; i++) a.set(`k${i}`, i);
  a.publish("both");
  await a.flush();
  await give(a, b);
  for (const repo of [a, b]) repo.trunk.show(0, 0);
  return [a, b, store];
}

const lines = () => Array.from({ length: 20 }, (_, i) => `line ${i}`);

function changeA(a: Repo): void {
  a.set("k0", "a");
  a.delete("k1");
  a.set("both", "a");
  a.set("text", lines().with(3, "a").join("\n"));
  a.transaction((draft) => draft.splice(["list"], 0, 1));
  a.publish("only a");
}

function changeB(b: Repo): void {
  b.set("k2", "b");
  b.delete("k3");
  b.set("both", "b");
  b.set("text", lines().with(15, "b").join("\n"));
  b.transaction((draft) => draft.push(["list"], "b"));
  b.publish("only b");
}

/** What both changes make, whoever settles. */
const merged = {
  list: ["y", "z", "b"],
  text: lines().with(3, "a").with(15, "b").join("\n"),
  k0: "a",
  k2: "b",
  ...Object.fromEntries([4, 5, 6, 7, 8, 9].map((i) => [`k${i}`, i])),
  both: "b",
};

for (const keepRecords of [0, 4]) {
  Deno.test(`devices that compact at once after they had parted merge from what both had: ${keepRecords} kept`, async () => {
    for (const winner of ["a", "b"]) {
      const [a, b] = await sharedDevices();
      changeA(a);
      changeB(b);
      await a.compact({ keepRecords });
      await b.compact({ keepRecords });
      assert.deepEqual([a.head!.epoch, b.head!.epoch], [1, 1]);
      await (winner === "a" ? settle(a, b) : settle(b, a));
      assert.deepEqual(a.head, b.head);
      assert.deepEqual(a.get(), merged);
      assert.equal(a.head!.epoch, 1);
      const found = events(a).sort();
      assert.deepEqual(found, [...new Set(found)], "no event twice");
      if (keepRecords > 0) assert.ok(["only a", "only b"].every((event) => found.includes(event)));
    }
  });
}

Deno.test("of a log that is two epochs ahead and one that was compacted once, both have what both changed", async () => {
  const [a, b, store] = await sharedDevices();
  changeA(a);
  changeB(b);
  await a.compact();
  await b.compact();
  b.set("more", 1);
  await b.compact();
  assert.deepEqual(await epochsIn(store, alice.key), [0, 1, 2]);
  await takeIn(a, b);
  assert.deepEqual(b.get(), { ...merged, more: 1 });
  await give(b, a);
  assert.deepEqual(a.head, b.head);
});

Deno.test("the log before a compaction is there after a restart, until a peer has the new epoch whole", async () => {
  for (const isRestarted of [false, true]) {
    const [a, first, store] = await sharedDevices();
    let b = first;
    changeA(a);
    changeB(b);
    await a.compact();
    await b.compact();
    if (isRestarted) {
      b = await device({}, store);
      b.trunk.show(0, 1);
    }
    b.set("late", 1);
    await b.flush();
    assert.deepEqual(await epochsIn(store, alice.key), [0, 1]);
    b.trunk.show(b.head!.blocks - 1, 1);
    await b.refresh();
    assert.deepEqual(await epochsIn(store, alice.key), [0, 1], "a part may be given up");
    await settle(a, b);
    assert.deepEqual(a.get(), { ...merged, late: 1 });
    assert.deepEqual(await epochsIn(store, alice.key), [1]);
  }
});

Deno.test("what was compacted where nobody else is goes at once; else when it is acknowledged", async () => {
  const store = new MemoryStore();
  const alone = await device({}, store);
  alone.set("x", 1);
  await alone.compact();
  assert.deepEqual(await epochsIn(store, alice.key), [1]);
  alone.trunk.show(0, 1);
  await alone.compact();
  assert.deepEqual(await epochsIn(store, alice.key), [1, 2]);
  alone.trunk.show(alone.head!.blocks, 1);
  await alone.refresh();
  assert.deepEqual(await epochsIn(store, alice.key), [1, 2], "that was the epoch before");
  alone.trunk.show(alone.head!.blocks, 2);
  await alone.refresh();
  assert.deepEqual(await epochsIn(store, alice.key), [2]);
  await alone.compact();
  const again = await Repo.open(store, alice);
  again.set("x", 2);
  await again.flush();
  assert.deepEqual(await epochsIn(store, alice.key), [3], "a process without a session");
});

Deno.test("where history is gone on both sides, what either has stays, and the later side's where both have", async () => {
  let now = 1000;
  const [a, b] = await twoDevices({ clock: () => now++ });
  a.set("k0", "a");
  a.delete("k1");
  a.set("only a", 1);
  b.set("k0", "b");
  b.delete("k2");
  await a.compact();
  await b.compact();
  // Each was acknowledged, by a relay that the other does not know.
  for (const repo of [a, b]) repo.trunk.show(repo.head!.blocks, 1);
  b.publish("after");
  await b.flush();
  await settle(a, b);
  assert.deepEqual(a.head, b.head);
  const kept = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => [`k${i}`, i]));
  assert.deepEqual(a.get(), { ...kept, k0: "b", "only a": 1 });
  assert.deepEqual(events(a), ["after"]);
});

Deno.test("two compactions that begin with equal blocks are still two: the base is in none of those", async () => {
  const [a, b] = await sharedDevices();
  const bytes = sampleBytes("hashed", 50_000);
  a.set("a", bytes);
  await a.flush();
  await give(a, b);
  changeA(a);
  changeB(b);
  await a.compact();
  await b.compact();
  const heads = [await a.log.rootAt(1), await b.log.rootAt(1)];
  assert.deepEqual(heads[0], heads[1], "equal content gives equal bytes");
  await settle(a, b);
  assert.deepEqual(b.get(), { ...merged, a: bytes });
});

Deno.test("what a branch has merged of the other before both compacted is no change of it", async () => {
  const [a, b] = await sharedDevices();
  // b's first writes come to a, which merges them into its own; b goes on.
  a.set("a", 1);
  await a.flush();
  b.set("k0", "first");
  b.set("k1", "first");
  b.publish("event of b");
  await b.flush();
  const common = 1;
  const fork = await b.log.branch(common);
  for (const run of await runsOf(b, Infinity, common)) await fork.hold(run);
  await a.trunk.takeIn(fork);
  assert.equal(a.get("k0"), "first");
  b.set("k0", "second");
  b.delete("k1");
  await b.compact();
  // a's merge is later than all that b wrote.
  a.set("a", 2);
  await a.compact({ keepRecords: 5 });
  await settle(b, a);
  assert.deepEqual([a.get("k0"), a.has("k1"), a.get("a")], ["second", false, 2]);
  assert.deepEqual(events(a), [], "its author has forgotten it");
});

Deno.test("what a full disk kept from being signed is not merged a second time", async () => {
  const [a, b] = await sharedDevices();
  const store = new GatedStore();
  const c = await device({}, store);
  await give(a, c);
  b.publish("event of b");
  await b.flush();
  await a.compact();
  await give(a, c);
  await takeIn(b, a);
  store.gate = () => Promise.reject(new StreamoError("storage", "no space left"));
  await assert.rejects(takeIn(b, c), { code: "storage" });
  store.gate = (append) => append();
  await give(a, c);
  await c.flush();
  assert.deepEqual(events(c), ["event of b"]);
});
