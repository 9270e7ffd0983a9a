/** From one process to another, through a relay in a third. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import { dial } from "../../relay/dial.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, type Limit, randomBytes, seconds, streamOf } from "./bench.ts";
import { startChild } from "./child.ts";
import { publishBatches } from "./commits.ts";
import type { Primitives } from "./primitives.ts";

/** Small events and large bytes, replicated end to end. */
export async function sync(bench: Bench, primitives: Primitives): Promise<void> {
  const batches = bench.size(2000, 2);
  const records = batches * 50;
  const publish = (repo: Repo) => publishBatches(repo, batches);
  const stored = await bench.median(3, () => replicate({ records, before: publish }));
  bench.row({
    name: "replicate small events through a relay",
    value: records / stored,
    unit: "/s",
    limit: await times(primitives.signs(), 50),
    reach: { value: 100_000 },
  });
  const live = await bench.median(3, () => replicate({ records, during: publish }));
  bench.row({
    name: "  the same while they are written",
    value: records / live,
    unit: "/s",
    limit: await times(primitives.signs(), 50),
  });
  const bytes = randomBytes(bench.size(64e6, 1e5), 1);
  const put = (repo: Repo) => repo.putBytes(["file"], streamOf(bytes));
  const large = await bench.median(3, () => replicate({ records: 1, before: put }));
  bench.row({
    name: "replicate 64 MB through a relay",
    value: bytes.length / 1e6 / large,
    unit: "MB/s",
    limit: await primitives.sha256(),
    reach: { value: 100 },
  });
}

async function times(limit: Promise<Limit>, count: number): Promise<Limit> {
  const { name, value, unit } = await limit;
  return { name: `${name} x ${count}`, value: value * count, unit };
}

interface Work {
  /** Records that it makes. */
  readonly records: number;
  /** Made before the writer connects. */
  readonly before?: (repo: Repo) => unknown;
  /** Made while it is connected. */
  readonly during?: (repo: Repo) => unknown;
}

/** Seconds from connecting a writer to a reader that has verified and stored everything. */
async function replicate({ records, before, during }: Work): Promise<number> {
  const relay = startChild("relay_child.ts");
  const signer = await signerOf("writer");
  const registry = new Registry({ store: new MemoryStore() });
  const repo = await registry.open(signer);
  await before?.(repo);
  await repo.flush();
  const url = await relay.line();
  const reader = startChild("reader_child.ts", url, repo.key, records - 1);
  let session: Session | undefined;
  try {
    await reader.line();
    return await seconds(async () => {
      session = connect(registry, url, { signers: [signer], openTransport: dial });
      await session.subscribe(repo.key);
      await during?.(repo);
      await reader.line();
    });
  } finally {
    session?.close();
    await reader.stop();
    await relay.stop();
  }
}
