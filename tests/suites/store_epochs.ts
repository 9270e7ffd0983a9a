/** The part of the store suite about epochs. */

import assert from "node:assert/strict";
import type { StoreTests } from "./store.ts";
import { assertBlocks, assertHolds, readBlocks, readKeys, rejects } from "./store_checks.ts";
import { TestLog } from "./test_log.ts";

/** Raising an epoch, dropping old ones. */
export const epochTests: StoreTests = {
  "a higher epoch starts empty beside the old one, which stays until dropped": async (test) => {
    const old = (await TestLog.create(1)).add(10, 20, 30);
    await old.putRun(test.store, 0);
    const log = old.inEpoch(4).add(7, 8);
    const stored = await log.putRun(test.store, 0);
    await assertHolds(test.store, log, stored);
    await assertBlocks(test.store, old, 3);
    await test.reopen();
    await assertBlocks(test.store, old, 3);
    await test.store.drop(old.key, 4);
    await assertBlocks(test.store, old, 0);
    await assertHolds(test.store, log, stored);
    await test.reopen();
    await assertBlocks(test.store, old, 0);
    await assertHolds(test.store, log, stored);
  },

  "a download of a higher epoch leaves the old head readable": async (test) => {
    const old = (await TestLog.create(1)).add(10, 20, 30);
    await old.putRun(test.store, 0);
    const head = await old.head();
    const log = old.inEpoch(1).add(7, 8, 9);
    await log.put(test.store, 0, await log.stored(2, head));
    await assertHolds(test.store, log, await log.stored(2, head));
    await assertBlocks(test.store, old, 3);
    await test.reopen();
    await assertHolds(test.store, log, await log.stored(2, head));
    await assertBlocks(test.store, old, 3);
    await log.putRun(test.store, 2);
    await assertHolds(test.store, log, await log.stored(3));
    await test.store.drop(log.key, 1);
    await assertBlocks(test.store, old, 0);
    await assertHolds(test.store, log, await log.stored(3));
  },

  "a download of a higher epoch can be given up": async (test) => {
    const old = (await TestLog.create(1)).add(10, 20, 30, 40);
    await old.putRun(test.store, 0, 3);
    const log = old.inEpoch(1).add(7, 8, 9);
    await log.put(test.store, 0, await log.stored(2, await old.head(3)));
    await old.putRun(test.store, 3, 4);
    await assertHolds(test.store, old, await old.stored());
    await assertBlocks(test.store, log, 0);
    await test.reopen();
    await assertHolds(test.store, old, await old.stored());
    await assertBlocks(test.store, log, 0);
    await log.putRun(test.store, 0);
    await assertHolds(test.store, log, await log.stored());
  },

  "a higher epoch cannot start in the middle": async (test) => {
    const old = (await TestLog.create(1)).add(10, 20, 30);
    const stored = await old.putRun(test.store, 0);
    const log = old.inEpoch(1).add(10, 20, 30, 40);
    await assert.rejects(() => log.putRun(test.store, 3), RangeError);
    await assertHolds(test.store, old, stored);
  },

  "dropping epochs that are not there does nothing": async (test) => {
    const log = (await TestLog.create(1, 3)).add(10, 20);
    const stored = await log.putRun(test.store, 0);
    for (const epoch of [0, 1, 3]) await test.store.drop(log.key, epoch);
    await assertHolds(test.store, log, stored);
  },

  "a head whose blocks are dropped goes with them": async (test) => {
    const old = (await TestLog.create(1)).add(10, 20, 30);
    await old.putRun(test.store, 0);
    const log = old.inEpoch(1).add(7, 8, 9);
    await log.put(test.store, 0, await log.stored(2, await old.head()));
    await test.store.drop(log.key, 1);
    await assertHolds(test.store, log, await log.stored(2, "none"));
    await assertBlocks(test.store, old, 0);
    await test.reopen();
    await assertHolds(test.store, log, await log.stored(2, "none"));
  },

  "dropping every epoch forgets the key, which can start again": async (test) => {
    const log = (await TestLog.create(1)).add(...Array.from({ length: 300 }, () => 3));
    const other = (await TestLog.create(2)).add(5);
    await log.putRun(test.store, 0);
    await other.putRun(test.store, 0);
    await test.store.drop(log.key, 1);
    for (let round = 0; round < 2; round++) {
      assert.equal(await test.store.head(log.key), undefined);
      await rejects("missing_block", () => readBlocks(test.store, log.key, 0, 0, 1));
      await rejects("missing_block", () => test.store.hashes(log.key, 0, 0, 1));
      assert.equal(await test.store.blockAt(log.key, 0, 0), undefined);
      if (round === 0) await test.reopen();
      assert.deepEqual(await readKeys(test.store), [other.key]);
    }
    await log.putRun(test.store, 0, 280);
    await assertHolds(test.store, log, await log.stored(280));
  },
};
