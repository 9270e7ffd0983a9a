/** The part of the store suite that compares with the store in memory, step by step. */

import assert from "node:assert/strict";
import { sameStored, type VerifiedHead } from "../../core/log/head.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import type { StoreTest, StoreTests } from "./store.ts";
import { readBlocks, rejects } from "./store_checks.ts";
import { seeded, testCrypto, TestLog } from "./test_log.ts";

const STEPS = 60;

/** A whole number in [0, limit). */
type Below = (limit: number) => number;

/** Random histories. */
export const modelTests: StoreTests = {
  "a random history leaves what it leaves in memory": async (test) => {
    const seed = Number(Deno.env.get("STREAMO_SEED") ?? Math.floor(Math.random() * 2 ** 31));
    try {
      await randomHistory(test, seed);
    } catch (error) {
      throw new Error(`failed with STREAMO_SEED=${seed}`, { cause: error });
    }
  },
};

async function randomHistory(test: StoreTest, seed: number): Promise<void> {
  const random = seeded(seed);
  const below: Below = (limit) => Math.floor(random() * limit);
  const model = new MemoryStore({ crypto: testCrypto });
  const epochs = new Set<number>([0]);
  let log = await TestLog.create(1);
  for (let step = 0; step < STEPS; step++) {
    const choice = random();
    if (choice < 0.1) {
      await test.reopen();
    } else if (choice < 0.17) {
      const before = log.epoch + below(3) - 1;
      for (const store of [model, test.store]) await store.drop(log.key, before);
    } else {
      const held = await model.head(log.key);
      const next = grow(log, choice, step, below);
      const kept = held?.epoch === next.epoch ? commonBlocks(log, next) : 0;
      const stored = await next.stored(next.blocks.length, await chooseHead(next, held, below));
      for (const store of [model, test.store]) {
        await store.append(log.key, held, next.blocks.slice(kept), stored);
      }
      log = next;
      epochs.add(log.epoch);
    }
    await assertSame(test.store, model, log, epochs, below);
  }
}

/** The log after one random change: longer, forked, or of a higher epoch. */
function grow(log: TestLog, choice: number, step: number, below: Below): TestLog {
  const sizes = Array.from({ length: below(40) }, () => below(4) === 0 ? 1 + below(3000) : 1);
  if (choice > 0.93) return log.inEpoch(log.epoch + 1 + below(2)).add(...sizes);
  const kept = choice > 0.75 ? below(log.blocks.length + 1) : log.blocks.length;
  return log.fork(kept, 1000 + step).add(...sizes);
}

/** The newest head, none, an earlier one, or the one held while a higher epoch is downloaded. */
async function chooseHead(
  log: TestLog,
  held: StoredHead | undefined,
  below: Below,
): Promise<VerifiedHead | "none" | undefined> {
  const choice = below(8);
  if (choice === 0) return "none";
  if (choice === 1) return await log.head(below(log.blocks.length + 1));
  if (choice === 2 && held?.head !== undefined && held.head.epoch < log.epoch) return held.head;
  return undefined;
}

/** How many of the first blocks two logs share: a fork shares the objects themselves. */
function commonBlocks(a: TestLog, b: TestLog): number {
  let common = 0;
  while (common < a.blocks.length && a.blocks[common] === b.blocks[common]) common++;
  return common;
}

async function assertSame(
  store: Store,
  model: MemoryStore,
  log: TestLog,
  epochs: Set<number>,
  below: Below,
): Promise<void> {
  const { key } = log;
  assert.ok(sameStored(await store.head(key), await model.head(key)), "the same head");
  assert.deepEqual(await Array.fromAsync(store.keys()), await Array.fromAsync(model.keys()));
  for (const epoch of epochs) {
    const wanted = await allBlocks(model, log, epoch);
    const length = wanted.length;
    assert.deepEqual(await readBlocks(store, key, epoch, 0, length), wanted);
    assert.deepEqual(
      await store.hashes(key, epoch, 0, length),
      await model.hashes(key, epoch, 0, length),
    );
    await rejects("missing_block", () => readBlocks(store, key, epoch, length, length + 1));
    const last = wanted.at(-1);
    const end = last === undefined ? 0 : last.start + last.bytes.length;
    for (let i = 0; i < 5; i++) {
      const address = below(end + 2);
      const block = model.blockAtSync(key, epoch, address);
      assert.deepEqual(await store.blockAt(key, epoch, address), block);
    }
  }
}

async function allBlocks(model: MemoryStore, log: TestLog, epoch: number) {
  const blocks = [];
  for (let address = 0;;) {
    const block = await model.blockAt(log.key, epoch, address);
    if (block === undefined) return blocks;
    blocks.push(block);
    address = block.start + block.bytes.length;
  }
}
