import assert from "node:assert/strict";
import { Desk, MemoryTree } from "./memory_tree.ts";

/** A small generator with a seed (mulberry32), so that a failure can be run again. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const PATHS = ["a", "b", "a/x", "a/y", "b/x/deep", "c.txt", "c.txt/z", "d e", "é"];

/** One edit of a folder; returns the content that it wrote, if any, and what it destroyed. */
function edit(desk: Desk, random: (below: number) => number, marker: string): Edit {
  const path = PATHS[random(PATHS.length)];
  const before = desk.listing();
  const kind = random(4);
  for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1)) {
    if (kind < 3 && desk.exists(path.slice(0, end)) && isFile(desk, path.slice(0, end))) {
      desk.remove(path.slice(0, end));
    }
  }
  if (kind === 3) {
    if (desk.exists(path)) desk.remove(path);
  } else {
    if (desk.exists(path) && !isFile(desk, path)) desk.remove(path);
    desk.write(path, `${marker}\n`);
  }
  const after = new Set(Object.values(desk.listing()));
  const wrote = kind === 3 ? [] : [`${marker}\n`];
  return { wrote, destroyed: Object.values(before).filter((text) => !after.has(text)) };
}

interface Edit {
  readonly wrote: readonly string[];
  readonly destroyed: readonly string[];
}

function isFile(desk: Desk, path: string): boolean {
  return Deno.lstatSync(desk.at(path)).isFile;
}

async function run(seed: number): Promise<void> {
  const random = generator(seed);
  const tree = new MemoryTree();
  await using one = await Desk.open(tree);
  await using two = await Desk.open(tree);
  const desks = [one, two];
  const alive = new Set<string>();
  for (let step = 0; step < 12; step++) {
    for (let n = random(4); n > 0; n--) {
      const { wrote, destroyed } = edit(desks[random(2)], random, `s${step} n${n}`);
      for (const text of wrote) alive.add(text);
      for (const text of destroyed) alive.delete(text);
    }
    if (random(5) === 0) tree.renumber();
    // Whoever synced first gets what the other made of it in the end.
    for (const desk of random(2) ? [one, two, one] : [two, one, two]) {
      const report = await desk.sync({ allowEmpty: true });
      assert.deepEqual(report.problems, []);
      assert.equal(report.pending, false);
    }
    assert.deepEqual(one.listing(), two.listing());
    assert.deepEqual(one.repoListing(), one.listing());
    const there = new Set(Object.values(one.listing()));
    for (const text of alive) assert.ok(there.has(text), `step ${step}: ${text} is lost`);
  }
}

Deno.test("random edits on two folders converge, and nothing is lost that was not deleted", async () => {
  const start = Number(Deno.env.get("STREAMO_SEED") ?? 1);
  for (let seed = start; seed < start + 25; seed++) {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`failed with STREAMO_SEED=${seed}`, { cause: error });
    }
  }
});
