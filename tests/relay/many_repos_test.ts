import assert from "node:assert/strict";
import { FileStore } from "../../cli/file_store.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { KvStore } from "../../relay/kv_store.ts";
import { ManyRepos, until } from "../suites/many_repos.ts";

const STORES: Readonly<Record<string, (directory: string) => Promise<Store>>> = {
  "KV store": async (directory) => await KvStore.open(await Deno.openKv(`${directory}/kv`)),
  "file store": (directory) => FileStore.open(`${directory}/files`),
};

for (const [name, open] of Object.entries(STORES)) {
  Deno.test(`${name}: a relay that comes back after a restart says what changed of 60 repos`, async () => {
    const directory = await Deno.makeTempDir();
    let store = await open(directory);
    {
      await using world = await ManyRepos.open(60, store);
      const own = new MemoryStore();
      (await world.connect([], own)).session.close();
      await world.restart();
      await store.close();
      store = await open(directory);
      await world.restart(store);
      await world.write(3, "at the relay");
      const { traffic, repos } = await world.connect([], own);
      assert.equal(repos[3].get("text"), "at the relay");
      const { list, keys, open: opens, blocks } = traffic.kinds;
      assert.deepStrictEqual({ list, keys, opens, blocks }, {
        list: 1,
        keys: 2,
        opens: 1,
        blocks: 1,
      });
      assert.ok(traffic.bytes < 60 * 32 + 5000, `${traffic.bytes} bytes`);
      await world.write(4, "news");
      await until(repos[4], () => repos[4].get("text") === "news");
    }
    await store.close();
    await Deno.remove(directory, { recursive: true });
  });
}

Deno.test("what another process writes to the same database wakes a parked log", async () => {
  const directory = await Deno.makeTempDir();
  const stores = [await STORES["KV store"](directory), await STORES["KV store"](directory)];
  const stop = new AbortController();
  {
    await using world = await ManyRepos.open(40, stores[0]);
    const own = new MemoryStore();
    (await world.connect([], own)).session.close();
    await world.restart();
    const { repos } = await world.connect([], own);
    assert.equal(world.relay.registry.size, 0);
    // A watch of a database in one file hears its own process only: the bell is rung by hand.
    const [{ key }] = world.signers;
    const watched = Promise.withResolvers<void>();
    world.relay.registry.store.watch = async function* () {
      await watched.promise;
      yield key;
    };
    const watching = world.relay.registry.watch(stop.signal);
    await world.write(0, "elsewhere", new Registry({ store: stores[1] }));
    watched.resolve();
    await until(repos[0], () => repos[0].get("text") === "elsewhere");
    await watching;
  }
  for (const store of stores) await store.close();
  await Deno.remove(directory, { recursive: true });
});
