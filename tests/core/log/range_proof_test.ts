import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { leafHash } from "../../../core/log/merkle.ts";
import { Proofs } from "../../../core/log/proofs.ts";
import { proveRange, verifyRange } from "../../../core/log/range_proof.ts";
import { naiveRoot } from "../../suites/naive_tree.ts";
import { testCrypto as crypto, TestLog } from "../../suites/test_log.ts";

const SIZES = 40;
const leaves = Array.from(
  { length: SIZES },
  (_, i) => leafHash(crypto, i, new Uint8Array([i])),
);
const treeOf = (blocks: number) => ({ blocks, root: naiveRoot(leaves.slice(0, blocks)) });
const refused = { code: "bad_block" };

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

Deno.test("proveRange() gives what a naive tree gives, and verifyRange() accepts it, for every run", () => {
  for (let size = 1; size <= SIZES; size++) {
    const tree = treeOf(size);
    const all = leaves.slice(0, size);
    for (let first = 0; first < size; first++) {
      for (let end = first + 1; end <= size; end++) {
        const proof = proveRange(crypto, all, first, end);
        assert.deepEqual(proof, naiveProof(all, first, end), `${first} to ${end} of ${size}`);
        verifyRange(crypto, tree, first, leaves.slice(first, end), proof);
      }
    }
  }
});

Deno.test("verifyRange() refuses every other proof, leaf, place and size", () => {
  const other = leaves[SIZES - 1];
  for (let size = 2; size < SIZES; size += 1 + size % 3) {
    const tree = treeOf(size);
    const all = leaves.slice(0, size);
    for (let first = 0; first < size; first++) {
      for (let end = first + 1; end <= size; end += 3) {
        const run = leaves.slice(first, end);
        const proof = proveRange(crypto, all, first, end);
        const refuses = (at: number, run: Uint8Array[], proof: Uint8Array[], in_ = tree) =>
          assert.throws(() => verifyRange(crypto, in_, at, run, proof), refused, `${at} ${size}`);
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

Deno.test("a proof whose hashes are cut elsewhere is refused: 31 and 33 bytes make the same node", () => {
  const [left, right] = proveRange(crypto, leaves.slice(0, 3), 1, 2);
  const both = new Uint8Array([...left, ...leaves[1]]);
  const tree = treeOf(3);
  verifyRange(crypto, tree, 1, [leaves[1]], [left, right]);
  const cut = [both.subarray(0, 31), right];
  assert.throws(() => verifyRange(crypto, tree, 1, [both.subarray(31)], cut), refused);
});

Deno.test("a proof out of 2^53 - 1 blocks takes as many steps as it has hashes", () => {
  let hashes = 0;
  const counting = { ...crypto, sha256: () => (hashes++, leaves[0]) };
  const tree = { blocks: Number.MAX_SAFE_INTEGER, root: leaves[0] };
  verifyRange(counting, tree, 2 ** 40, [leaves[1]], Array(53).fill(leaves[2]));
  assert.equal(hashes, 53);
  const short = () => verifyRange(counting, tree, 2 ** 40, [leaves[1]], Array(52).fill(leaves[2]));
  assert.throws(short, refused);
});

Deno.test("Proofs.range() proves what a store holds, also across tiles", async () => {
  const log = await TestLog.create(7);
  for (let i = 0; i < 700; i++) log.addBytes(new Uint8Array([i, i >> 8]));
  const store = new MemoryStore({ crypto });
  await log.putRun(store, 0);
  const proofs = new Proofs(store, log.key, 0, crypto);
  const all = log.blocks.map(({ start, bytes }) => leafHash(crypto, start, bytes));
  for (const [first, end, size] of [[0, 1, 1], [0, 1, 700], [255, 257, 513], [600, 700, 700]]) {
    const proof = await proofs.range(first, end, size);
    assert.deepEqual(proof, proveRange(crypto, all.slice(0, size), first, end));
    const tree = { blocks: size, root: naiveRoot(all.slice(0, size)) };
    verifyRange(crypto, tree, first, all.slice(first, end), proof);
  }
});
