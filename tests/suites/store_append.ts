/** The part of the store suite that writes. */

import assert from "node:assert/strict";
import { BLOCK_MAX_BYTES } from "../../core/log/block.ts";
import type { StoreTests } from "./store.ts";
import { assertBlocks, assertHolds, readBlocks, readKeys, rejects } from "./store_checks.ts";
import { TestLog } from "./test_log.ts";

/** Appending, replacing, staging, racing. */
export const appendTests: StoreTests = {
  "an append is held, and after a reopening still": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30);
    const stored = await log.putRun(test.store, 0);
    await assertHolds(test.store, log, stored);
    await test.reopen();
    await assertHolds(test.store, log, stored);
  },

  "appends follow one another, with reopenings between": async (test) => {
    const log = (await TestLog.create(1)).add(...Array.from({ length: 12 }, (_, i) => i + 1));
    for (let length = 1; length <= 12; length++) {
      const stored = await log.putRun(test.store, length - 1, length);
      if (length % 4 === 0) await test.reopen();
      await assertHolds(test.store, log, stored);
    }
  },

  "a head over no new blocks replaces the head": async (test) => {
    const log = (await TestLog.create(1)).add(5, 5, 5);
    await log.put(test.store, 0, await log.stored(3, await log.head(1)));
    const stored = await log.put(test.store, 3, await log.stored(3));
    await assertHolds(test.store, log, stored);
  },

  "an append of nothing over an empty log is held": async (test) => {
    const log = await TestLog.create(1);
    const stored = await log.putRun(test.store, 0);
    await assertHolds(test.store, log, stored);
    assert.deepEqual(await readKeys(test.store), [log.key]);
  },

  "an append that expects something else conflicts and changes nothing": async (test) => {
    const log = (await TestLog.create(1)).add(10, 10, 10);
    const append = async (expected: number | undefined) =>
      await test.store.append(
        log.key,
        expected === undefined ? undefined : await log.stored(expected),
        log.blocks.slice(2),
        await log.stored(3),
      );
    await rejects("conflict", () => append(2));
    assert.deepEqual(await readKeys(test.store), []);
    const stored = await log.putRun(test.store, 0, 2);
    await rejects("conflict", () => append(undefined));
    await rejects("conflict", () => append(1));
    await rejects("conflict", () => append(3));
    await assertHolds(test.store, log, stored);
    await append(2);
    await assertHolds(test.store, log, await log.stored(3));
  },

  "a fork with the same head but other staged blocks conflicts": async (test) => {
    const log = (await TestLog.create(1)).add(10, 10, 10);
    const fork = log.fork(1, 99).add(10, 10);
    const head = await log.head(1);
    await log.put(test.store, 0, await log.stored(3, head));
    const expected = await fork.stored(3, head);
    await rejects("conflict", () => test.store.append(log.key, expected, [], expected));
    await assertHolds(test.store, log, await log.stored(3, head));
  },

  "blocks from a common prefix on replace the tail": async (test) => {
    const log = (await TestLog.create(1)).add(100, 200, 300, 400, 500);
    for (const [common, sizes] of [[3, [7]], [1, [8, 9, 10, 11, 12]], [0, [3]]] as const) {
      await log.putRun(test.store, 0);
      const fork = log.fork(common, 50 + common).add(...sizes);
      const stored = await fork.putRun(test.store, common);
      await assertHolds(test.store, fork, stored);
      await test.reopen();
      await assertHolds(test.store, fork, stored);
    }
  },

  "what is staged past the head is held, and the head stays": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30, 40, 50);
    const head = await log.head(2);
    await log.putRun(test.store, 0, 2);
    await log.put(test.store, 2, await log.stored(4, head));
    await assertHolds(test.store, log, await log.stored(4, head));
    await test.reopen();
    await assertHolds(test.store, log, await log.stored(4, head));
    await log.put(test.store, 4, await log.stored(5));
    await assertHolds(test.store, log, await log.stored(5));
  },

  "staged blocks can be given up": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30, 40, 50);
    await log.put(test.store, 0, await log.stored(5, await log.head(2)));
    const stored = await log.putRun(test.store, 2, 2);
    await assertHolds(test.store, log, stored);
    await test.reopen();
    await assertHolds(test.store, log, stored);
    const fork = log.fork(2, 77).add(33);
    await fork.putRun(test.store, 2);
    await assertHolds(test.store, fork, await fork.stored(3));
  },

  "a first download is held before it has a head": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30);
    await log.put(test.store, 0, await log.stored(2, "none"));
    assert.deepEqual(await readKeys(test.store), [log.key]);
    await test.reopen();
    await assertHolds(test.store, log, await log.stored(2, "none"));
    await log.putRun(test.store, 2);
    await assertHolds(test.store, log, await log.stored(3));
  },

  "of two racing appends one wins and the other conflicts": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20);
    for (let round = 0; round < 5; round++) {
      const from = log.blocks.length;
      const expected = round === 0 ? undefined : await test.store.head(log.key);
      const forks = [log.fork(from, 60), log.fork(from, 61)].map((f) => f.add(5, 600, 7));
      const results = await Promise.allSettled(
        await Promise.all(forks.map(async (fork) => {
          const next = await fork.stored();
          return () => test.store.append(log.key, expected, fork.blocks, next);
        })).then((appends) => appends.map((append) => append())),
      );
      const winner = results.findIndex((result) => result.status === "fulfilled");
      const loser = results.find((result) => result.status === "rejected");
      assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
      await rejects("conflict", () => Promise.reject(loser?.reason));
      await assertHolds(test.store, forks[winner], await forks[winner].stored());
      log.blocks.splice(from, 0, ...forks[winner].blocks.slice(from));
      log.frontiers.splice(from + 1, 0, ...forks[winner].frontiers.slice(from + 1));
    }
  },

  "appends to many keys at once do not mix": async (test) => {
    const logs = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => (await TestLog.create(i + 1)).add(i + 1, 50)),
    );
    await Promise.all(logs.map((log) => log.putRun(test.store, 0, 1)));
    await Promise.all(logs.map((log) => log.putRun(test.store, 1, 2)));
    assert.deepEqual(await readKeys(test.store), logs.map((log) => log.key).sort());
    await test.reopen();
    assert.deepEqual(await readKeys(test.store), logs.map((log) => log.key).sort());
    for (const log of logs) await assertHolds(test.store, log, await log.stored());
  },

  "the smallest and the largest blocks are held": async (test) => {
    const log = (await TestLog.create(1)).add(1, BLOCK_MAX_BYTES, 1, 1, BLOCK_MAX_BYTES);
    log.add(...Array.from({ length: 15 }, () => BLOCK_MAX_BYTES));
    const stored = await log.putRun(test.store, 0);
    await assertHolds(test.store, log, stored);
    await test.reopen();
    await assertHolds(test.store, log, stored);
  },

  "a log of many blocks grows, forks and shrinks across tiles of 256": async (test) => {
    const log = (await TestLog.create(1)).add(...Array.from({ length: 800 }, (_, i) => i % 9 + 1));
    let from = 0;
    for (const to of [255, 256, 257, 300, 511, 513, 800]) {
      await log.putRun(test.store, from, to);
      from = to;
    }
    await assertHolds(test.store, log, await log.stored());
    for (const common of [770, 513, 512, 256, 255, 3]) {
      const fork = log.fork(common, common + 1).add(...Array.from({ length: 20 }, () => 3));
      await fork.putRun(test.store, common);
      await assertHolds(test.store, fork, await fork.stored());
      if (common === 512) await test.reopen();
      await assertBlocks(test.store, fork, common + 20);
    }
  },

  "blocks and a head that do not fit together are refused": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30);
    const next = await log.stored();
    const misuse: [string, Parameters<typeof test.store.append>][] = [
      ["a gap before the first block", [log.key, undefined, log.blocks.slice(1), next]],
      ["a wrong index", [log.key, undefined, [{ ...log.blocks[0], index: 1 }], next]],
      ["too many blocks", [log.key, undefined, [...log.blocks, ...log.blocks], next]],
      ["wrong bytes", [log.key, undefined, log.blocks, { ...next, bytes: 61 }]],
      ["a short frontier", [log.key, undefined, log.blocks, { ...next, frontier: [] }]],
      ["a head past its blocks", [log.key, undefined, log.blocks.slice(0, 2), {
        ...await log.stored(2),
        head: await log.head(3),
      }]],
    ];
    for (const [what, args] of misuse) {
      await assert.rejects(() => test.store.append(...args), RangeError, what);
    }
    assert.equal(await test.store.head(log.key), undefined);
    assert.deepEqual(await readKeys(test.store), []);
  },

  "a reader during an append sees the log before or after it": async (test) => {
    const log = (await TestLog.create(1)).add(...Array.from({ length: 60 }, (_, i) => 100 + i));
    await log.putRun(test.store, 0, 20);
    const appending = log.putRun(test.store, 20);
    let done = false;
    const finished = appending.then(() => done = true);
    do {
      const stored = await test.store.head(log.key);
      assert.ok(stored?.length === 20 || stored?.length === 60);
      assert.deepEqual(
        await readBlocks(test.store, log.key, 0, 0, stored.length),
        log.blocks.slice(0, stored.length),
      );
      // Reads that need no waiting would otherwise keep the append from going on.
      await new Promise((resolve) => setTimeout(resolve, 0));
    } while (!done);
    await finished;
  },

  "a closed store says closed to everything": async (test) => {
    const log = (await TestLog.create(1)).add(10);
    await log.putRun(test.store, 0);
    const stored = await log.stored();
    const { store } = test;
    await store.close();
    await rejects("closed", () => store.head(log.key));
    await rejects("closed", () => store.append(log.key, stored, [], stored));
    await rejects("closed", () => readBlocks(store, log.key, 0, 0, 1));
    await rejects("closed", () => store.blockAt(log.key, 0, 0));
    await rejects("closed", () => store.hashes(log.key, 0, 0, 1));
    await rejects("closed", () => readKeys(store));
    await rejects("closed", () => store.drop(log.key, 1));
    if (store.blockAtSync) assert.throws(() => store.blockAtSync?.(log.key, 0, 0), /closed/);
    await store.close();
  },
};
