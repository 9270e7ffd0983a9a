/** Writing: commits into maps of several sizes, and events. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, seconds } from "./bench.ts";
import type { Primitives } from "./primitives.ts";

/** Events under one signature. */
const BATCH = 50;

/** Signed commits and signed events a second, and what each takes. */
export async function commits(bench: Bench, primitives: Primitives): Promise<void> {
  await keyedCommits(bench, primitives, 1000);
  await keyedCommits(bench, primitives, 100);
  await keyedCommits(bench, primitives, 10_000);
  await keyedCommits(bench, primitives, 100_000);
  await events(bench, primitives);
}

async function keyedCommits(bench: Bench, primitives: Primitives, keys: number): Promise<void> {
  const size = bench.size(keys, Math.min(keys, 100));
  const count = bench.size(5000, 5);
  const repo = await Repo.open(new MemoryStore(), await signerOf("writer"));
  repo.set(Object.fromEntries(Array.from({ length: size }, (_, i) => [`key${i}`, `value ${i}`])));
  await repo.flush();
  let next = 0;
  let bytes = 0;
  let total = 0;
  const rate = await bench.rate(count, 5, async () => {
    const before = repo.head!.bytes;
    for (let i = 0; i < count; i++) {
      // A prime step: neighbouring commits change keys far apart.
      next = (next + 7919) % size;
      // Never a value that was there before: it would be found in the log.
      repo.set(`key${next}`, `value ${next} in commit ${total++}`);
      await repo.flush();
    }
    bytes = (repo.head!.bytes - before) / count;
  });
  const isNamed = keys === 1000;
  const name = `commits, each sealed, ${keys.toLocaleString("en")} keys`;
  const limit = await primitives.signs();
  bench.row({
    name,
    value: rate,
    unit: "/s",
    limit,
    reach: isNamed ? { value: 20_000 } : undefined,
  });
  const reach = isNamed ? { value: 750, atMost: true } : undefined;
  bench.row({ name: "  bytes each", value: bytes, unit: "B", reach });
}

async function events(bench: Bench, primitives: Primitives): Promise<void> {
  const batches = bench.size(400, 2);
  const count = batches * BATCH;
  let bytes = 0;
  const rate = await bench.median(5, async () => {
    const repo = await Repo.open(new MemoryStore(), await signerOf("writer"));
    const time = await seconds(() => publishBatches(repo, batches));
    bytes = repo.head!.bytes / count;
    return count / time;
  });
  const sign = await primitives.signs();
  const limit = { ...sign, name: `${sign.name} x ${BATCH}`, value: sign.value * BATCH };
  const name = `events, sealed in batches of ${BATCH}`;
  bench.row({ name, value: rate, unit: "/s", limit, reach: { value: 110_000 } });
  bench.row({ name: "  bytes each", value: bytes, unit: "B" });
}

/** Publishes batches of small events, each batch sealed. */
export async function publishBatches(repo: Repo, batches: number): Promise<void> {
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < BATCH; i++) {
      repo.publish({
        type: "chat/text",
        text: `message ${batch * BATCH + i}, and a few words more`,
      });
    }
    await repo.flush();
  }
}
