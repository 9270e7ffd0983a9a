import assert from "node:assert/strict";
import { Registry } from "../../../core/repo/registry.ts";
import { Changes } from "../../../relay/streams/changes.ts";
import { signerOf } from "../../suites/people.ts";
import { WatchedStore } from "../../suites/watched_store.ts";

async function alice() {
  const store = new WatchedStore();
  const registry = new Registry({ store });
  const repo = await registry.open(await signerOf("alice"));
  const write = async () => {
    repo.update("n", (n) => Number(n ?? 0) + 1);
    await repo.flush();
  };
  repo.set({});
  await repo.flush();
  const errors: unknown[] = [];
  const changes = new Changes(registry, (error) => errors.push(error));
  return { store, changes, errors, write, key: repo.key };
}

Deno.test("a listener hears this process and others, until it is stopped", async () => {
  const { store, changes, write, key } = await alice();
  let calls = 0;
  const stop = await changes.on(key, () => calls++);
  await write();
  assert.equal(calls, 1);
  const other = Promise.withResolvers<void>();
  const stopOther = await changes.on(key, other.resolve);
  store.ring(key);
  await other.promise;
  assert.equal(calls, 2);
  stop();
  await write();
  assert.equal(calls, 2);
  stopOther();
});

Deno.test("the store is watched once, as long as anybody listens", async () => {
  const { store, changes, key } = await alice();
  const stops = [await changes.on(key, () => {}), await changes.on(key, () => {})];
  assert.equal(store.watchers, 1);
  stops[0]();
  assert.equal(store.watchers, 1);
  stops[1]();
  // The watch ends a few turns of the event loop after it was told to.
  await store.quiet();
  assert.equal(store.watchers, 0);
});

Deno.test("a watch that breaks is reported, and begun again by the next listener", async () => {
  const { store, changes, errors, key } = await alice();
  const watch = store.watch.bind(store);
  const failed = Promise.withResolvers<void>();
  // deno-lint-ignore require-yield
  store.watch = async function* () {
    failed.resolve();
    throw new RangeError("the bell fell down");
  };
  const stop = await changes.on(key, () => {});
  await failed.promise;
  while (errors.length === 0) await Promise.resolve();
  assert.match(String(errors[0]), /the bell fell down/);
  store.watch = watch;
  const heard = Promise.withResolvers<void>();
  const stopSecond = await changes.on(key, heard.resolve);
  store.ring(key);
  await heard.promise;
  stop();
  stopSecond();
});
