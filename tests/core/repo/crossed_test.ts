/** Branches that were merged in parts, here and there, before they meet as a whole. */

import assert from "node:assert/strict";
import type { Value } from "../../../core/codec/value.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";

const alice = await signerOf("alice");

/** A device whose clock stands at `time`. */
const device = (time: number) => Repo.open(new MemoryStore(), alice, { clock: () => time });

async function branchOf(repo: Repo, run: Run) {
  const log = await repo.log.branch(0);
  await log.hold(run);
  return log;
}

/** What `repo` has now, as a relay would pass it on. */
async function all(repo: Repo): Promise<Run> {
  await repo.flush();
  return await runOf(repo, 0);
}

const takeIn = async (repo: Repo, run: Run) => {
  await repo.flush();
  await repo.trunk.takeIn(await branchOf(repo, run));
};
const goOver = async (repo: Repo, run: Run) => await repo.trunk.replace(await branchOf(repo, run));
const eventsOf = (repo: Repo) => repo.events().map(({ value }) => value);

Deno.test("what a part of the other branch brought does not win over what came after it", async () => {
  const [phone, laptop] = [await device(2000), await device(1000)];
  phone.publish("phone");
  const phoneFirst = await all(phone);
  laptop.set("key", "old");
  const laptopFirst = await all(laptop);
  laptop.set("key", "new");
  await takeIn(laptop, phoneFirst);
  phone.set("other", "phone");
  await takeIn(phone, laptopFirst);
  await goOver(phone, await all(laptop));
  assert.deepStrictEqual(phone.get(), { key: "new", other: "phone" });
  assert.deepStrictEqual(eventsOf(phone), ["phone"]);
});

Deno.test("of what was merged, the part that the other branch begins with is no change", async () => {
  const [phone, laptop, tablet] = [await device(1000), await device(1000), await device(3000)];
  phone.set("own", 1);
  await phone.flush();
  laptop.set("key", "old");
  await goOver(tablet, await all(laptop));
  laptop.set("key", "new");
  await takeIn(phone, await all(laptop));
  tablet.set("other", "tablet");
  await goOver(phone, await all(tablet));
  assert.deepStrictEqual(phone.get(), { key: "new", other: "tablet", own: 1 });
});

Deno.test("what was not signed yet when its log gave way is not taken for what others have", async () => {
  const [phone, laptop, tablet] = [await device(1000), await device(1000), await device(1000)];
  phone.set("list", ["first"]);
  await takeIn(laptop, await all(phone));
  tablet.set("tablet", true);
  const run = await all(tablet);
  const branch = await branchOf(phone, run);
  const done = phone.trunk.replace(branch);
  phone.push(["list"], "second");
  await done;
  await goOver(phone, await all(laptop));
  assert.deepStrictEqual(phone.get("list"), ["first", "second"]);
});

Deno.test("what kept records of an epoch have merged is not merged again", async () => {
  const [phone, laptop] = [await device(1000), await device(1000)];
  phone.publish("phone");
  laptop.set("own", 1);
  await takeIn(laptop, await all(phone));
  await laptop.compact({ keepRecords: 5 });
  phone.set("key", 1);
  await phone.flush();
  await phone.receive(await all(laptop));
  assert.deepStrictEqual(eventsOf(phone), ["phone"]);
  assert.equal(phone.get("key"), 1);
});

/** A third device, what it had at first, and what it had then: neither of the others will meet it. */
async function third(change: (repo: Repo) => void, then: (repo: Repo) => void) {
  const repo = await device(1000);
  change(repo);
  const first = await all(repo);
  then(repo);
  return { first, second: await all(repo) };
}

for (const [lesser, greater] of [[3000, 2000], [2000, 3000]]) {
  const later = lesser > greater ? "the lesser" : "the greater";
  for (const isLesserTaken of [true, false]) {
    const taken = isLesserTaken ? "lesser" : "greater";
    Deno.test(`of a third branch one has more; the ${taken} is merged, ${later} is later`, async () => {
      const { first, second } = await third(
        (repo) => repo.set({ key: "old", gone: 1, list: ["first"] }),
        (repo) => {
          repo.set("key", "new");
          repo.delete("gone");
          repo.insert(["list"], 0, "second");
        },
      );
      const [phone, laptop] = [await device(lesser), await device(greater)];
      phone.set("phone", 1);
      laptop.set("laptop", 1);
      await takeIn(phone, first);
      await takeIn(laptop, second);
      const [mine, theirs] = isLesserTaken ? [phone, laptop] : [laptop, phone];
      await goOver(mine, await all(theirs));
      assert.deepStrictEqual(mine.get(), {
        ...{ key: "new", list: ["second", "first"], phone: 1, laptop: 1 },
      });
    });
  }
}

Deno.test("two branches that went on from a third, each merged by another: what they share is there once", async () => {
  for (const [early, late] of [[2000, 3000], [3000, 2000]]) {
    const desk = await device(1000);
    desk.set({ key: "old", list: ["shared"] });
    const shared = await all(desk);
    const tablet = await device(1000);
    await goOver(tablet, shared);
    desk.set("key", "new");
    desk.push(["list"], "desk");
    tablet.push(["list"], "tablet");
    const [phone, laptop] = [await device(early), await device(late)];
    phone.push(["list"], "phone");
    laptop.set("laptop", 1);
    await takeIn(phone, await all(desk));
    await takeIn(laptop, await all(tablet));
    await goOver(laptop, await all(phone));
    assert.equal(laptop.get("key"), "new");
    const list = [...laptop.get("list") as string[]].sort();
    assert.deepStrictEqual(list, ["desk", "phone", "shared", "tablet"]);
  }
});

Deno.test("a merge begins a block, so that a head can be cited which has what came before alone", async () => {
  const [phone, laptop] = [await device(1000), await device(2000)];
  phone.push(["list"], "first");
  laptop.push(["list"], "laptop");
  await phone.flush();
  const done = phone.trunk.takeIn(await branchOf(phone, await all(laptop)));
  for (let turn = 0; turn < 100; turn++) {
    await Promise.resolve();
    phone.push(["list"], turn);
  }
  await done;
  await phone.flush();
  const ends: number[] = [];
  for await (const { start } of phone.log.blocks(0, phone.log.length)) ends.push(start);
  const merge = [...phone.history()].find(({ message }) => message === "merge")!;
  const before = phone.recordAt(merge.seq - 1)!;
  assert.ok(ends.some((start) => start > before.address && start <= merge.address));
  assert.equal(new Set(phone.get("list") as Value[]).size, 102);
});

Deno.test("what is written while a merge is prepared is not under the head that it cites", async () => {
  const [phone, laptop, tablet] = [await device(1000), await device(1000), await device(1000)];
  phone.push(["list"], "first");
  const before = await all(phone);
  tablet.set("tablet", 1);
  const done = phone.trunk.replace(await branchOf(phone, await all(tablet)));
  const numbers: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
    phone.push(["list"], turn);
    numbers.push(turn);
  }
  await done;
  laptop.set("laptop", 1);
  await takeIn(laptop, before);
  await goOver(phone, await all(laptop));
  assert.deepStrictEqual(phone.get("list"), ["first", ...numbers]);
});

Deno.test("a merge that brought nothing is cited when its log gives way", async () => {
  const [phone, laptop, tablet] = [await device(1000), await device(1000), await device(1000)];
  for (const repo of [phone, tablet]) repo.set("key", 1);
  laptop.set("laptop", 1);
  await takeIn(phone, await all(tablet));
  await goOver(phone, await all(laptop));
  const settling = await phone.trunk.settling();
  assert.ok(await settling.knows(tablet.head!, 0));
});

Deno.test("onConflict is asked once about what was written in several blocks", async () => {
  const asked: unknown[] = [];
  const phone = await Repo.open(new MemoryStore(), alice, {
    clock: () => 1000,
    onConflict: ({ path, mine, theirs }) => {
      asked.push([path, mine, theirs]);
      return "theirs";
    },
  });
  const laptop = await device(2000);
  for (const value of [1, 2, 3]) {
    phone.set("key", value);
    await phone.flush();
  }
  laptop.set("key", "laptop");
  await goOver(phone, await all(laptop));
  assert.deepStrictEqual(asked, [[["key"], 3, "laptop"]]);
  assert.equal(phone.get("key"), "laptop");
});

Deno.test("what was stored again unchanged, and deleted in a later epoch, stays deleted", async () => {
  const store = new MemoryStore();
  const open = () => Repo.open(store, alice, { clock: () => 1000 });
  const before = await open();
  const content = { text: "long ".repeat(100) };
  before.set({ kept: 1, content });
  const laptop = await device(1000);
  await goOver(laptop, await all(before));
  await laptop.compact();
  laptop.delete("content");
  // Another process does not know where it is stored already.
  const phone = await open();
  phone.delete("content");
  phone.set("content", content);
  phone.set("own", 1);
  await phone.flush();
  await phone.receive(await all(laptop));
  assert.deepStrictEqual(phone.get(), { kept: 1, own: 1 });
});
