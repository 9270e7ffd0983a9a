import assert from "node:assert/strict";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { live } from "../../web/live.ts";
import { liveObject } from "../../web/live_object.ts";
import { computed, effect } from "../../web/signal.ts";
import { signerOf } from "../suites/people.ts";
import { noise } from "../suites/relay_world.ts";

async function repoOf(value: unknown): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), await signerOf("live"));
  repo.set(value);
  await repo.flush();
  return repo;
}

Deno.test("live(repo).get() in an effect runs again when the repo changes, until it is ended", async () => {
  const repo = await repoOf({ n: 1, other: { deep: true } });
  const seen: unknown[] = [];
  const others = new Set<unknown>();
  const stop = effect(() => {
    seen.push(live(repo).get("n"));
    others.add(live(repo).get("other"));
  });
  repo.set("n", 2);
  await repo.flush();
  assert.equal(seen[0], 1);
  assert.equal(seen.at(-1), 2);
  stop();
  const count = seen.length;
  repo.set("n", 3);
  await repo.flush();
  assert.equal(seen.length, count);
});

Deno.test("live() gives one view of a repo, whoever asks", async () => {
  const repo = await repoOf({});
  assert.equal(live(repo), live(repo));
});

Deno.test("everything that live(repo) reads is followed", async () => {
  const repo = await repoOf({ a: 1 });
  const view = live(repo);
  const all = computed(() => ({
    has: view.has("b"),
    keys: view.keys(),
    size: view.size(),
    records: view.history(2).map(({ seq }) => seq),
    blocks: view.head?.blocks,
  }));
  const none = effect(() => void all.value);
  assert.deepEqual(all.value, { has: false, keys: ["a"], size: 1, records: [0], blocks: 1 });
  repo.set("b", 2);
  assert.deepEqual(all.value.keys, ["a", "b"]);
  await repo.flush();
  assert.deepEqual(all.value, {
    has: true,
    keys: ["a", "b"],
    size: 2,
    records: [1, 0],
    blocks: 2,
  });
  none();
});

Deno.test("subscribe() and getSnapshot() suit stores of other frameworks", async () => {
  const repo = await repoOf({ n: 1 });
  const { subscribe, getSnapshot } = live(repo);
  let calls = 0;
  const stop = subscribe(() => calls++);
  const before = getSnapshot();
  assert.equal(getSnapshot(), before);
  repo.set("n", 2);
  assert.equal(calls, 1);
  assert.notEqual(getSnapshot(), before);
  stop();
  repo.set("n", 3);
  assert.equal(calls, 1);
  await repo.flush();
});

/** A store whose blocks can be read only by waiting, as in a browser's database. */
function waiting(store: MemoryStore, onRead: () => void): Store {
  return {
    head: (key) => store.head(key),
    append: (...args) => store.append(...args),
    blocks: (...args) => store.blocks(...args),
    blockAt(...args) {
      onRead();
      return store.blockAt(...args);
    },
    hashes: (...args) => store.hashes(...args),
    keys: () => store.keys(),
    drop: (...args) => store.drop(...args),
    asides: (key) => store.asides(key),
    aside: (...place) => store.aside(...place),
    keepAside: (...kept) => store.keepAside(...kept),
    close: () => store.close(),
  };
}

/** Longer than a block: it begins in one that opening the repo does not read. */
const FAR = noise(100_000).toHex();

async function farRepo(onRead: () => void): Promise<Repo> {
  const store = new MemoryStore();
  const signer = await signerOf("far");
  const writer = await Repo.open(store, signer);
  writer.set({ far: FAR, n: 1 });
  await writer.flush();
  return await Repo.open(waiting(store, onRead), signer.key);
}

Deno.test("a block that is not at hand is fetched, and then what asked for it runs again", async () => {
  const repo = await farRepo(() => {});
  const seen: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = effect(() => {
    const value = live(repo).get("far");
    seen.push(value);
    if (value !== undefined) resolve();
  });
  await promise;
  assert.equal(seen[0], undefined);
  assert.ok(seen.at(-1) === FAR);
  stop();
});

Deno.test("a block that is not to be had is an error where it was asked for", async () => {
  let isGone = false;
  const repo = await farRepo(() => {
    if (isGone) throw new Error("the disk is gone");
  });
  isGone = true;
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stop = effect(() => {
    try {
      live(repo).get("far");
    } catch (error) {
      resolve(error);
    }
  });
  assert.match(String(await promise), /the disk is gone/);
  stop();
});

Deno.test("liveObject() follows its properties one by one, also new and deleted ones", () => {
  const state = liveObject<{ a: number; b: number; c?: number }>({ a: 1, b: 1 });
  let log: string[] = [];
  const stops = [
    effect(() => void log.push(`a=${state.a}`)),
    effect(() => void log.push(`keys=${Object.keys(state)}`)),
    effect(() => void log.push(`c=${state.c} ${"c" in state}`)),
  ];
  const toldBy = (change: () => void): string[] => {
    log = [];
    change();
    return log.sort();
  };
  assert.deepEqual(toldBy(() => state.b = 2), []);
  assert.deepEqual(toldBy(() => state.a = 2), ["a=2"]);
  assert.deepEqual(toldBy(() => state.c = 3), ["c=3 true", "keys=a,b,c"]);
  assert.deepEqual(toldBy(() => delete state.c), ["c=undefined false", "keys=a,b"]);
  assert.deepEqual({ ...state }, { a: 2, b: 2 });
  for (const stop of stops) stop();
});
