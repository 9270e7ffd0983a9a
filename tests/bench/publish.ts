/** Events that are durable in a relay's database before the next ones follow. */

import { join } from "node:path";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { connect } from "../../core/sync/session.ts";
import { dial } from "../../relay/dial.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, type Limit, randomBytes, seconds } from "./bench.ts";
import { startChild } from "./child.ts";

/** Publishers of one repo, each of which waits until its event has landed. */
const AT_ONCE = 64;
const MESSAGE = "x".repeat(100);

/** Acknowledged events a second on a relay over Deno KV, in a process of its own. */
export async function publish(bench: Bench): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const limit = await commits(bench, join(directory, "raw.sqlite"));
    for (const atOnce of [1, AT_ONCE]) {
      const count = bench.size(atOnce === 1 ? 1000 : 20_000, atOnce);
      let run = 0;
      const rate = await bench.median(3, () => {
        return publishAll(join(directory, `relay-${atOnce}-${run++}.sqlite`), count, atOnce);
      });
      bench.row({
        name: `events acknowledged by a relay on KV, ${atOnce} at once`,
        value: rate,
        unit: "/s",
        limit,
        reach: atOnce === 1 ? undefined : { value: 3000 },
      });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Commits of one small value, one after the other: what a single event cannot be faster than. */
async function commits(bench: Bench, file: string): Promise<Limit> {
  using kv = await Deno.openKv(file);
  const value = randomBytes(300, 1);
  const count = bench.size(1000, 3);
  const rate = await bench.rate(count, 3, async () => {
    for (let i = 0; i < count; i++) await kv.set(["bench", i], value);
  });
  return { name: "KV commits, one after the other", value: rate, unit: "/s" };
}

async function publishAll(file: string, count: number, atOnce: number): Promise<number> {
  const relay = startChild("relay_child.ts", file);
  const url = await relay.line();
  const signer = await signerOf("writer");
  const session = connect(new Registry({ store: new MemoryStore() }), url, {
    signers: [signer],
    openTransport: dial,
  });
  try {
    const repo = await session.subscribe(signer.key);
    await session.synced(repo);
    let next = 0;
    const publisher = async () => {
      while (next < count) {
        repo.publish({ number: next++, text: MESSAGE });
        await session.landed(repo);
      }
    };
    const time = await seconds(() => Promise.all(Array.from({ length: atOnce }, publisher)));
    return count / time;
  } finally {
    session.close();
    await relay.stop();
  }
}
