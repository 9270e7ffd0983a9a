import assert from "node:assert/strict";
import { type Chunks, MissingBlock, Space, untilThere } from "../../../core/codec/chunks.ts";
import { Link } from "../../../core/codec/value.ts";
import { type Block, findBlock } from "../../../core/log/block.ts";
import { Log } from "../../../core/log/log.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Branch } from "../../../core/repo/branch.ts";
import { type HistoryRange, walkEvents, walkRecords } from "../../../core/repo/history.ts";
import { loaded } from "../../../core/repo/load_history.ts";
import { readRecord } from "../../../core/repo/record.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { writeRecord } from "../../../core/repo/write_record.ts";
import { testCrypto } from "../../suites/test_log.ts";
import { signerOf } from "../../suites/people.ts";
import { AsyncStore } from "../../suites/stores.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");

/** A repo of `length` records, 10 ms apart; every third one is an event. */
async function written(length: number, store = new MemoryStore()): Promise<Repo> {
  let now = 1000;
  const repo = await Repo.open(store, alice, { clock: () => now });
  for (let i = 0; i < length; i++) {
    if (i % 3 === 2) repo.publish({ i });
    else repo.set("i", i);
    now += 10;
  }
  await repo.flush();
  return repo;
}

const timeOf = (seq: number): Date => new Date(1000 + seq * 10);

/** What `range` of `length` records is, found by looking at all of them. */
function expected(length: number, range: HistoryRange, onlyEvents: boolean): number[] {
  const { since, until, after, first, last } = range;
  const low = typeof after === "number" ? after : after?.seq ?? -1;
  const all = Array.from({ length }, (_, seq) => seq).filter((seq) =>
    (since === undefined || timeOf(seq) >= since) &&
    (until === undefined || timeOf(seq) <= until) && seq > low &&
    (!onlyEvents || seq % 3 === 2)
  );
  if (first !== undefined) return all.slice(0, first);
  return last === undefined ? all : all.slice(Math.max(0, all.length - last));
}

Deno.test("history() and events() give the part that is asked for, whatever is said together", async () => {
  const length = 700;
  const repo = await written(length);
  const again = await Repo.open(new AsyncStore(await storeOf(length)), alice.key);
  const starts = [undefined, timeOf(-5), timeOf(0), new Date(1005), timeOf(257), timeOf(900)];
  const ends = [undefined, timeOf(-5), timeOf(3), new Date(3572), timeOf(699), timeOf(900)];
  const counts: HistoryRange[] = [{}, { last: 0 }, { last: 7 }, { first: 5 }, { first: 300 }];
  for (const since of starts) {
    for (const until of ends) {
      for (const after of [undefined, 4, 255, 1000]) {
        for (const count of counts) {
          const range = { since, until, after, ...count };
          const name = JSON.stringify(range);
          const isForward = after !== undefined || count.first !== undefined;
          const records = expected(length, range, false);
          const found = [...repo.history(range)].map(({ seq }) => seq);
          assert.deepEqual(isForward ? found : found.reverse(), records, name);
          const events = repo.events(range).map(({ record, value }) => {
            assert.deepEqual(value, { i: record.seq });
            return record.seq;
          });
          assert.deepEqual(events, expected(length, range, true), name);
          if (since !== starts[0] && until !== ends[0]) continue;
          const loaded = await Array.fromAsync(again.loadEvents(range), ({ record }) => record.seq);
          assert.deepEqual(loaded, events, name);
          const past = await Array.fromAsync(again.loadHistory(range), ({ seq }) => seq);
          assert.deepEqual(isForward ? past : past.reverse(), records, name);
        }
      }
    }
  }
  const range = { since: timeOf(300), until: timeOf(320), last: 4 };
  const events = await again.read(() => again.events(range));
  assert.deepEqual(events.map(({ record }) => record.seq), expected(length, range, true));
});

async function storeOf(length: number): Promise<MemoryStore> {
  const store = new MemoryStore();
  await written(length, store);
  return store;
}

Deno.test("a part far back is found without reading what lies between", async () => {
  const length = 20_000;
  const memory = new MemoryStore();
  let now = 1000;
  const repo = await Repo.open(memory, alice, { clock: () => now });
  for (let i = 0; i < length; i++) {
    now += 10;
    repo.publish({ i });
    if (i % 20 === 0) await repo.flush();
  }
  await repo.flush();
  const ranges: HistoryRange[] = [
    { after: 40, first: 20 },
    { until: new Date(repo.recordAt(60)!.time), last: 20 },
    { since: new Date(repo.recordAt(40)!.time), until: new Date(repo.recordAt(59)!.time) },
  ];
  for (const range of ranges) {
    const store = new AsyncStore(memory);
    const reader = await Repo.open(store, alice.key);
    const events = await reader.read(() => reader.events(range));
    assert.ok(events.length >= 20 && events.length <= 21);
    assert.ok(store.reads < 100, `${store.reads} of 1001 blocks were read`);
  }
});

Deno.test("events are found one from the other, whatever lies between them", async () => {
  const memory = new MemoryStore();
  let now = 1000;
  const repo = await Repo.open(memory, alice, { clock: () => now += 10 });
  const published = [3, 4, 4000, 9000, 9001];
  for (let i = 0; i < 10_000; i++) {
    if (published.includes(i)) repo.publish(i);
    else repo.set("i", i);
    if (i % 20 === 0) await repo.flush();
  }
  await repo.flush();
  const ranges: [HistoryRange, number[], number][] = [
    [{ last: 1 }, [9001], 3],
    [{ last: 3 }, [4000, 9000, 9001], 4],
    [{ last: 9 }, published, 6],
    [{ last: 1, until: new Date(repo.recordAt(8999)!.time) }, [4000], 40],
    [{ first: 1 }, [3], 100],
    [{}, published, 100],
  ];
  for (const [range, seqs, most] of ranges) {
    const store = new AsyncStore(memory);
    const reader = await Repo.open(store, alice.key);
    const found = await Array.fromAsync(reader.loadEvents(range), ({ value }) => value);
    assert.deepEqual(found, seqs);
    assert.ok(store.reads <= most, `${store.reads} of 502 blocks were read, not ${most}`);
  }
});

Deno.test("events that follow a long time without any are given in order, and held in part", async () => {
  const repo = await Repo.open(new MemoryStore(), alice);
  for (let i = 0; i < 6000; i++) i < 3000 ? repo.set("i", i) : repo.publish(i);
  const all = Array.from({ length: 3000 }, (_, i) => i + 3000);
  assert.deepEqual(repo.events().map(({ value }) => value), all);
  assert.deepEqual(repo.events({ first: 700 }).map(({ value }) => value), all.slice(0, 700));
});

/** A log of which one block is at hand, and those of the present read; counts how often a block is fetched and a chunk looked at. */
class OneBlock implements Chunks {
  readonly #blocks: readonly Block[];
  #here: Block | undefined;
  readonly #pinned = new Set<Block>();
  fetched = 0;
  looks = 0;

  constructor(blocks: readonly Block[]) {
    this.#blocks = blocks;
  }

  at(address: number): Uint8Array {
    this.looks++;
    const here = [...this.#pinned, ...this.#here === undefined ? [] : [this.#here]]
      .find((block) => findBlock([block], address) === block);
    if (here !== undefined) return here.bytes.subarray(address - here.start);
    throw new MissingBlock(address, (pins) => {
      this.fetched++;
      const block = findBlock(this.#blocks, address)!;
      this.#here = block;
      this.#pinned.add(block);
      pins!.add(block.bytes.length, () => this.#pinned.delete(block));
      return Promise.resolve();
    });
  }

  append(): never {
    throw new TypeError("it is only read");
  }
}

Deno.test("a walk over blocks that are fetched takes each once or twice, and begins nowhere anew", async () => {
  const store = new MemoryStore();
  const repo = await written(0, store);
  for (let i = 0; i < 3000; i++) {
    repo.publish(i);
    if (i % 10 === 9) await repo.flush();
  }
  const blocks = await Array.fromAsync(store.blocks(alice.key, 0, 0, 300));
  const ways: [typeof walkEvents, HistoryRange][] = [
    [walkEvents, {}],
    [walkEvents, { last: 3000 }],
    [walkRecords, {}],
    [walkRecords, { first: 3000 }],
  ];
  for (const [walk, range] of ways) {
    const chunks = new OneBlock(blocks);
    const space = new Space(chunks);
    const newest = await untilThere(() => readRecord(space, repo.head!.record!));
    const found = await Array.fromAsync(loaded(walk(space, newest, range)));
    assert.equal(found.length, 3000);
    // Each window's end is looked for by skips.
    assert.ok(chunks.fetched < 2 * 300, `${chunks.fetched} blocks were fetched`);
    assert.ok(chunks.looks < 2 * 3000, `${chunks.looks} chunks were looked at`);
  }
});

Deno.test("an event before that is none is malformed, wherever it is met", async () => {
  const store = new MemoryStore();
  const log = await Log.open(store, alice.key, { crypto: testCrypto });
  const { space } = new Branch(log);
  const what = { root: 7, event: undefined, hasEvent: false, message: "", time: 1 };
  const append = (chunk: Uint8Array) => log.append(chunk);
  const first = writeRecord(space, { ...what, seq: 0, parent: undefined, skip: undefined }, append);
  const second = writeRecord(space, { ...what, seq: 1, parent: first, skip: first }, append);
  const third = writeRecord(
    space,
    { ...what, seq: 2, parent: second, skip: first, eventBefore: first },
    append,
  );
  await log.seal(alice, () => third);
  const repo = await Repo.open(store, alice.key);
  for (const range of [{}, { last: 1 }, { first: 1 }]) {
    assert.throws(() => repo.events(range), { code: "malformed" });
    await assert.rejects(Array.fromAsync(repo.loadEvents(range)), { code: "malformed" });
  }
  assert.equal([...repo.history()].length, 3);
});

Deno.test("pages that go on after the last record of the one before give everything once", async () => {
  const repo = await written(100);
  const pages: number[][] = [];
  for (let after: HistoryRange["after"] = -1;;) {
    const page = repo.events({ after, first: 7 });
    if (page.length === 0) break;
    pages.push(page.map(({ record }) => record.seq));
    after = page[page.length - 1].record;
  }
  assert.deepEqual(pages.flat(), expected(100, {}, true));
  assert.equal(pages.length, 5);
});

Deno.test("the first and the last records at once, and counts that are none, are mistakes", async () => {
  const repo = await written(3);
  assert.throws(() => [...repo.history({ first: 1, last: 1 })], TypeError);
  for (const count of [-1, NaN]) {
    assert.throws(() => repo.events({ last: count }), RangeError);
    assert.throws(() => [...repo.history({ first: count })], RangeError);
  }
});

Deno.test("restore() sets an earlier value again: one record, no content", async () => {
  const repo = await Repo.open(new MemoryStore(), alice, { clock: () => 5 });
  repo.set({ text: "a".repeat(20_000), list: [1, 2, { x: 3 }] });
  const then = repo.get();
  repo.set({ text: "b".repeat(20_000) });
  repo.delete("text");
  const before = repo.head?.bytes ?? (await repo.flush())!.bytes;
  const address = repo.stat("list");
  assert.equal(address, undefined);
  repo.restore(0, { message: "as it was" });
  await repo.flush();
  assert.equal(repo.get(), then, "the very same value");
  assert.equal(repo.lastRecord!.message, "as it was");
  assert.equal(repo.lastRecord!.seq, 3);
  assert.ok(repo.head!.bytes - before < 50);
  repo.restore(repo.recordAt(2)!);
  assert.deepEqual(repo.get(), {});
  repo.restore(2);
  assert.equal(repo.lastRecord!.seq, 4, "nothing changed: no record");
  assert.throws(() => repo.restore(-1), { code: "not_found" });
  assert.throws(() => repo.restore(new Date(0)), { code: "not_found" });
  const reader = await Repo.open(new MemoryStore(), alice.key);
  assert.throws(() => reader.restore(0), { code: "read_only" });
});

Deno.test("a record cites links, and readers get them back", async () => {
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice);
  const from = new Link(bob.key, { seq: 7, path: ["notes", 3] });
  repo.transaction((draft) => draft.set("copied", 1), { cites: [from], message: "from bob" });
  repo.publish({ type: "reply" }, { cites: [from, new Link(bob.key)] });
  repo.set("x", 2);
  repo.transaction(() => {}, { cites: [from] });
  assert.equal(repo.lastRecord!.seq, 3, "citing is a reason for a record");
  await repo.flush();
  const reader = await Repo.open(store, alice.key);
  const cites = [...reader.history()].map((record) => record.cites);
  assert.deepEqual(cites, [[from], undefined, [from, new Link(bob.key)], [from]]);
  assert.ok((cites[0] as Link[])[0] instanceof Link);
});

Deno.test("a record of a log whose place was taken is not taken for one of the new log", async () => {
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice);
  for (let i = 0; i < 5; i++) repo.set("i", i);
  const record = repo.recordAt(2)!;
  assert.equal(repo.recordAt(record), record);
  await repo.compact();
  assert.equal(repo.recordAt(record), undefined);
  assert.equal(repo.at(record), undefined);
  assert.throws(() => repo.restore(record), { code: "not_found" });
});

Deno.test("resolve() reads what a link points to, at its record and path", async () => {
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice);
  repo.set({ notes: ["one"] });
  repo.push(["notes"], "two");
  repo.set("notes", 0, "changed");
  await repo.flush();
  const registry = new Registry({ store: new AsyncStore(store) });
  const resolve = (options?: ConstructorParameters<typeof Link>[1]) =>
    registry.resolve(new Link(alice.key, options));
  assert.deepEqual(await resolve(), { notes: ["changed", "two"] });
  assert.deepEqual(await resolve({ path: ["notes", 0] }), "changed");
  assert.deepEqual(await resolve({ seq: 0 }), { notes: ["one"] });
  assert.deepEqual(await resolve({ seq: 1, path: ["notes", 0] }), "one");
  await assert.rejects(resolve({ seq: 3 }), { code: "not_found" });
  await assert.rejects(resolve({ path: ["notes", 2] }), { code: "not_found" });
  await assert.rejects(registry.resolve(new Link(bob.key)), { code: "not_found" });
  await repo.compact();
  const later = new Registry({ store });
  await assert.rejects(later.resolve(new Link(alice.key, { seq: 1 })), { code: "not_found" });
  assert.deepEqual(await later.resolve(new Link(alice.key, { path: ["notes", 1] })), "two");
});
