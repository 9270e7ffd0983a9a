/**
 * News between the processes that share a database. A commit of a head also rings one of ten bells,
 * which is as many keys as can be watched, and leaves a note of what changed. Rings are joined and
 * notes expire: whoever needs certainty asks for the head.
 */

import { type Key, keyToBytes, parseKey } from "../../core/identity/key.ts";

const SHARDS = 10;
const NOTE_MS = 60_000;

/** `operation` with the bell of `key` rung. */
export function ring(operation: Deno.AtomicOperation, key: Key): Deno.AtomicOperation {
  const shard = keyToBytes(key)[0] % SHARDS;
  return operation
    .sum(["bell", shard], 1n)
    .set(["changed", shard, key], true, { expireIn: NOTE_MS });
}

/** Yields each key some time after its bell rang, until `signal` aborts. */
export async function* listen(kv: Deno.Kv, signal: AbortSignal): AsyncGenerator<Key> {
  const bells = Array.from({ length: SHARDS }, (_, shard): Deno.KvKey => ["bell", shard]);
  const reader = kv.watch(bells).getReader();
  const stop = () => void reader.cancel();
  signal.addEventListener("abort", stop);
  try {
    const rung = new Array<string | null>(SHARDS).fill("");
    const seen = new Array<string>(SHARDS).fill("");
    while (!signal.aborted) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const [shard, { versionstamp }] of value.entries()) {
        if (versionstamp === null || versionstamp === rung[shard]) continue;
        rung[shard] = versionstamp;
        yield* changedSince(kv, shard, seen);
      }
    }
  } catch (error) {
    // Whoever aborts may close the database at once, under what is being read.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    await reader.cancel();
  }
}

/** The keys noted after `seen[shard]`, which moves on to the newest. */
async function* changedSince(kv: Deno.Kv, shard: number, seen: string[]): AsyncGenerator<Key> {
  const after = seen[shard];
  let newest = after;
  for await (const { key, versionstamp } of kv.list({ prefix: ["changed", shard] })) {
    if (versionstamp <= after) continue;
    if (versionstamp > newest) newest = versionstamp;
    yield parseKey(String(key[2]));
  }
  seen[shard] = newest;
}
