import assert from "node:assert/strict";
import { FileStore } from "../../cli/file_store.ts";
import { concat } from "../../core/bytes.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { StoreSource } from "../../core/log/store_source.ts";
import type { Store } from "../../core/log/store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { HttpSource } from "../../core/sync/http_source.ts";
import { KvStore } from "../../relay/kv_store.ts";
import { signerOf } from "../suites/people.ts";
import { relayWorld } from "../suites/relay_world.ts";
import { runOf } from "../suites/runs.ts";
import { sampleBytes } from "../suites/sample_bytes.ts";
import { testCrypto as crypto } from "../suites/test_log.ts";

const alice = await signerOf("alice");
const film = sampleBytes("hashed", 1_500_000);

async function author(): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), alice);
  repo.transaction((draft) => {
    for (let i = 0; i < 100; i++) draft.set("notes", `n${i}`, { text: `note ${i} `.repeat(40) });
    draft.set("list", Array.from({ length: 500 }, (_, i) => i * i));
  });
  await repo.flush();
  await repo.putBytes(["film"], ReadableStream.from([film]));
  for (let i = 0; i < 10; i++) {
    repo.set("notes", "n7", { text: `change ${i}` });
    repo.publish({ i });
    await repo.flush();
  }
  return repo;
}

/** Everything that can be read of a repo, fetched where it is not at hand. */
async function everything(repo: Repo) {
  return {
    value: await repo.load(),
    film: concat(await Array.fromAsync(repo.readBytes(["film"]))),
    part: concat(await Array.fromAsync(repo.readBytes(["film"], { start: 700_000, end: 700_100 }))),
    history: (await repo.read(() => [...repo.history()])).map(({ seq, address }) => [seq, address]),
    events: (await repo.read(() => repo.events())).map(({ value }) => value),
    before: await repo.read(() => repo.at(3)!.get("notes", "n7")),
    keys: await repo.read(() => [...repo.keys(["notes"], { prefix: "n1" })]),
  };
}

Deno.test("one decoder serves memory, files, KV, and what is fetched from a relay or another store", async () => {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  const files = await FileStore.open(directory, { crypto });
  const kv = await KvStore.open(await Deno.openKv(":memory:"), { crypto });
  const none = new MemoryStore();
  try {
    const written = await author();
    const expected = await everything(written);
    assert.deepEqual(expected.film, film);
    const run = await runOf(written, 0);
    const stores: Record<string, Store> = { memory: new MemoryStore(), files, kv };
    for (const [name, store] of Object.entries(stores)) {
      await (await Repo.open(store, alice.key)).receive(run);
      const near = await Repo.open(store, alice.key, { cacheBytes: 200_000 });
      assert.deepEqual(await everything(near), expected, name);
      const source = new StoreSource(store, crypto);
      const far = await Repo.open(none, alice.key, { source, cacheBytes: 200_000 });
      assert.deepEqual(await everything(far), expected, `a source over ${name}`);
      const { relay } = await relayWorld({}, store);
      const fetch = async (url: string, init?: RequestInit) =>
        await relay.fetch(new Request(url, init));
      const http = new HttpSource("http://relay.test", { fetch });
      const remote = await Repo.open(none, alice.key, { source: http });
      assert.deepEqual(await everything(remote), expected, `a relay over ${name}`);
    }
  } finally {
    await files.close();
    await kv.close();
    await Deno.remove(directory, { recursive: true });
  }
});
