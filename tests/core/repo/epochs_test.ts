import assert from "node:assert/strict";
import type { Block } from "../../../core/log/block.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { StoredHead } from "../../../core/log/store.ts";
import type { Key } from "../../../core/identity/key.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { sampleBytes } from "../../suites/sample_bytes.ts";
import { AsyncStore, GatedStore } from "../../suites/stores.ts";
import { alice, device, epochsIn, events, richValue } from "./epoch_devices.ts";

Deno.test("compact() keeps the value alone, and time goes on", async () => {
  let now = 1000;
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice, { clock: () => now });
  for (let i = 0; i < 20; i++) {
    repo.set({ i, junk: "x".repeat(1000) + i });
    repo.publish({ i });
    now += 10;
  }
  repo.set(richValue());
  const before = (await repo.flush())!;
  now = 7; // a clock that steps back
  const head = await repo.compact();
  assert.equal(head, repo.head);
  assert.equal(head!.epoch, 1);
  assert.ok(head!.bytes < before.bytes);
  assert.deepEqual(repo.get(), richValue());
  assert.deepEqual([...repo.history()].map(({ seq, time }) => [seq, time]), [[41, 1200]]);
  assert.deepEqual(events(repo), []);
  assert.deepEqual(await epochsIn(store, alice.key), [1]);
  repo.set("after", 1);
  await repo.flush();
  const again = await Repo.open(store, alice.key);
  assert.equal(again.lastRecord!.seq, 42);
  assert.equal(again.lastRecord!.time, 1200);
  assert.deepEqual(again.get(), { ...richValue(), after: 1 });
  assert.equal(again.recordAt(40), undefined);
  assert.equal(again.recordAt(41)!.seq, 41);
});

for (const kind of ["memory", "async"]) {
  Deno.test(`an upload goes on over a compaction, and the old epoch goes when it is through: ${kind}`, async () => {
    const memory = new MemoryStore();
    const repo = await Repo.open(kind === "memory" ? memory : new AsyncStore(memory), alice);
    const film = sampleBytes("hashed", 12_000_000);
    let at = 0;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (at === 9_000_000) {
          await repo.compact();
          assert.deepEqual(await epochsIn(memory, alice.key), [0, 1]);
        }
        if (at < film.length) controller.enqueue(film.slice(at, at += 500_000));
        else controller.close();
      },
    });
    repo.set({ old: "value" });
    await repo.putBytes(["film"], stream);
    await repo.flush();
    await repo.compact();
    assert.deepEqual(await epochsIn(memory, alice.key), [2]);
    assert.deepEqual(await repo.load("film"), film);
  });
}

Deno.test("compact() takes the last records along as they are", async () => {
  const repo = await device({ clock: ((now) => () => now += 5)(1000) });
  for (let i = 0; i < 100; i++) {
    if (i % 4 === 3) repo.publish({ i });
    else repo.transaction((draft) => draft.set(`k${i % 9}`, { i }), { message: `m${i}` });
    if (i % 10 === 0) await repo.flush();
  }
  const last = [...repo.history({ last: 30 })]
    .map(({ seq, time, message, hasEvent }) => ({ seq, time, message, hasEvent }));
  const values = last.map(({ seq }) => repo.at(seq)!.get());
  const published = repo.events({ after: 69 }).map(({ value }) => value);
  await repo.compact({ keepRecords: 30 });
  const [compacted, ...kept] = [...repo.history()]
    .map(({ seq, time, message, hasEvent }) => ({ seq, time, message, hasEvent }));
  assert.equal(compacted.seq, 100);
  assert.deepEqual(kept, last);
  assert.deepEqual(kept.map(({ seq }) => repo.at(seq)!.get()), values);
  assert.deepEqual(events(repo), published);
  assert.equal(repo.at(69), undefined);
  await repo.compact({ keepRecords: 1000 });
  assert.deepEqual(events(repo), published);
  assert.deepEqual(
    [...repo.history()].map(({ seq }) => seq).reverse(),
    Array.from({ length: 32 }, (_, i) => i + 70),
  );
  await assert.rejects(repo.compact({ keepRecords: -1 }), RangeError);
  assert.equal(await (await device()).compact(), undefined, "there is nothing");
});

Deno.test("a compacted log is found through: by number, by time, and after many more records", async () => {
  let now = 1000;
  const repo = await device({ clock: () => now += 10 });
  for (let i = 0; i < 37; i++) repo.set("i", i);
  await repo.compact({ keepRecords: 5 });
  for (let i = 38; i < 300; i++) repo.set("i", i);
  await repo.flush();
  for (let seq = 32; seq < 300; seq++) {
    const record = repo.recordAt(seq)!;
    assert.equal(record.seq, seq);
    // The record of the compaction is as old as the value that it holds.
    assert.equal(repo.recordAt(new Date(record.time))!.seq, seq === 36 ? 37 : seq);
    if (seq !== 37) assert.equal(repo.at(seq)!.get("i"), seq);
  }
  assert.equal(repo.recordAt(31), undefined);
});

Deno.test("compact() works where nothing is at hand, in steps that fit memory", async () => {
  const memory = new MemoryStore();
  const store = new AsyncStore(memory);
  const repo = await Repo.open(store, alice, { cacheBytes: 1 });
  const bytes = new Uint8Array(9_000_000);
  for (let i = 0; i < bytes.length; i += 65_536) {
    crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  }
  await repo.putBytes(["film"], new Blob([bytes]).stream());
  repo.set("value", richValue());
  repo.delete("value", "text");
  const { text: _text, ...value } = richValue();
  const appended: number[] = [];
  const append = store.append.bind(store);
  store.append = (key, expected, blocks, next) => {
    appended.push(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
    return append(key, expected, blocks, next);
  };
  await repo.flush();
  appended.length = 0;
  await repo.compact();
  assert.ok(appended.length >= 3, `${appended.length} appends`);
  assert.ok(Math.max(...appended) < 5 * 2 ** 20);
  assert.deepEqual(await repo.load("value"), value);
  const found = await new Response(repo.readBytes(["film"])).bytes();
  assert.ok(found.length === bytes.length && found.every((byte, i) => byte === bytes[i]));
  assert.deepEqual(await epochsIn(memory, alice.key), [1]);
});

Deno.test("what is written while compact() works is in the new epoch", async () => {
  const store = new GatedStore();
  const repo = await Repo.open(store, alice);
  for (let i = 0; i < 10; i++) repo.set("i", i);
  await repo.flush();
  const { begun, release } = store.hold();
  const seen: unknown[] = [];
  repo.on("replaced", ({ sharedBytes }) => seen.push(sharedBytes));
  const compacting = repo.compact();
  await begun;
  repo.set("late", { a: [1, 2] });
  repo.publish("late event");
  release();
  const head = await compacting;
  assert.equal(head!.epoch, 1);
  assert.deepEqual(seen, [0]);
  await repo.flush();
  const again = await Repo.open(store, alice.key);
  assert.deepEqual(again.get(), { i: 9, late: { a: [1, 2] } });
  assert.deepEqual(events(again), ["late event"]);
  assert.equal(again.lastRecord!.seq, 12);
});

/** A store whose appends or drops fail from the n-th on: what a crash leaves. */
class CrashingStore extends MemoryStore {
  left = Infinity;

  override async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    this.#step();
    await super.append(key, expected, blocks, next);
  }

  override async drop(key: Key, beforeEpoch: number): Promise<void> {
    this.#step();
    await super.drop(key, beforeEpoch);
  }

  #step(): void {
    if (this.left-- <= 0) throw new Error("crash");
  }
}

Deno.test("after a crash anywhere in compact() there is one epoch or the other, whole; the old one goes", async () => {
  for (let steps = 0;; steps++) {
    const store = new CrashingStore();
    const repo = await Repo.open(store, alice);
    const bytes = new Uint8Array(5_000_000);
    for (let i = 0; i < bytes.length; i += 50_000) {
      crypto.getRandomValues(bytes.subarray(i, i + 50_000));
    }
    await repo.putBytes(["film"], new Blob([bytes]).stream());
    repo.set("x", 1);
    await repo.flush();
    store.left = steps;
    const isWhole = await repo.compact().then(() => true, (error) => {
      assert.equal(error.message, "crash");
      return false;
    });
    store.left = Infinity;
    const again = await Repo.open(store, alice);
    assert.equal(again.get("x"), 1);
    assert.equal(again.size("film"), bytes.length);
    again.set("y", steps);
    await again.flush();
    assert.deepEqual(await epochsIn(store, alice.key), [again.log.epoch]);
    assert.equal(again.lastRecord!.seq, 2 + again.log.epoch);
    // The process that lived on goes on as well.
    if (again.log.epoch === 0) {
      await again.compact();
      assert.deepEqual(await epochsIn(store, alice.key), [1]);
    }
    assert.equal(again.get("y"), steps);
    if (!isWhole) continue;
    assert.ok(steps >= 3, `${steps} steps`);
    break;
  }
});

Deno.test("a failed compact() leaves the repo as it was, to be written and compacted", async () => {
  const store = new CrashingStore();
  const repo = await Repo.open(store, alice);
  repo.set("x", 1);
  await repo.flush();
  store.left = 0;
  await assert.rejects(repo.compact(), { message: "crash" });
  store.left = Infinity;
  repo.set("y", 2);
  await repo.flush();
  assert.equal(repo.head!.epoch, 0);
  await repo.compact();
  assert.deepEqual(repo.get(), { x: 1, y: 2 });
  assert.equal(repo.head!.epoch, 1);
});
