/** The part of the store suite that reads. */

import assert from "node:assert/strict";
import { concat } from "../../core/bytes.ts";
import type { Block } from "../../core/log/block.ts";
import { leafHash } from "../../core/log/merkle.ts";
import type { StoreTests } from "./store.ts";
import { readBlocks, readKeys, rejects } from "./store_checks.ts";
import { testCrypto, TestLog } from "./test_log.ts";

/** Asking for what is there and what is not. */
export const readTests: StoreTests = {
  "asking for a key that nobody stored creates nothing": async (test) => {
    const { key } = await TestLog.create(1);
    for (let round = 0; round < 2; round++) {
      assert.equal(await test.store.head(key), undefined);
      assert.equal(await test.store.blockAt(key, 0, 0), undefined);
      assert.equal(test.store.blockAtSync?.(key, 0, 0), undefined);
      assert.deepEqual(await readBlocks(test.store, key, 0, 0, 0), []);
      assert.deepEqual(await test.store.hashes(key, 0, 0, 0), new Uint8Array(0));
      await rejects("missing_block", () => readBlocks(test.store, key, 0, 0, 1));
      await rejects("missing_block", () => test.store.hashes(key, 0, 0, 1));
      await test.store.drop(key, 5);
      assert.deepEqual(await readKeys(test.store), []);
      await test.reopen();
    }
  },

  "any run of blocks and hashes can be read": async (test) => {
    const log = (await TestLog.create(1)).add(...Array.from({ length: 530 }, (_, i) => i % 5 + 1));
    await log.putRun(test.store, 0, 300);
    await log.putRun(test.store, 300);
    const leaves = log.blocks.map((block) => leafHash(testCrypto, block.start, block.bytes));
    const edges = [0, 1, 2, 255, 256, 257, 299, 300, 301, 511, 512, 513, 529, 530];
    for (const from of edges) {
      for (const to of edges) {
        const blocks = await readBlocks(test.store, log.key, 0, from, to);
        assert.deepEqual(blocks, from < to ? log.blocks.slice(from, to) : []);
        const hashes = await test.store.hashes(log.key, 0, from, to);
        assert.deepEqual(hashes, concat(from < to ? leaves.slice(from, to) : []));
      }
    }
  },

  "a run past the end gives what is held, then missing_block": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30);
    await log.putRun(test.store, 0);
    const seen: Block[] = [];
    await rejects("missing_block", async () => {
      for await (const block of test.store.blocks(log.key, 0, 1, 5)) seen.push(block);
    });
    assert.deepEqual(seen, log.blocks.slice(1));
    await rejects("missing_block", () => test.store.hashes(log.key, 0, 1, 5));
    await rejects("missing_block", () => readBlocks(test.store, log.key, 0, 7, 9));
    await rejects("missing_block", () => readBlocks(test.store, log.key, 1, 0, 1));
    await rejects("missing_block", () => test.store.hashes(log.key, 1, 0, 1));
  },

  "an address finds its block at every boundary": async (test) => {
    const log = (await TestLog.create(1)).add(1, 2, 1, 300, 4, 61_440, 1);
    log.add(...Array.from({ length: 400 }, (_, i) => i % 3 + 1));
    await log.putRun(test.store, 0);
    const { store } = test;
    for (const { index, start, bytes } of log.blocks) {
      for (
        const address of new Set([start, start + (bytes.length >> 1), start + bytes.length - 1])
      ) {
        const found = await store.blockAt(log.key, 0, address);
        assert.equal(found?.index, index, `the block at address ${address}`);
        assert.deepEqual(found, log.blocks[index]);
        if (store.blockAtSync) {
          assert.deepEqual(store.blockAtSync(log.key, 0, address), log.blocks[index]);
        }
      }
    }
    for (const address of [-1, log.bytes(), log.bytes() + 1, 2 ** 50]) {
      assert.equal(await store.blockAt(log.key, 0, address), undefined, `at ${address}`);
      assert.equal(store.blockAtSync?.(log.key, 0, address), undefined, `at ${address}`);
    }
    assert.equal(await store.blockAt(log.key, 1, 0), undefined);
  },

  "an address past a replaced tail finds the new block or none": async (test) => {
    const log = (await TestLog.create(1)).add(10, 20, 30, 40);
    await log.putRun(test.store, 0);
    assert.equal((await test.store.blockAt(log.key, 0, 65))?.index, 3);
    const fork = log.fork(1, 9).add(25);
    await fork.putRun(test.store, 1);
    assert.deepEqual(await test.store.blockAt(log.key, 0, 10), fork.blocks[1]);
    assert.deepEqual(await test.store.blockAt(log.key, 0, 34), fork.blocks[1]);
    for (const address of [35, 59, 60, 65]) {
      assert.equal(await test.store.blockAt(log.key, 0, address), undefined);
      assert.equal(test.store.blockAtSync?.(log.key, 0, address), undefined);
    }
  },

  "addresses find their blocks after most of a long log is replaced": async (test) => {
    const log = (await TestLog.create(1)).add(...Array.from({ length: 1100 }, () => 2));
    await log.putRun(test.store, 0);
    for (const fork of [log, log.fork(100, 9).add(...Array.from({ length: 1100 }, () => 3))]) {
      if (fork !== log) await fork.putRun(test.store, 100);
      for (const block of fork.blocks) {
        assert.deepEqual(await test.store.blockAt(log.key, 0, block.start), block);
      }
    }
  },

  "changing bytes that were read does not change what is held": async (test) => {
    if (!test.durable) return; // a store in memory keeps the arrays that it is given
    const log = (await TestLog.create(1)).add(10, 20, 30);
    await log.putRun(test.store, 0);
    const [block] = await readBlocks(test.store, log.key, 0, 1, 2);
    block.bytes.fill(0);
    (await test.store.blockAt(log.key, 0, 10))?.bytes.fill(0);
    (await test.store.hashes(log.key, 0, 0, 3)).fill(0);
    assert.deepEqual(await readBlocks(test.store, log.key, 0, 0, 3), log.blocks);
    const leaf = leafHash(testCrypto, 10, log.blocks[1].bytes);
    assert.deepEqual(await test.store.hashes(log.key, 0, 1, 2), concat([leaf]));
  },
};
