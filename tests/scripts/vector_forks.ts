/** Vectors of proofs that a key has signed two branches. */

import { concat, writeU64 } from "../../core/bytes.ts";
import { StreamoError } from "../../core/errors.ts";
import { verifyFork } from "../../core/log/fork_proof.ts";
import { compareHeads, encodeHead, signHead } from "../../core/log/head.ts";
import { leafHash } from "../../core/log/merkle.ts";
import { proveRuns } from "../../core/log/range_proof.ts";
import { testCrypto, TestLog } from "../suites/test_log.ts";
import type { Bad } from "./vector_inputs.ts";

/** By the definition: both heads, the index, and each leaf with the hashes around it. */
async function proofOf(won: TestLog, lost: TestLog, index: number): Promise<Uint8Array> {
  const place = new Uint8Array(8);
  writeU64(place, 0, index);
  const heads = [encodeHead(await won.head()), encodeHead(await lost.head())];
  return concat([...heads, place, ...path(won, index), ...path(lost, index)]);
}

function path({ blocks }: TestLog, index: number): Uint8Array[] {
  const leaves = blocks.map(({ start, bytes }) => leafHash(testCrypto, start, bytes));
  return [leaves[index], ...proveRuns(testCrypto, leaves, [[index, index + 1]])];
}

/** Logs of 3 blocks that go on to 8, 5 and 5. */
async function branches(): Promise<TestLog[]> {
  const log = (await TestLog.create(1)).add(5, 6, 7);
  const [b, c] = [log.fork(3, 3).add(9, 9), log.fork(3, 4).add(9, 9)];
  const heads = [await b.head(), await c.head()];
  const sorted = compareHeads(heads[0], heads[1]) < 0 ? [b, c] : [c, b];
  return [log.fork(3, 2).add(8, 8, 8, 8, 8), ...sorted];
}

/** Forks, and where they part. */
export async function forks() {
  const [a, b, c] = await branches();
  const one = (await TestLog.create(1)).add(5);
  const cases: [string, TestLog, TestLog, number][] = [
    ["of 8 and 5 blocks", a, b, 3],
    ["a block after the one where they part", a, b, 4],
    ["of equal length", b, c, 3],
    ["with nothing in common", a, (await TestLog.create(1)).fork(0, 5).add(4), 0],
    ["of one block each", ...await inOrder(one, one.fork(0, 6).add(5)), 0],
  ];
  return await Promise.all(cases.map(async ([name, won, lost, index]) => ({
    name,
    won: encodeHead(await won.head()).toHex(),
    lost: encodeHead(await lost.head()).toHex(),
    index,
    hex: (await proofOf(won, lost, index)).toHex(),
  })));
}

async function inOrder(a: TestLog, b: TestLog): Promise<[TestLog, TestLog]> {
  return compareHeads(await a.head(), await b.head()) < 0 ? [a, b] : [b, a];
}

/** What shows no fork, with one cause each. */
export async function badForks(): Promise<Bad[]> {
  const [a, b, c] = await branches();
  const good = await proofOf(a, b, 3);
  const shorter = a.fork(5, 2);
  const other = (await TestLog.create(2)).add(5);
  const nextEpoch = a.inEpoch(1).add(5, 6);
  const set = (at: number, bytes: Uint8Array) =>
    concat([good.subarray(0, at), bytes, good.subarray(at + bytes.length)]);
  const tail = good.length - 32;
  const wrongSigner = await signHead({ ...await b.head(), key: other.key }, other.signer);
  const cases: [string, Uint8Array][] = [
    ["a head and one that extends it", await proofOf(a, shorter, 4)],
    ["a head of one block and one that extends it", await proofOf(a, a.fork(1, 2), 0)],
    ["a block before they part", await proofOf(a, b, 2)],
    ["one head twice", await proofOf(a, a, 3)],
    ["the head that loses first", await proofOf(c, b, 3)],
    ["the shorter head first", await proofOf(b, a, 3)],
    ["two epochs", await proofOf(nextEpoch, b, 0)],
    ["two keys", await proofOf(b, other, 0)],
    ["a head with the other's key and a signature of another", set(157, encodeHead(wrongSigner))],
    ["a head that was not signed", set(157 + 93, new Uint8Array(64))],
    ["an index past the shorter branch", set(314, Uint8Array.fromHex("0000000000000005"))],
    ["another index", set(314, Uint8Array.fromHex("0000000000000002"))],
    ["another leaf", set(322, new Uint8Array(32))],
    ["another hash", set(tail, new Uint8Array(32))],
    ["a hash too few", good.subarray(0, tail)],
    ["a hash too many", concat([good, good.subarray(tail)])],
    ["a byte too few", good.subarray(0, -1)],
    ["two heads alone", good.subarray(0, 314)],
    ["nothing", new Uint8Array()],
  ];
  return await Promise.all(cases.map(async ([name, bytes]) => ({
    name,
    hex: bytes.toHex(),
    code: await codeOf(name, bytes),
  })));
}

async function codeOf(name: string, bytes: Uint8Array): Promise<string> {
  try {
    await verifyFork(testCrypto, bytes);
  } catch (error) {
    if (error instanceof StreamoError) return error.code;
    throw error;
  }
  throw new Error(`a proof was not refused: ${name}`);
}
