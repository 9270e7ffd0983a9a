import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { CountingStore } from "../../suites/counting_store.ts";
import { signerOf } from "../../suites/people.ts";

const alice = await signerOf("alice");

/** A log of so many blocks: 1,000 keys, then one change a block. */
async function filled(blocks: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice);
  repo.transaction((draft) => {
    for (let i = 0; i < 1000; i++) draft.set(`k${i}`, { text: `value ${i} `.repeat(10) });
  });
  let head = await repo.flush();
  for (let i = 0; head!.blocks < blocks; i++) {
    repo.set(`k${i * 7 % 1000}`, "text", `change ${i}`);
    head = await repo.flush();
  }
  return store;
}

/** What opening, reading one place, and writing one reads of the store. */
async function costs(blocks: number) {
  const store = new CountingStore(await filled(blocks));
  const { count } = store;
  const steps: Record<string, number> = {};
  const step = (name: string) => {
    steps[name] = count.blocksAt;
    assert.deepEqual([count.blocks, count.hashes], [0, 0], `${name} reads the log in order`);
    count.blocksAt = 0;
  };
  const reader = await Repo.open(store, alice.key);
  step("open to read");
  assert.equal(reader.get("k3", "text"), reader.get("k3", "text"));
  step("get");
  const writer = await Repo.open(store, alice);
  step("open to write");
  writer.set("k3", "text", "newer");
  await writer.flush();
  step("set and flush");
  assert.deepEqual([count.heads, count.appends], [2, 1]);
  return steps;
}

Deno.test("opening reads the head and one record; writing reads a path and the records it skips to", async () => {
  const [small, large] = [await costs(300), await costs(3000)];
  assert.equal(large["open to read"], 1);
  assert.ok(large["get"] <= 4, `${large["get"]} blocks for one value`);
  // One more record for each bit of their number.
  assert.ok(large["open to write"] <= 1 + Math.ceil(Math.log2(3000)), `${large["open to write"]}`);
  assert.ok(large["set and flush"] <= 8, `${large["set and flush"]} blocks for one change`);
  for (const name of Object.keys(small)) {
    assert.ok(large[name] <= small[name] + 7, `${name}: ${small[name]}, then ${large[name]}`);
  }
});
