/** How each cost grows with what is there: entries of a map, open repos, bytes of a log. */

import { fileURLToPath } from "node:url";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { largeBytes } from "../suites/large_bytes.ts";
import { signerOf } from "../suites/people.ts";
import type { Bench } from "./bench.ts";

/** Maps from 1,000 to 1,000,000 entries, repos held open, and 1 GB read from end to end. */
export async function growth(bench: Bench): Promise<void> {
  for (const entries of [1e3, 1e4, 1e5, 1e6]) await withEntries(bench, bench.size(entries, 100));
  await openRepos(bench);
  await largeRepo(bench);
}

async function withEntries(bench: Bench, entries: number): Promise<void> {
  const repo = await Repo.open(new MemoryStore(), await signerOf("writer"));
  repo.set(
    Object.fromEntries(Array.from({ length: entries }, (_, i) => [`key${i}`, `value ${i}`])),
  );
  await repo.flush();
  const of = `of ${entries.toLocaleString("en")} entries`;
  const count = bench.size(2000, 5);
  let next = 0;
  let total = 0;
  // A prime step: neighbouring calls reach keys far apart.
  const key = () => `key${next = (next + 7919) % entries}`;
  const set = () => repo.set(key(), `value of change ${total++}`);
  const head = repo.head!.bytes;
  const sets = await bench.rate(count, 3, async () => {
    for (let i = 0; i < count; i++) set();
    await repo.flush();
  });
  bench.row({ name: `set one ${of}, 2,000 signed at once`, value: sets, unit: "/s" });
  const bytes = (repo.head!.bytes - head) / total;
  bench.row({ name: `  bytes each`, value: bytes, unit: "B" });
  const gets = await bench.rate(count * 10, 3, () => {
    for (let i = 0; i < count * 10; i++) if (repo.get(key()) === undefined) throw new Error("gone");
  });
  bench.row({ name: `get one ${of}`, value: gets, unit: "/s" });
  const before = repo.snapshot;
  for (let i = 0; i < 10; i++) set();
  const after = repo.snapshot;
  const diffs = await bench.rate(bench.size(100, 2), 3, async () => {
    for (let i = 0; i < bench.size(100, 2); i++) {
      if ((await repo.diff(before, after)).length !== 10) throw new Error("not 10 differences");
    }
  });
  bench.row({ name: `diff of 10 changes ${of}`, value: 1e6 / diffs, unit: "µs" });
  await repo.flush();
}

async function openRepos(bench: Bench): Promise<void> {
  const child = fileURLToPath(new URL("repos_child.ts", import.meta.url));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", child, `${bench.size(2000, 400)}`],
    stdin: "null",
    stderr: "inherit",
  }).output();
  const bytes = Number(new TextDecoder().decode(stdout));
  bench.row({ name: "memory of an open repo that was read", value: bytes / 1024, unit: "KiB" });
}

async function largeRepo(bench: Bench): Promise<void> {
  const length = bench.size(1e9, 1e6);
  const { peakRss, openMs, readMs } = await largeBytes(length);
  const reach = { value: 50, atMost: true };
  bench.row({ name: "open a repo of 1 GB, one entry's size", value: openMs, unit: "ms", reach });
  bench.row({ name: "  read it from end to end", value: length / 1e3 / readMs, unit: "MB/s" });
  bench.row({ name: "  most memory of that process", value: peakRss / 1e6, unit: "MB" });
}
