import assert from "node:assert/strict";
import { proveConsistency, verifyConsistency } from "../../../core/log/consistency_proof.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { leafHash } from "../../../core/log/merkle.ts";
import { Proofs } from "../../../core/log/proofs.ts";
import { naiveRoot } from "../../suites/naive_tree.ts";
import { testCrypto as crypto, TestLog } from "../../suites/test_log.ts";

const SIZES = 40;
const leaves = Array.from(
  { length: SIZES + 1 },
  (_, i) => leafHash(crypto, i, new Uint8Array([i])),
);
const other = leaves[SIZES];
const treeOf = (blocks: number, all = leaves) => ({
  blocks,
  root: naiveRoot(all.slice(0, blocks)),
});
const refused = { code: "bad_block" };

/** SUBPROOF of RFC 9162 section 2.1.4.1, word for word. */
function subproof(m: number, tree: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === tree.length) return whole ? [] : [naiveRoot(tree)];
  let k = 1;
  while (k * 2 < tree.length) k *= 2;
  if (m <= k) return [...subproof(m, tree.slice(0, k), whole), naiveRoot(tree.slice(k))];
  return [...subproof(m - k, tree.slice(k), false), naiveRoot(tree.slice(0, k))];
}

Deno.test("proveConsistency() gives the proofs of RFC 9162, and verifyConsistency() accepts them", () => {
  for (let newer = 1; newer <= SIZES; newer++) {
    const all = leaves.slice(0, newer);
    for (let older = 1; older <= newer; older++) {
      const proof = proveConsistency(crypto, all, older);
      assert.deepEqual(proof, subproof(older, all, true), `${older} and ${newer}`);
      verifyConsistency(crypto, treeOf(older), treeOf(newer), proof);
    }
  }
});

Deno.test("every tree extends the empty one, without a hash", () => {
  assert.deepEqual(proveConsistency(crypto, leaves, 0), []);
  verifyConsistency(crypto, treeOf(0), treeOf(7), []);
  assert.throws(() => verifyConsistency(crypto, treeOf(0), treeOf(7), [other]), refused);
  const tree = { blocks: 0, root: other };
  assert.throws(() => verifyConsistency(crypto, tree, treeOf(7), []), refused);
});

Deno.test("verifyConsistency() refuses every other proof, root and size", () => {
  for (let newer = 2; newer <= SIZES; newer += 1 + newer % 2) {
    for (let older = 1; older <= newer; older++) {
      const proof = proveConsistency(crypto, leaves.slice(0, newer), older);
      const refuses = (proof: Uint8Array[], a = treeOf(older), b = treeOf(newer)) =>
        assert.throws(() => verifyConsistency(crypto, a, b, proof), refused, `${older} ${newer}`);
      refuses([...proof, other]);
      proof.forEach((_, i) => {
        refuses(proof.toSpliced(i, 1));
        refuses(proof.with(i, other));
        refuses(proof.with(i, proof[i].subarray(1)));
      });
      refuses(proof, { blocks: older, root: other });
      refuses(proof, treeOf(older), { blocks: newer, root: other });
      refuses(proof, { ...treeOf(older), blocks: newer + 1 });
      refuses(proof, { ...treeOf(older), blocks: -1 });
    }
  }
});

Deno.test("no proof joins two forks", () => {
  for (let changed = 0; changed < 13; changed++) {
    const fork = leaves.with(changed, other);
    for (let older = changed + 1; older <= 13; older++) {
      for (const all of [leaves, fork]) {
        const proof = proveConsistency(crypto, all.slice(0, 13), older);
        const join = () => verifyConsistency(crypto, treeOf(older, fork), treeOf(13), proof);
        assert.throws(join, refused, `block ${changed}, ${older} blocks`);
      }
    }
  }
});

Deno.test("Proofs.consistency() proves what a store holds, also across tiles", async () => {
  const log = await TestLog.create(7);
  for (let i = 0; i < 700; i++) log.addBytes(new Uint8Array([i, i >> 8]));
  const store = new MemoryStore({ crypto });
  await log.putRun(store, 0);
  const proofs = new Proofs(store, log.key, 0, crypto);
  const all = log.blocks.map(({ start, bytes }) => leafHash(crypto, start, bytes));
  for (const [older, newer] of [[0, 700], [1, 700], [256, 512], [513, 699], [700, 700]]) {
    const proof = await proofs.consistency(older, newer);
    assert.deepEqual(proof, proveConsistency(crypto, all.slice(0, newer), older));
    verifyConsistency(crypto, treeOf(older, all), treeOf(newer, all), proof);
  }
});
