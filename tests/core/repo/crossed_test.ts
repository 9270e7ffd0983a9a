/** Branches that were merged in parts, here and there, before they meet as a whole. */

import assert from "node:assert/strict";
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
  await repo.takeIn(await branchOf(repo, run));
};
const goOver = async (repo: Repo, run: Run) => await repo.replace(await branchOf(repo, run));
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
  const done = phone.replace(branch);
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
