import assert from "node:assert/strict";
import { defaultCrypto } from "../../../core/identity/default_crypto.ts";
import { type Head, signHead } from "../../../core/log/head.ts";
import { leafHash, nodeHash, rootOf } from "../../../core/log/merkle.ts";
import { proofRanges, splitPoint } from "../../../core/log/merkle_proof.ts";
import { EMPTY, extend, type Extent, type Run } from "../../../core/log/run.ts";
import { checkRun } from "../../../core/log/check_run.ts";
import { signerOf } from "../../suites/people.ts";

const crypto = defaultCrypto();
const alice = await signerOf("alice");
const BLOCKS = Array.from({ length: 21 }, (_, i) => new Uint8Array(i + 1).fill(i));

/** The tree of RFC 9162 as it is defined, without any cleverness. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 1) return leaves[0];
  const split = splitPoint(leaves.length);
  return nodeHash(crypto, naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

function leavesOf(size: number): Uint8Array[] {
  let start = 0;
  return BLOCKS.slice(0, size).map((block) => {
    const leaf = leafHash(crypto, start, block);
    start += block.length;
    return leaf;
  });
}

function extentAt(length: number): Extent {
  return extend(crypto, EMPTY, BLOCKS.slice(0, length)).extent;
}

async function headOf(size: number, changes: Partial<Head> = {}) {
  const { bytes } = extentAt(size);
  const root = naiveRoot(leavesOf(size));
  const head = { key: alice.key, flags: 0, epoch: 0, blocks: size, bytes, record: undefined, root };
  return await signHead({ ...head, ...changes }, alice);
}

async function runOf(first: number, end: number, size: number): Promise<Run> {
  const leaves = leavesOf(size);
  const proof = proofRanges(first, end, size)
    .filter(([from]) => from >= end)
    .map(([from, to]) => naiveRoot(leaves.slice(from, to)));
  return { head: await headOf(size), first, blocks: BLOCKS.slice(first, end), proof };
}

Deno.test("checkRun() accepts every run of every small log, with nothing but the hashes right of it", async () => {
  for (let size = 1; size <= BLOCKS.length; size++) {
    for (let first = 0; first < size; first++) {
      for (let end = first + 1; end <= size; end++) {
        const run = await runOf(first, end, size);
        const { extent } = checkRun(crypto, run, await headOf(size), extentAt(first));
        assert.deepEqual(extent, extentAt(end));
      }
    }
    assert.deepEqual(rootOf(crypto, extentAt(size).frontier), naiveRoot(leavesOf(size)));
  }
});

Deno.test("checkRun() refuses what the head does not cover", async () => {
  const run = await runOf(3, 7, 13);
  const head = await headOf(13);
  const [hash, ...others] = run.proof;
  const blocks = [...run.blocks];
  blocks[2] = blocks[2].slice().fill(99);
  const cases: [string, Run, Extent?][] = [
    ["a changed block", { ...run, blocks }],
    ["blocks in another order", { ...run, blocks: run.blocks.toReversed() }],
    ["no blocks", { ...run, blocks: [] }],
    ["a block less", { ...run, blocks: run.blocks.slice(1) }],
    ["a hash too few", { ...run, proof: others }],
    ["a hash too many", { ...run, proof: [...run.proof, hash] }],
    ["hashes in another order", { ...run, proof: run.proof.toReversed() }],
    ["another place", { ...run, first: 4 }],
    ["another log before it", run, { ...extentAt(3), frontier: extentAt(5).frontier }],
    ["more blocks than the head has", { ...run, blocks: BLOCKS.slice(3, 20), proof: [] }],
  ];
  checkRun(crypto, run, head, extentAt(3));
  for (const [name, bad, from = extentAt(3)] of cases) {
    assert.throws(() => checkRun(crypto, bad, head, from), { code: "bad_block" }, name);
  }
});

Deno.test("checkRun() refuses a head that states another number of bytes", async () => {
  const whole = await runOf(0, 5, 5);
  for (const bytes of [14, 16]) {
    const head = await headOf(5, { bytes });
    assert.throws(() => checkRun(crypto, whole, head, EMPTY), { code: "bad_block" });
  }
  const part = await runOf(0, 4, 5);
  const head = await headOf(5, { bytes: 10 });
  assert.throws(() => checkRun(crypto, part, head, EMPTY), { code: "bad_block" });
});
