import assert from "node:assert/strict";
import { MissingBlock } from "../../../core/codec/chunks.ts";
import { StreamoError } from "../../../core/errors.ts";
import { BLOCK_MAX_BYTES } from "../../../core/log/block.ts";
import { chunkHash, ChunkIndex } from "../../../core/log/chunk_index.ts";
import { KnownChunks } from "../../../core/log/known_chunks.ts";
import { Log } from "../../../core/log/log.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { sharedBytes } from "../../../core/log/shared_bytes.ts";
import type { Store } from "../../../core/log/store.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";
import { AsyncStore, GatedStore } from "../../suites/stores.ts";
import { testCrypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const open = (store: Store = new MemoryStore(), cacheBytes?: number) =>
  Log.open(store, alice.key, { crypto: testCrypto, cacheBytes });
const chunk = (text: string) => new TextEncoder().encode(text);
const seal = (log: Log) => log.seal(alice, () => undefined);
const textAt = (log: Log, address: number, length: number) =>
  new TextDecoder().decode(log.at(address).subarray(0, length));

/** A log with one block for each text. */
async function written(...texts: string[]): Promise<Log> {
  const log = await open();
  for (const text of texts) {
    log.append(chunk(text));
    await seal(log);
  }
  return log;
}

Deno.test("chunks get the addresses of their first bytes, known ones the same, across blocks", async () => {
  const store = new MemoryStore();
  const log = await open(store);
  const known = new KnownChunks(log);
  assert.equal(known.append(chunk("one")), 0);
  assert.equal(known.append(chunk("two")), 3);
  assert.equal(known.append(chunk("one")), 0);
  assert.equal(log.append(chunk("one")), 6);
  await seal(log);
  assert.equal(known.append(chunk("two")), 3, "an equal chunk in a sealed block");
  assert.equal(known.append(chunk("three")), 9);
  const large = new Uint8Array(BLOCK_MAX_BYTES).fill(7);
  assert.equal(known.append(large), 14);
  assert.equal(known.append(large), 14);
  assert.equal(known.append(chunk("end")), 14 + BLOCK_MAX_BYTES);
  await seal(log);
  assert.equal(log.head!.blocks, 4, "a chunk never spans two blocks");
  const again = await open(store);
  assert.equal(textAt(again, 9, 5), "three");
  assert.equal(textAt(again, 14 + BLOCK_MAX_BYTES, 3), "end");
  assert.throws(() => again.at(17 + BLOCK_MAX_BYTES), { code: "missing_block" });
  assert.throws(() => log.append(new Uint8Array(BLOCK_MAX_BYTES + 1)), { code: "too_large" });
});

Deno.test("a writer ends a block before the chunk that would take it past 12 KiB", async () => {
  const cases: [string, number[], number[]][] = [
    ["up to it", [12_000, 288], [12_288]],
    ["one byte more", [12_000, 289], [12_000, 289]],
    ["a larger chunk", [100, 30_000, 100], [100, 30_000, 100]],
    ["the largest one", [BLOCK_MAX_BYTES, 1], [BLOCK_MAX_BYTES, 1]],
  ];
  for (const [name, chunks, blocks] of cases) {
    const store = new MemoryStore();
    const log = await open(store);
    for (const length of chunks) log.append(new Uint8Array(length));
    const head = (await seal(log))!;
    const cut = await Array.fromAsync(store.blocks(head.key, 0, 0, head.blocks));
    assert.deepEqual(cut.map(({ bytes }) => bytes.length), blocks, name);
  }
});

Deno.test("seal() without chunks gives the head that there is", async () => {
  const log = await open();
  assert.equal(await seal(log), undefined);
  log.append(chunk("x"));
  const head = await seal(log);
  assert.equal(await seal(log), head);
});

Deno.test("chunks written while a seal waits for the store are in the next one", async () => {
  const store = new GatedStore();
  const log = await open(store);
  log.append(chunk("first"));
  const { begun, release } = store.hold();
  const sealing = seal(log);
  await begun;
  assert.equal(log.append(chunk("second")), 5);
  assert.equal(log.append(new Uint8Array(BLOCK_MAX_BYTES)), 11);
  assert.equal(log.append(chunk("third")), 11 + BLOCK_MAX_BYTES);
  assert.equal(textAt(log, 5, 6), "second");
  release();
  assert.equal((await sealing)!.bytes, 5);
  assert.ok(log.isDirty);
  assert.equal(textAt(log, 11 + BLOCK_MAX_BYTES, 5), "third");
  const head = await seal(log);
  assert.equal(head!.bytes, 16 + BLOCK_MAX_BYTES);
  const again = await open(store);
  assert.equal(textAt(again, 0, 11), "first");
  assert.equal(textAt(again, 5, 6), "second");
});

Deno.test("a seal that fails loses nothing, and a later one stores everything", async () => {
  const store = new GatedStore();
  const log = await open(store);
  log.append(chunk("kept"));
  store.gate = () => Promise.reject(new StreamoError("storage", "no space left"));
  await assert.rejects(seal(log), { code: "storage" });
  await assert.rejects(seal(log), { code: "storage" });
  assert.equal(log.head, undefined);
  assert.equal(textAt(log, 0, 4), "kept");
  log.append(chunk("more"));
  store.gate = (append) => append();
  assert.equal((await seal(log))!.bytes, 8);
  assert.equal(textAt(await open(store), 0, 4), "kept");
});

Deno.test("seal() says conflict when the store has another head, and keeps its chunks", async () => {
  const store = new MemoryStore();
  const first = await open(store);
  const second = await open(store);
  first.append(chunk("first"));
  await seal(first);
  second.append(chunk("second"));
  await assert.rejects(seal(second), { code: "conflict" });
  assert.equal(textAt(second, 0, 6), "second");
  assert.ok(second.isDirty);
});

Deno.test("receive() stores verified runs; the head moves on with the last one", async () => {
  const author = await written("a", "b", "c", "d");
  const store = new MemoryStore();
  const log = await open(store);
  assert.deepEqual(await log.receive(await runOf(author, 0, 3)), { length: 3, complete: false });
  assert.equal(log.head, undefined);
  assert.equal(log.length, 3);
  assert.throws(() => log.at(0), { code: "missing_block" });
  assert.deepEqual(await log.receive(await runOf(author, 3)), { length: 4, complete: true });
  assert.deepStrictEqual(log.head, author.head);
  assert.ok(log.isDiverged, "the tip follows when it is told to");
  assert.ok(log.catchUp());
  assert.equal(textAt(log, 3, 1), "d");
  assert.deepEqual(log.position(), author.position());
});

Deno.test("a block is hashed once on its way: to be verified, stored, proven and passed on", async () => {
  const author = await written("one", "two", "three", "four");
  let hashed = 0;
  const crypto = {
    ...testCrypto,
    sha256: (...parts: Uint8Array[]) => {
      // A leaf, of whatever length, begins with 0.
      if (parts[0]?.[0] === 0) hashed++;
      return testCrypto.sha256(...parts);
    },
  };
  const log = await Log.open(new MemoryStore({ crypto }), alice.key, { crypto });
  await log.receive(await runOf(author, 0, 3));
  await log.receive(await runOf(author, 3));
  assert.deepEqual(await log.rootAt(3), await author.rootAt(3));
  assert.deepEqual(await (await log.proofs()).right(0, 2, 4), (await runOf(author, 0, 2)).proof);
  assert.equal(hashed, 4);
});

Deno.test("receive() names what does not fit, and changes nothing", async () => {
  const author = await written("a", "b", "c");
  const log = await open();
  await log.receive(await runOf(author, 0));
  log.catchUp();
  const older = await written("a", "b");
  const cases: [string, Awaited<ReturnType<typeof runOf>>, string][] = [
    ["an older head", await runOf(older, 0), "stale"],
    ["the same again", await runOf(author, 0), "conflict"],
    ["no blocks", { ...await runOf(author, 0), first: 3, blocks: [], proof: [] }, "bad_block"],
  ];
  for (const [name, run, code] of cases) {
    await assert.rejects(log.receive(run), { code }, name);
    assert.deepStrictEqual(log.head, author.head, name);
    assert.equal(log.length, 3, name);
  }
  author.append(chunk("d"));
  await seal(author);
  author.append(chunk("e"));
  await seal(author);
  await assert.rejects(log.receive(await runOf(author, 4)), { code: "conflict" });
  assert.ok((await log.receive(await runOf(author, 3))).complete);
});

Deno.test("chunks written while received blocks are stored are not lost, and not put behind them", async () => {
  const author = await written("a", "b");
  const store = new GatedStore();
  const log = await open(store);
  const { begun, release } = store.hold();
  const receiving = log.receive(await runOf(author, 0));
  await begun;
  assert.equal(log.append(chunk("mine")), 0);
  release();
  assert.ok((await receiving).complete);
  assert.ok(log.isDiverged);
  assert.equal(log.catchUp(), false, "writes are waiting");
  assert.equal(textAt(log, 0, 4), "mine", "addresses still mean what was written here");
  assert.equal(new TextDecoder().decode(log.stored.at(0)), "a");
  await assert.rejects(seal(log), { code: "conflict" });
  assert.equal(textAt(log, 0, 4), "mine");
});

Deno.test("a seal and a receive at once: one of them goes first, the other says conflict", async () => {
  const author = await written("a", "b");
  const log = await open();
  log.append(chunk("mine"));
  const results = await Promise.allSettled([seal(log), log.receive(await runOf(author, 0))]);
  assert.deepEqual(results.map(({ status }) => status), ["fulfilled", "rejected"]);
  assert.equal((results[1] as PromiseRejectedResult).reason.code, "conflict");
  assert.equal(textAt(log, 0, 4), "mine");
});

Deno.test("a download that broke off gives way to other blocks that continue the head", async () => {
  const common = ["a", "b"];
  const first = await written(...common, "c1", "d1", "e1");
  const second = await written(...common, "c2", "d2", "e2");
  const store = new MemoryStore();
  let log = await open(store);
  await log.receive(await runOf(await written(...common), 0));
  await log.receive(await runOf(first, 2, 4));
  assert.equal(log.length, 4);
  assert.notEqual(await log.rootAt(3), undefined);
  log = await open(store);
  assert.equal(log.length, 4, "it goes on after a restart");
  await log.rootAt(4);
  assert.equal((await log.receive(await runOf(second, 2, 4))).complete, false);
  assert.deepEqual(
    await log.rootAt(4),
    await second.rootAt(4),
    "roots are those of the new blocks",
  );
  assert.ok((await log.receive(await runOf(second, 4))).complete);
  log.catchUp();
  assert.equal(textAt(log, 2, 2), "c2");
  assert.deepEqual(log.position(), second.position());
});

Deno.test("a download in progress does not keep local writes from being stored", async () => {
  const author = await written("a", "b", "c");
  const store = new MemoryStore();
  await (await open(store)).receive(await runOf(author, 0, 2));
  const log = await open(store);
  log.append(chunk("mine"));
  const head = await seal(log);
  assert.equal(head!.blocks, 1);
  const again = await open(store);
  assert.equal(textAt(again, 0, 4), "mine");
  assert.equal(again.length, 1);
  assert.deepEqual(await again.rootAt(1), head!.root);
});

Deno.test("branch(), hold() and adopt() put another branch in this one's place", async () => {
  const mine = await written("a", "b", "c1");
  const other = await written("a", "b", "c2", "d2", "e2");
  const branch = await mine.branch(2);
  assert.equal(branch.heldLength, 2);
  assert.equal(await branch.hold(await runOf(other, 2, 4)), false);
  assert.equal(textAt(branch, 4, 2), "d2");
  assert.equal(mine.length, 3, "nothing is stored before it is whole");
  await assert.rejects(branch.hold(await runOf(other, 3)), { code: "bad_block" });
  assert.equal(await branch.hold(await runOf(other, 4)), true);
  const news: number[] = [];
  branch.events.on("advance", ({ from, blocks }) => news.push(from, blocks!.length));
  assert.ok(await mine.makeWay(branch));
  await branch.adopt();
  assert.deepEqual(news, [2, 3]);
  assert.deepEqual(branch.position(), other.position());
  assert.equal(textAt(branch, 0, 1), "a");
  branch.append(chunk("f2"));
  assert.equal((await seal(branch))!.blocks, 6);
});

Deno.test("hold() verifies as receive() does", async () => {
  const mine = await written("a");
  const other = await written("a", "b2", "c2");
  const good = await runOf(other, 1);
  const stranger = await signerOf("mallory");
  const cases: [string, typeof good, string][] = [
    ["a flipped byte", { ...good, blocks: [chunk("bX"), good.blocks[1]] }, "bad_block"],
    ["a cut run", { ...good, blocks: [good.blocks[0]] }, "bad_block"],
    ["another place", { ...good, first: 2 }, "bad_block"],
    ["another key", { ...good, head: { ...good.head, key: stranger.key } }, "wrong_key"],
    ["another root", { ...good, head: { ...good.head, root: mine.head!.root } }, "bad_signature"],
  ];
  for (const [name, run, code] of cases) {
    const branch = await mine.branch(1);
    await assert.rejects(branch.hold(run), { code }, name);
    assert.equal(branch.heldLength, 1, name);
    assert.ok(await branch.hold(good), name);
  }
});

Deno.test("a branch takes in what was sealed after it parted; not if its root is gone", async () => {
  const mine = await written("a", "b", "c1");
  const other = await written("a", "b", "c2", "d2");
  const branch = await mine.branch(2);
  const late = await mine.branch(3);
  await branch.hold(await runOf(other, 2));
  mine.append(chunk("d1"));
  await seal(mine);
  assert.ok(await mine.makeWay(branch));
  await branch.adopt();
  assert.equal(await branch.makeWay(late), false, "c1 is not in this log any more");
});

Deno.test("a log that lost its place reads what is at hand, and never other bytes", async () => {
  const store = new MemoryStore();
  const mine = await open(store);
  mine.append(chunk("aa"));
  await seal(mine);
  mine.append(chunk("bb"));
  await seal(mine);
  const old = await open(store);
  assert.equal(textAt(old, 0, 2), "aa");
  old.stored.cut(2);
  assert.throws(() => old.at(2), { code: "missing_block" });
  await assert.rejects(old.stored.load(2), { code: "missing_block" });
  assert.equal(textAt(old, 0, 2), "aa");
  assert.equal(textAt(mine, 2, 2), "bb");
});

Deno.test("without synchronous reads at() throws MissingBlock, which fetches its block", async () => {
  const memory = new MemoryStore();
  const author = await open(memory);
  for (const text of ["one", "two", "six"]) {
    author.append(chunk(text));
    await seal(author);
  }
  const store = new AsyncStore(memory);
  const log = await open(store);
  const missing = (() => {
    try {
      log.at(4);
    } catch (error) {
      return error;
    }
  })();
  assert.ok(missing instanceof MissingBlock);
  assert.equal(missing.data.address, 4);
  await missing.load();
  assert.equal(new TextDecoder().decode(log.at(4)), "wo");
  assert.equal(store.reads, 1);
  await assert.rejects(log.stored.load(9), { code: "missing_block" });
  assert.throws(() => log.at(9), (error: MissingBlock) => error instanceof MissingBlock);
  // An equal chunk that is not at hand is stored again rather than waited for, unless it is asked for.
  const index = new ChunkIndex();
  index.add(chunkHash(chunk("one")), 0);
  const known = new KnownChunks(log, index);
  assert.throws(() => known.patiently(3, () => known.append(chunk("one"))), MissingBlock);
  assert.equal(known.append(chunk("one")), 9);
});

Deno.test("sharedBytes() tells which waiting blocks another process has stored already", async () => {
  const store = new GatedStore();
  const log = await open(store);
  log.append(chunk("one"));
  await seal(log);
  log.append(chunk("two"));
  store.gate = async (append) => {
    await append();
    throw new StreamoError("storage", "the answer was lost");
  };
  const { head } = store;
  store.head = () => Promise.reject(new StreamoError("storage", "the store does not answer"));
  await assert.rejects(seal(log), { code: "storage" });
  store.head = head;
  log.append(chunk("three"));
  const now = await open(store);
  assert.equal(now.head!.blocks, 2);
  assert.equal(await sharedBytes(log, now), 6);
});

Deno.test("rootAt() gives roots of what is stored only, also of an empty log", async () => {
  const log = await written("a", "b");
  assert.deepEqual(await log.rootAt(2), log.head!.root);
  assert.equal(await log.rootAt(3), undefined);
  const empty = await open();
  assert.deepEqual(await empty.rootAt(0), testCrypto.sha256());
  assert.equal(await empty.rootAt(1), undefined);
});
