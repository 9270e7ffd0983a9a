/** Taking in a log: verifying and storing what a peer sends. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Run } from "../../core/log/run.ts";
import { Repo } from "../../core/repo/repo.ts";
import {
  decodeFrame,
  encodeFrame,
  FRAME_FILL_BYTES,
  FRAME_MAX_BLOCKS,
} from "../../core/sync/frame.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, randomBytes, streamOf } from "./bench.ts";
import type { Primitives } from "./primitives.ts";

/** Logs of small and of large blocks, from nothing to the newest value. */
export async function replay(bench: Bench, primitives: Primitives): Promise<void> {
  const small = await writer();
  small.set(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, i])));
  for (let i = 0; i < bench.size(20_000, 20); i++) {
    small.set(`key${i * 7919 % 1000}`, i);
    await small.flush();
  }
  const { blocks } = small.head!;
  const smallRuns = await runsOf(small);
  const blockRate = await bench.rate(blocks, 3, () => receiveAll(small, smallRuns));
  bench.row({
    name: "verify + replay, small blocks",
    value: blockRate,
    unit: "blocks/s",
    limit: await primitives.smallHashes(),
    reach: { value: 150_000 },
  });
  const large = await writer();
  const bytes = bench.size(64e6, 1e5);
  await large.putBytes(["file"], streamOf(randomBytes(bytes, 1)));
  await large.flush();
  const largeRuns = await runsOf(large);
  const byteRate = await bench.rate(bytes / 1e6, 3, () => receiveAll(large, largeRuns));
  bench.row({
    name: "verify + replay, large blocks",
    value: byteRate,
    unit: "MB/s",
    limit: await primitives.sha256(),
    reach: { value: 1000 },
  });
}

async function writer(): Promise<Repo> {
  return await Repo.open(new MemoryStore(), await signerOf("writer"));
}

/** The log of `repo` in runs as they come out of frames: blocks are views. */
async function runsOf({ log }: Repo): Promise<Run[]> {
  const head = log.head!;
  const runs: Run[] = [];
  for (let from = 0; from < head.blocks;) {
    const blocks: Uint8Array[] = [];
    let bytes = 0;
    for await (const block of log.blocks(from, Math.min(head.blocks, from + FRAME_MAX_BLOCKS))) {
      blocks.push(block.bytes);
      bytes += block.bytes.length;
      if (bytes >= FRAME_FILL_BYTES) break;
    }
    const end = from + blocks.length;
    const proof = await (await log.proofs()).right(from, end, head.blocks);
    runs.push(decodeFrame(encodeFrame(0, { head, first: from, blocks, proof })).run);
    from = end;
  }
  return runs;
}

async function receiveAll(from: Repo, runs: readonly Run[]): Promise<void> {
  const reader = await Repo.open(new MemoryStore(), from.key);
  for (const run of runs) await reader.receive(run);
  if (reader.lastRecord?.seq !== from.lastRecord?.seq) throw new Error("the replay stopped early");
}
