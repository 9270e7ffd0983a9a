/** How tests of stores say what is held. */

import assert from "node:assert/strict";
import { concat } from "../../core/bytes.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import type { Block } from "../../core/log/block.ts";
import { sameStored, verifyHead } from "../../core/log/head.ts";
import { leafHash } from "../../core/log/merkle.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import { testCrypto, type TestLog } from "./test_log.ts";

/** The blocks [from, to) of `store`, as an array. */
export async function readBlocks(
  store: Store,
  key: Key,
  epoch: number,
  from: number,
  to: number,
): Promise<Block[]> {
  return await Array.fromAsync(store.blocks(key, epoch, from, to));
}

/** Every key of `store`, sorted. */
export async function readKeys(store: Store): Promise<Key[]> {
  return (await Array.fromAsync(store.keys())).sort();
}

/** Fails unless `store` holds exactly `stored`, with the blocks of `log` and their hashes. */
export async function assertHolds(store: Store, log: TestLog, stored: StoredHead): Promise<void> {
  const found = await store.head(log.key);
  assert.ok(
    sameStored(found, stored),
    `holds ${describe(found)} where ${describe(stored)} was stored`,
  );
  if (stored.head !== undefined) {
    assert.deepEqual(found?.head?.signature, stored.head.signature);
    await verifyHead(stored.head, log.key, testCrypto);
  }
  await assertBlocks(store, log, stored.length);
}

/** Fails unless the blocks of `log` below `length`, and none after them, can be read every way. */
export async function assertBlocks(store: Store, log: TestLog, length: number): Promise<void> {
  const { key, epoch } = log;
  assert.deepEqual(await readBlocks(store, key, epoch, 0, length), log.blocks.slice(0, length));
  const leaves = log.blocks.slice(0, length).map((b) => leafHash(testCrypto, b.start, b.bytes));
  assert.deepEqual(await store.hashes(key, epoch, 0, length), concat(leaves));
  await rejects("missing_block", () => readBlocks(store, key, epoch, length, length + 1));
  await rejects("missing_block", () => store.hashes(key, epoch, length, length + 1));
  assert.equal(await store.blockAt(key, epoch, log.bytes(length)), undefined);
}

/** Fails unless `act` rejects with a StreamoError of that code. */
export async function rejects(code: string, act: () => Promise<unknown>): Promise<StreamoError> {
  try {
    await act();
  } catch (error) {
    assert.ok(error instanceof StreamoError, `not a StreamoError: ${error}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  throw new assert.AssertionError({ message: `nothing was thrown, not "${code}"` });
}

function describe(stored: StoredHead | undefined): string {
  if (stored === undefined) return "nothing";
  const { head, epoch, length, bytes } = stored;
  const over = head === undefined ? "no head" : `head ${head.epoch}/${head.blocks}`;
  return `${length} blocks, ${bytes} bytes of epoch ${epoch}, ${over}`;
}
