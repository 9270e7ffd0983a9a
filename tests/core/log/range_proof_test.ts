import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { leafHash } from "../../../core/log/merkle.ts";
import { Proofs } from "../../../core/log/proofs.ts";
import { type LeafRun, proveRuns, type Tree, verifyRuns } from "../../../core/log/range_proof.ts";
import { naiveRoot } from "../../suites/naive_tree.ts";
import { testCrypto as crypto, TestLog } from "../../suites/test_log.ts";

const SIZES = 40;
const leaves = Array.from(
  { length: SIZES },
  (_, i) => leafHash(crypto, i, new Uint8Array([i])),
);
const treeOf = (blocks: number) => ({ blocks, root: naiveRoot(leaves.slice(0, blocks)) });
const refused = { code: "bad_block" };
const prove = (all: Uint8Array[], first: number, end: number) =>
  proveRuns(crypto, all, [[first, end]]);
const verify = (tree: Tree, first: number, leaves: Uint8Array[], proof: Uint8Array[]) =>
  verifyRuns(crypto, tree, [{ first, leaves }], proof);

/** What lies outside [first, end), cut as RFC 9162 cuts a tree, from left to right. */
function naiveProof(tree: readonly Uint8Array[], first: number, end: number): Uint8Array[] {
  if (tree.length === 0 || first <= 0 && end >= tree.length) return [];
  if (end <= 0 || first >= tree.length) return [naiveRoot(tree)];
  let k = 1;
  while (k * 2 < tree.length) k *= 2;
  return [
    ...naiveProof(tree.slice(0, k), first, end),
    ...naiveProof(tree.slice(k), first - k, end - k),
  ];
}

Deno.test("proveRuns() gives what a naive tree gives, and verifyRuns() accepts it, for every run", () => {
  for (let size = 1; size <= SIZES; size++) {
    const tree = treeOf(size);
    const all = leaves.slice(0, size);
    for (let first = 0; first < size; first++) {
      for (let end = first + 1; end <= size; end++) {
        const proof = prove(all, first, end);
        assert.deepEqual(proof, naiveProof(all, first, end), `${first} to ${end} of ${size}`);
        verify(tree, first, leaves.slice(first, end), proof);
      }
    }
  }
});

Deno.test("verifyRuns() refuses every other proof, leaf, place and size", () => {
  const other = leaves[SIZES - 1];
  for (let size = 2; size < SIZES; size += 1 + size % 3) {
    const tree = treeOf(size);
    const all = leaves.slice(0, size);
    for (let first = 0; first < size; first++) {
      for (let end = first + 1; end <= size; end += 3) {
        const run = leaves.slice(first, end);
        const proof = prove(all, first, end);
        const refuses = (at: number, run: Uint8Array[], proof: Uint8Array[], in_ = tree) =>
          assert.throws(() => verify(in_, at, run, proof), refused, `${at} ${size}`);
        refuses(first, run, [...proof, other]);
        proof.forEach((_, i) => {
          refuses(first, run, proof.toSpliced(i, 1));
          refuses(first, run, proof.with(i, other));
          refuses(first, run, proof.with(i, proof[i].subarray(1)));
        });
        run.forEach((_, i) => refuses(first, run.with(i, other), proof));
        if (run.length > 1) refuses(first, run.toReversed(), proof);
        refuses(first + 1, run, proof);
        refuses(first - 1, run, proof);
        refuses(first, run, proof, { ...tree, blocks: end - 1 });
        refuses(first, run, proof, { ...tree, root: other });
        refuses(first, [], proof);
      }
    }
  }
});

/** All sets of runs that do not touch in `size` leaves: one for each set of leaves. */
function* runsIn(size: number): Generator<[number, number][]> {
  for (let set = 1; set < 2 ** size; set++) {
    const runs: [number, number][] = [];
    for (let i = 0; i < size; i++) {
      if (!(set >> i & 1)) continue;
      if (runs.at(-1)?.[1] === i) runs.at(-1)![1]++;
      else runs.push([i, i + 1]);
    }
    yield runs;
  }
}

/** What lies outside all runs. */
function naiveAround(tree: readonly Uint8Array[], runs: readonly [number, number][]): Uint8Array[] {
  if (tree.length === 0) return [];
  const inside = runs.map(([first, end]) => [Math.max(0, first), Math.min(tree.length, end)]);
  const count = inside.reduce((sum, [first, end]) => sum + Math.max(0, end - first), 0);
  if (count === tree.length) return [];
  if (count === 0) return [naiveRoot(tree)];
  let k = 1;
  while (k * 2 < tree.length) k *= 2;
  const right = runs.map(([first, end]): [number, number] => [first - k, end - k]);
  return [...naiveAround(tree.slice(0, k), runs), ...naiveAround(tree.slice(k), right)];
}

Deno.test("several runs have one proof, whose hashes they share", () => {
  for (let size = 1; size <= 9; size++) {
    const all = leaves.slice(0, size);
    for (const runs of runsIn(size)) {
      const proof = proveRuns(crypto, all, runs);
      assert.deepEqual(proof, naiveAround(all, runs), JSON.stringify(runs));
      const found = runs.map(([first, end]): LeafRun => ({ first, leaves: all.slice(first, end) }));
      verifyRuns(crypto, treeOf(size), found, proof);
    }
  }
});

Deno.test("runs that touch, overlap, fall, or lack a leaf are refused", () => {
  const run = (first: number, end: number) => ({ first, leaves: leaves.slice(first, end) });
  const proof = proveRuns(crypto, leaves, [[3, 5], [9, 10], [20, 30]]);
  const good = [run(3, 5), run(9, 10), run(20, 30)];
  const check = (runs: LeafRun[], hashes = proof) =>
    verifyRuns(crypto, treeOf(SIZES), runs, hashes);
  check(good);
  const bad: [string, LeafRun[]][] = [
    ["no runs", []],
    ["an empty run", [...good, run(35, 35)]],
    ["two that touch", [run(3, 4), run(4, 5), ...good.slice(1)]],
    ["two that overlap", [run(3, 5), run(4, 5), ...good.slice(1)]],
    ["one twice", [good[0], ...good]],
    ["the other order", good.toReversed()],
    ["a run too few", good.slice(1)],
    ["a run too many", [...good, run(32, 33)]],
    ["a leaf of another place", [good[0], { first: 9, leaves: [leaves[8]] }, good[2]]],
    ["one place further", [good[0], { first: 10, leaves: [leaves[9]] }, good[2]]],
    ["past the end", [...good.slice(0, 2), { first: 31, leaves: leaves.slice(20, 30) }]],
  ];
  for (const [name, runs] of bad) assert.throws(() => check(runs), refused, name);
  proof.forEach((_, i) => {
    assert.throws(() => check(good, proof.toSpliced(i, 1)), refused);
    assert.throws(() => check(good, proof.with(i, leaves[0])), refused);
  });
  assert.throws(() => check(good, [...proof, leaves[0]]), refused);
});

Deno.test("a proof whose hashes are cut elsewhere is refused: 31 and 33 bytes make the same node", () => {
  const [left, right] = prove(leaves.slice(0, 3), 1, 2);
  const both = new Uint8Array([...left, ...leaves[1]]);
  const tree = treeOf(3);
  verify(tree, 1, [leaves[1]], [left, right]);
  const cut = [both.subarray(0, 31), right];
  assert.throws(() => verify(tree, 1, [both.subarray(31)], cut), refused);
});

Deno.test("a proof out of 2^53 - 1 blocks takes as many steps as it has hashes", () => {
  let hashes = 0;
  const counting = { ...crypto, sha256: () => (hashes++, leaves[0]) };
  const tree = { blocks: Number.MAX_SAFE_INTEGER, root: leaves[0] };
  const run = [{ first: 2 ** 40, leaves: [leaves[1]] }];
  verifyRuns(counting, tree, run, Array(53).fill(leaves[2]));
  assert.equal(hashes, 53);
  const short = () => verifyRuns(counting, tree, run, Array(52).fill(leaves[2]));
  assert.throws(short, refused);
});

Deno.test("Proofs.runs() proves what a store holds, also across tiles", async () => {
  const log = await TestLog.create(7);
  for (let i = 0; i < 700; i++) log.addBytes(new Uint8Array([i, i >> 8]));
  const store = new MemoryStore({ crypto });
  await log.putRun(store, 0);
  const proofs = new Proofs(store, log.key, 0, crypto);
  const all = log.blocks.map(({ start, bytes }) => leafHash(crypto, start, bytes));
  for (const [first, end, size] of [[0, 1, 1], [0, 1, 700], [255, 257, 513], [600, 700, 700]]) {
    const proof = await proofs.runs([[first, end]], size);
    assert.deepEqual(proof, prove(all.slice(0, size), first, end));
    const tree = { blocks: size, root: naiveRoot(all.slice(0, size)) };
    verify(tree, first, all.slice(first, end), proof);
  }
});
