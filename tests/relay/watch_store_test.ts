import assert from "node:assert/strict";
import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { KvStore } from "../../relay/kv_store.ts";
import { watchStore } from "../../relay/watch_store.ts";
import { joinChain, startChainRelay } from "../suites/chain.ts";
import { signerOf } from "../suites/people.ts";

const alice = await signerOf("alice");

Deno.test("relays over one database: what is pushed to one reaches the clients of the other, live", async () => {
  const kv = await Deno.openKv(":memory:");
  // The database is closed once, by the first.
  const stores = [await KvStore.open(kv), await KvStore.open(kv)];
  const relays = await Promise.all(stores.map((store) => startChainRelay([], { store })));
  const closing = new AbortController();
  const errors: unknown[] = [];
  const options = { signal: closing.signal, onError: (error: unknown) => errors.push(error) };
  const watching = relays.map(({ registry }) => watchStore(registry, options));
  const writers = await Promise.all(relays.map(({ url }) => joinChain(url, alice)));
  const reader = await joinChain(relays[1].url, alice.key);
  writers[0].repo.set("n", 1);
  await reader.until(() => reader.repo.get("n") === 1);
  await writers[1].until(() => writers[1].repo.get("n") === 1);
  writers[0].repo.set("a", 2);
  writers[1].repo.set("b", 3);
  await reader.until(() => reader.repo.get("a") === 2 && reader.repo.get("b") === 3);
  for (const { session, rejected } of [...writers, reader]) {
    assert.deepEqual(rejected, []);
    session.close();
  }
  closing.abort();
  await Promise.all(watching);
  await Promise.all(relays.map((relay) => relay.stop()));
  await stores[0].close();
  assert.deepEqual(errors, []);
});

Deno.test("a watch that breaks is begun again", async () => {
  const closing = new AbortController();
  let count = 0;
  const store = Object.assign(new MemoryStore(), {
    // deno-lint-ignore require-yield
    async *watch(): AsyncGenerator<Key> {
      if (++count < 3) throw new StreamoError("storage", "the database went away");
      closing.abort();
    },
  });
  const errors: unknown[] = [];
  await watchStore(new Registry({ store }), {
    signal: closing.signal,
    onError: (error) => errors.push(error),
    timer: (callback) => {
      queueMicrotask(callback);
      return () => undefined;
    },
  });
  assert.deepEqual([count, errors.length], [3, 2]);
});
