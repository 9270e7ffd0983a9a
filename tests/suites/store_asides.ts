/** The part of the store suite about what is kept beside logs. */

import assert from "node:assert/strict";
import type { StoreTests } from "./store.ts";
import { assertHolds, readKeys } from "./store_checks.ts";
import { TestLog } from "./test_log.ts";

const NAME = `0-${"ab".repeat(32)}`;
const OTHER = `3-${"cd".repeat(32)}`;

/** Keeping, replacing, forgetting. */
export const asideTests: StoreTests = {
  "what is kept aside is there until it is forgotten, beside the log": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30);
    const stored = await log.putRun(test.store, 0);
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i * i >> 3);
    assert.deepEqual(await test.store.asides(log.key), []);
    assert.equal(await test.store.aside(log.key, NAME), undefined);
    await test.store.keepAside(log.key, NAME, bytes);
    await test.store.keepAside(log.key, OTHER, new Uint8Array([1]));
    for (let round = 0; round < 2; round++) {
      assert.deepEqual((await test.store.asides(log.key)).sort(), [NAME, OTHER]);
      assert.deepEqual(await test.store.aside(log.key, NAME), bytes);
      await assertHolds(test.store, log, stored);
      await test.reopen();
    }
    await test.store.keepAside(log.key, NAME, new Uint8Array([2, 3]));
    await test.store.keepAside(log.key, OTHER, undefined);
    await test.store.keepAside(log.key, OTHER, undefined);
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await test.store.asides(log.key), [NAME]);
      assert.deepEqual(await test.store.aside(log.key, NAME), new Uint8Array([2, 3]));
      assert.equal(await test.store.aside(log.key, OTHER), undefined);
      await test.reopen();
    }
  },

  "what is kept aside belongs to its key, and is no log": async (test) => {
    const [log, other] = [await TestLog.create(1), await TestLog.create(2)];
    await test.store.keepAside(log.key, NAME, new Uint8Array([1]));
    assert.deepEqual(await test.store.asides(other.key), []);
    assert.equal(await test.store.aside(other.key, NAME), undefined);
    assert.deepEqual(await readKeys(test.store), []);
    assert.equal(await test.store.head(log.key), undefined);
    await log.add(10).putRun(test.store, 0);
    await test.reopen();
    assert.deepEqual(await test.store.asides(log.key), [NAME]);
  },

  "what is kept aside stays when epochs are dropped, and goes with the whole key": async (test) => {
    const old = (await TestLog.create(1)).add(10, 20);
    await old.putRun(test.store, 0);
    await test.store.keepAside(old.key, NAME, new Uint8Array(100_000));
    const log = old.inEpoch(1).add(7);
    await log.putRun(test.store, 0);
    await test.store.drop(log.key, 1);
    assert.deepEqual(await test.store.asides(log.key), [NAME]);
    await test.store.drop(log.key, 2);
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await test.store.asides(log.key), []);
      assert.equal(await test.store.aside(log.key, NAME), undefined);
      await test.reopen();
    }
  },
};
