/** Differences: ten changed entries of a million. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, seconds } from "./bench.ts";

/** What ten changes in a large map and in a large list take to find. */
export async function diff(bench: Bench): Promise<void> {
  const size = bench.size(1_000_000, 1000);
  const repo = await Repo.open(new MemoryStore(), await signerOf("writer"));
  const count = size.toLocaleString("en");
  const places = (round: number) =>
    Array.from({ length: 10 }, (_, i) => (i * 70_001 + round * 7919) % size);
  repo.transaction((draft) => {
    for (let i = 0; i < size; i++) draft.set("map", `key${i}`, i);
    for (let i = 0; i < size; i++) draft.push(["list"], i);
  });
  await repo.flush();
  for (const kind of ["map", "list"]) {
    let round = 0;
    const value = await bench.median(9, async () => {
      const before = repo.snapshot;
      repo.transaction((draft) => {
        for (const i of places(round++)) draft.set(kind, kind === "map" ? `key${i}` : i, -round);
      });
      await repo.flush();
      let found = 0;
      const time = await seconds(async () => {
        found = (await repo.diff(before, repo.snapshot)).length;
      });
      if (found !== 10) throw new Error(`${found} differences instead of 10`);
      return time * 1000;
    });
    const name = `diff of 10 changes in a ${kind} of ${count}`;
    bench.row({ name, value, unit: "ms", reach: { value: 5, atMost: true } });
  }
}
