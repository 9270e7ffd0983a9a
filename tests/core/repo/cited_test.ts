import assert from "node:assert/strict";
import type { Value } from "../../../core/codec/value.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Branch } from "../../../core/repo/branch.ts";
import { type CitedHead, markedLengths, markIndex } from "../../../core/repo/cited_heads.ts";
import { citedSince, takenSince } from "../../../core/repo/cited_since.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";

const head = (blocks: number): CitedHead & { readonly [key: string]: Value } => ({
  epoch: 0,
  blocks,
  root: new Uint8Array(32).fill(blocks),
});

/** A branch whose records cite the lists, oldest first. */
async function citing(...lists: readonly Value[]): Promise<Branch> {
  const store = new MemoryStore();
  const signer = await signerOf("citing");
  const repo = await Repo.open(store, signer);
  lists.forEach((cites, i) => repo.transaction((draft) => draft.set("x", i), { cites }));
  await repo.flush();
  const { log } = await Repo.open(store, signer.key, { cacheBytes: 2 ** 20 });
  const branch = new Branch(log);
  await branch.follow();
  return branch;
}

Deno.test("a length is where the marks of a log have it", () => {
  for (const blocks of [0, 1, 255, 256, 257, 383, 384, 385, 1000, 4099, 100_000]) {
    const lengths = markedLengths(blocks);
    for (let length = 0; length <= Math.min(blocks + 2, 5000); length++) {
      assert.equal(markIndex(blocks, length), lengths.indexOf(length), `${length} of ${blocks}`);
    }
    assert.deepEqual(lengths.map((length) => markIndex(blocks, length)), [...lengths.keys()]);
  }
});

Deno.test("the heads that records cite, the newest record first, each once", async () => {
  const shared = [head(1), head(2)];
  const branch = await citing(shared, undefined, shared, [head(3), "no head", head(2)], "no list");
  const cited = await citedSince(branch, 0);
  assert.deepEqual(cited.map(({ blocks }) => blocks), [3, 2, 1]);
  assert.deepEqual(await citedSince(branch, branch.record!.address), []);
});

Deno.test("of a long citation the first 65 elements are looked at", async () => {
  const heads = Array.from({ length: 200_000 }, (_, i) => head(i + 1));
  const cited = await citedSince(await citing(heads), 0);
  assert.deepEqual(cited.map(({ blocks }) => blocks), heads.slice(0, 65).map((one) => one.blocks));
});

Deno.test("what takes more to read than any head does is none, nor is what has another form", async () => {
  const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key ${i}`, i]));
  const branch = await citing([
    { ...head(1), ...wide },
    { ...head(2), marks: new Uint8Array(100_000) },
    { ...head(3), root: new Uint8Array(31) },
    { ...head(4), blocks: -1 },
    { ...head(5), marks: "marks" },
    { ...head(5), other: 1 },
    head(6),
  ]);
  assert.deepEqual((await citedSince(branch, 0)).map(({ blocks }) => blocks), [6]);
});

Deno.test("few bytes that cite much are walked once, and others have their turn", async () => {
  const heads = Array.from({ length: 64 }, (_, i) => head(i + 1));
  const branch = await citing(...Array.from({ length: 5000 }, () => heads));
  let turns = 0;
  let isOver = false;
  const count = () => void setTimeout(() => isOver || (turns++, count()), 0);
  count();
  const taken = await takenSince(branch, 0, [head(64), head(65)]);
  isOver = true;
  assert.deepEqual(taken, [head(64)]);
  assert.ok(turns > 5, `others had ${turns} turns`);
  assert.equal((await citedSince(branch, 0)).length, 64);
});

Deno.test("an event that a merge brings cites first where it came from, with all that its author cites", async () => {
  const signer = await signerOf("citing");
  const [phone, laptop] = [
    await Repo.open(new MemoryStore(), signer),
    await Repo.open(new MemoryStore(), signer),
  ];
  phone.set("x", 1);
  await phone.flush();
  const cites = Array.from({ length: 100 }, (_, i) => `source ${i}`);
  laptop.publish("event", { cites });
  await laptop.flush();
  const branch = await phone.log.branch(0);
  await branch.hold(await runOf(laptop, 0));
  await phone.trunk.takeIn(branch);
  const [{ record }] = phone.events();
  const [origin, ...others] = record.cites as Value[];
  assert.deepEqual(others, cites);
  assert.deepEqual((origin as unknown as CitedHead).root, laptop.head!.root);
});
