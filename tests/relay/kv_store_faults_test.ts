/** The KV store when processes race, die and find damage. */

import assert from "node:assert/strict";
import { KvStore } from "../../relay/kv_store.ts";
import type { StoredHead } from "../../core/log/store.ts";
import { assertBlocks, assertHolds, readBlocks, rejects } from "../suites/store_checks.ts";
import { seeded, TestLog } from "../suites/test_log.ts";

/** Runs `test` with a database file, which every call of `open` opens once more. */
async function withDatabase(test: (open: () => Promise<Deno.Kv>) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  try {
    await test(() => Deno.openKv(`${directory}/kv.sqlite`));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** All keys of the database but the news for other processes. */
async function names(kv: Deno.Kv): Promise<Deno.KvKey[]> {
  const entries = await Array.fromAsync(kv.list({ prefix: [] }));
  return entries.map(({ key }) => key).filter(([kind]) => kind !== "bell" && kind !== "changed");
}

async function count(kv: Deno.Kv, kind: string): Promise<number> {
  return (await names(kv)).filter((key) => key[0] === kind).length;
}

/** A log whose appends need many commits: large blocks, and enough small ones for two tiles. */
async function longLog(): Promise<TestLog> {
  const sizes = Array.from({ length: 600 }, (_, i) => i % 20 === 0 ? 61_440 : 1 + i % 9);
  return (await TestLog.create(1)).add(...sizes);
}

Deno.test("of two processes that race over one database one wins, and nothing is left over", () =>
  withDatabase(async (open) => {
    const kv = await open();
    const stores = [await KvStore.open(await open()), await KvStore.open(await open())];
    let log = (await TestLog.create(1)).add(10);
    let stored = await log.putRun(stores[0], 0);
    for (let round = 0; round < 6; round++) {
      const from = log.blocks.length;
      // Every second time both write the very same blocks, the other times a fork each; long ones
      // take several commits.
      const sizes = Array.from({ length: round < 3 ? 5 : 300 }, (_, i) => i % 7 ? 9 : 30_000);
      const forks = stores.map((_, i) => log.fork(from, 10 + round % 2 * i).add(...sizes));
      const nexts = await Promise.all(forks.map((fork) => fork.stored()));
      const appends = stores.map((store, i) =>
        store.append(log.key, stored, forks[i].blocks.slice(from), nexts[i])
      );
      const results = await Promise.allSettled(appends);
      const winner = results.findIndex(({ status }) => status === "fulfilled");
      const loser = results[1 - winner];
      assert.ok(winner >= 0 && loser.status === "rejected", `round ${round}`);
      await rejects("conflict", () => Promise.reject(loser.reason));
      [log, stored] = [forks[winner], nexts[winner]];
      for (const store of stores) await assertHolds(store, log, stored);
      assert.equal(await count(kv, "block"), log.blocks.length, "no blocks of the loser");
    }
    for (const store of stores) await store.close();
    kv.close();
  }));

Deno.test("a store reads what another process replaces, whole", () =>
  withDatabase(async (open) => {
    const [writer, reader] = [await KvStore.open(await open()), await KvStore.open(await open())];
    const random = seeded(5);
    let log = (await TestLog.create(1)).add(...Array.from({ length: 700 }, (_, i) => 1 + i % 5));
    await log.putRun(writer, 0);
    for (let round = 0; round < 12; round++) {
      await assertHolds(reader, log, await log.stored());
      const from = Math.floor(random() * log.blocks.length);
      const sizes = Array.from({ length: Math.floor(random() * 600) }, () => 4);
      log = log.fork(from, 50 + round).add(...sizes);
      await log.putRun(writer, from);
      const middle = log.blocks[log.blocks.length >> 1];
      if (middle) assert.deepEqual(await reader.blockAt(log.key, 0, middle.start), middle);
    }
    await writer.close();
    await reader.close();
  }));

/** `kv` after whose next reading of a head, and before anything else, `act` runs. */
function interrupted(kv: Deno.Kv): { kv: Deno.Kv; next: (act: () => Promise<unknown>) => void } {
  let pending: (() => Promise<unknown>) | undefined;
  const proxy = new Proxy(kv, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== "get") return typeof value === "function" ? value.bind(target) : value;
      return async (key: Deno.KvKey) => {
        const entry = await target.get(key);
        const act = key[0] === "head" ? pending : undefined;
        if (act !== undefined) pending = undefined;
        await act?.();
        return entry;
      };
    },
  });
  return { kv: proxy, next: (act) => pending = act };
}

Deno.test("a log that changes while it is read is read as it was or as it is", () =>
  withDatabase(async (open) => {
    const writer = await KvStore.open(await open());
    let log = (await TestLog.create(1)).add(...Array.from({ length: 600 }, () => 5));
    await log.putRun(writer, 0);
    for (const [from, length] of [[600, 700], [700, 1030], [1025, 1031], [300, 1031], [100, 120]]) {
      // A new reader has nothing in memory.
      const { kv, next } = interrupted(await open());
      const reader = await KvStore.open(kv);
      const old = log;
      log = log.fork(from, 90 + length).add(...Array.from({ length: length - from }, () => 6));
      next(() => log.putRun(writer, from));
      const to = Math.min(old.blocks.length, log.blocks.length);
      const blocks = await readBlocks(reader, log.key, 0, to - 10, to);
      assert.deepEqual(blocks, log.blocks.slice(to - 10, to));
      await assertHolds(reader, log, await log.stored());
      await reader.close();
    }
    await writer.close();
  }));

Deno.test("an append to a log that changes while it is prepared conflicts", () =>
  withDatabase(async (open) => {
    const { kv, next } = interrupted(await open());
    const [first, second] = [await KvStore.open(await open()), await KvStore.open(kv)];
    const log = (await TestLog.create(1)).add(...Array.from({ length: 300 }, () => 5));
    const stored = await log.putRun(first, 0);
    const winner = log.fork(300, 2).add(...Array.from({ length: 300 }, () => 6));
    const loser = log.fork(290, 3).add(...Array.from({ length: 300 }, () => 7));
    const after = await loser.stored();
    next(() => winner.putRun(first, 300));
    await rejects("conflict", () => second.append(log.key, stored, loser.blocks.slice(290), after));
    for (const store of [first, second]) await assertHolds(store, winner, await winner.stored());
    await first.close();
    await second.close();
  }));

/** `kv` whose commits from the `limit`th on throw, as a killed process would not make them. */
function dyingAfter(kv: Deno.Kv, limit: number): { kv: Deno.Kv; commits: () => number } {
  let commits = 0;
  const dying = new Proxy(kv, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== "atomic") return typeof value === "function" ? value.bind(target) : value;
      return () => {
        const operation = target.atomic();
        const commit = operation.commit.bind(operation);
        operation.commit = () => {
          if (commits++ >= limit) throw new Error("the process is dead");
          return commit();
        };
        return operation;
      };
    },
  });
  return { kv: dying, commits: () => commits };
}

Deno.test("a process that dies between any two commits leaves the log before or after", async () => {
  const log = await longLog();
  const fork = log.fork(250, 8).add(...Array.from({ length: 300 }, (_, i) => i % 9 ? 3 : 50_000));
  for (let limit = 0, isDone = false; !isDone; limit++) {
    await withDatabase(async (open) => {
      const store = await KvStore.open(await open());
      await log.putRun(store, 0);
      await store.close();
      const { kv, commits } = dyingAfter(await open(), limit);
      const dying = await KvStore.open(kv);
      const outcome = await fork.putRun(dying, 250).then(() => "done", (error) => error.code);
      isDone = commits() <= limit;
      assert.equal(outcome, isDone ? "done" : "storage");
      await dying.close();
      const again = await KvStore.open(await open());
      const held = await again.head(log.key);
      const now = held?.length === 550 ? fork : log;
      await assertHolds(again, now, await now.stored());
      const next = now.fork(now.blocks.length, 3).add(5, 70);
      await assertHolds(again, next, await next.putRun(again, now.blocks.length));
      await again.drop(log.key, 1);
      await again.close();
      const left = await open();
      assert.deepEqual(await names(left), [], "dropping finds what the dead left");
      left.close();
    });
    if (limit > 40) throw new Error("the append makes too many commits");
  }
});

Deno.test("replaced blocks, given up epochs and dropped ones leave nothing behind", () =>
  withDatabase(async (open) => {
    const kv = await open();
    const store = await KvStore.open(await open());
    const log = await longLog();
    await log.putRun(store, 0);
    const fork = log.fork(255, 7).add(...Array.from({ length: 10 }, () => 8));
    await fork.putRun(store, 255);
    assert.equal(await count(kv, "block"), 265);
    assert.equal(await count(kv, "tile"), 1);
    const higher = fork.inEpoch(2).add(...Array.from({ length: 300 }, () => 2));
    await higher.put(store, 0, await higher.stored(300, await fork.head()));
    assert.equal(await count(kv, "block"), 565);
    await fork.putRun(store, 265);
    assert.equal(await count(kv, "block"), 265);
    await higher.putRun(store, 0);
    await store.drop(log.key, 2);
    assert.equal(await count(kv, "block"), 300);
    await assertBlocks(store, higher, 300);
    await store.drop(log.key, 3);
    assert.deepEqual(await names(kv), []);
    await store.close();
    kv.close();
  }));

Deno.test("values that changed in the database are damaged, never wrong", () =>
  withDatabase(async (open) => {
    const kv = await open();
    const log = (await TestLog.create(1)).add(...Array.from({ length: 300 }, () => 6));
    const first = await KvStore.open(await open());
    const stored = await log.putRun(first, 0);
    await first.close();
    for (const { key, value } of await Array.fromAsync(kv.list({ prefix: [] }))) {
      if (!(value instanceof Uint8Array) || key[0] === "block" && Number(key[4]) % 40 > 0) continue;
      if (key[0] === "leaf" && Number(key[4]) % 10 > 0) continue;
      for (const changed of [undefined, new Uint8Array(3), flip(value)]) {
        if (changed === undefined) await kv.delete(key);
        else await kv.set(key, changed);
        await holdsOrDamaged(await KvStore.open(await open()), log, stored, String(key[0]));
      }
      await kv.set(key, value);
    }
    const last = await KvStore.open(await open());
    await assertHolds(last, log, stored);
    await last.close();
    kv.close();
  }));

function flip(value: Uint8Array): Uint8Array {
  const changed = value.slice();
  changed[changed.length >> 1] ^= 1;
  return changed;
}

/** A head that is gone is not held; every other change is `damaged` wherever it shows. */
async function holdsOrDamaged(
  store: KvStore,
  log: TestLog,
  stored: StoredHead,
  kind: string,
): Promise<void> {
  try {
    if (kind === "head" && await store.head(log.key) === undefined) return;
    if (kind === "head") return void await store.head(log.key);
    for await (const block of store.blocks(log.key, 0, 0, stored.length)) {
      assert.deepEqual(block, log.blocks[block.index]);
    }
    assert.fail(`a changed "${kind}" went unnoticed`);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    await rejects("damaged", () => Promise.reject(error));
  } finally {
    await store.close();
  }
}

Deno.test("an append of very many small blocks takes many commits; more than fit are too_large", () =>
  withDatabase(async (open) => {
    const store = await KvStore.open(await open());
    const log = await TestLog.create(1);
    for (let i = 0; i < 3000; i++) log.addBytes(new Uint8Array([i]));
    await assertHolds(store, log, await log.putRun(store, 0));
    const blocks = Array.from({ length: 103_000 }, (_, i) => {
      return { index: 3000 + i, start: 3000 + i, bytes: new Uint8Array(1) };
    });
    const stored = await store.head(log.key);
    const frontier = Array.from({ length: bits(106_000) }, () => new Uint8Array(32));
    const next = { ...stored!, length: 106_000, bytes: 106_000, frontier };
    await rejects("too_large", () => store.append(log.key, stored, blocks, next));
    await assertHolds(store, log, await log.stored());
    await store.close();
  }));

function bits(length: number): number {
  return length.toString(2).replaceAll("0", "").length;
}

Deno.test("watch yields the keys that another store over the database changes", () =>
  withDatabase(async (open) => {
    const kv = await open();
    const watching = await KvStore.open(kv);
    const writing = await KvStore.open(await open());
    const logs = await Promise.all([1, 2, 3].map((seed) => TestLog.create(seed)));
    const stop = new AbortController();
    const seen = new Set<string>();
    const watched = (async () => {
      for await (const key of watching.watch(stop.signal)) {
        seen.add(key);
        if (seen.size === logs.length) stop.abort();
      }
    })();
    for (const log of logs) await log.add(10).putRun(writing, 0);
    await watched;
    assert.deepEqual([...seen].sort(), logs.map((log) => log.key).sort());
    await writing.close();
    await watching.close();
  }));

Deno.test("watch ends when the store is closed", () =>
  withDatabase(async (open) => {
    const store = await KvStore.open(await open());
    const watched = Array.fromAsync(store.watch(new AbortController().signal));
    await (await TestLog.create(1)).add(1).putRun(store, 0);
    await store.close();
    await watched;
  }));

Deno.test("blocks that are asked for while their log is dropped are missing_block", () =>
  withDatabase(async (open) => {
    const [a, b] = [await KvStore.open(await open()), await KvStore.open(await open())];
    const log = await longLog();
    await log.putRun(a, 0);
    await readBlocks(b, log.key, 0, 0, 600);
    await a.drop(log.key, 1);
    await rejects("missing_block", () => readBlocks(b, log.key, 0, 0, 600));
    await rejects("missing_block", () => b.hashes(log.key, 0, 0, 600));
    await a.close();
    await b.close();
  }));
