import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { frontierSize, leafHash, nodeHash, pushLeaf, rootOf } from "../../../core/log/merkle.ts";
import { proofRanges, rootFromFrontier, splitPoint } from "../../../core/log/merkle_proof.ts";
import { type LeafHashes, Proofs } from "../../../core/log/proofs.ts";
import { naiveRoot } from "../../suites/naive_tree.ts";
import { testCrypto, TestLog } from "../../suites/test_log.ts";

/** Sizes that every property is tried at. */
const SIZES = 70;
const leaves = Array.from(
  { length: SIZES },
  (_, i) => leafHash(testCrypto, 3 * i, new Uint8Array([i, i, i])),
);

function frontierOf(size: number): Uint8Array[] {
  let frontier: Uint8Array[] = [];
  for (let i = 0; i < size; i++) frontier = pushLeaf(testCrypto, frontier, i, leaves[i]);
  return frontier;
}

/** The hashes that tie leaves [first, end) to a tree of `size` leaves, right of `end`. */
function rightOf(first: number, end: number, size: number): Uint8Array[] {
  return proofRanges(first, end, size).filter(([from]) => from >= end)
    .map(([from, to]) => naiveRoot(leaves.slice(from, to)));
}

Deno.test("a leaf's hash covers where its block starts; nodes and leaves never look alike", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  assert.notDeepEqual(leafHash(testCrypto, 0, bytes), leafHash(testCrypto, 1, bytes));
  assert.notDeepEqual(leafHash(testCrypto, 0, bytes), leafHash(testCrypto, 2 ** 32, bytes));
  const [left, right] = leaves;
  const both = new Uint8Array([...left, ...right]);
  assert.notDeepEqual(nodeHash(testCrypto, left, right), testCrypto.sha256(both));
  assert.notDeepEqual(nodeHash(testCrypto, left, right), nodeHash(testCrypto, right, left));
});

Deno.test("pushLeaf() and rootOf() give the root of RFC 9162 at every size", () => {
  for (let size = 0; size <= SIZES; size++) {
    const frontier = frontierOf(size);
    assert.equal(frontier.length, frontierSize(size), `size ${size}`);
    assert.deepEqual(
      rootOf(testCrypto, frontier),
      naiveRoot(leaves.slice(0, size)),
      `size ${size}`,
    );
  }
});

Deno.test("pushLeaf() leaves the frontier that it was given as it was", () => {
  const frontier = frontierOf(7);
  const before = frontier.slice();
  pushLeaf(testCrypto, frontier, 7, leaves[7]);
  assert.deepEqual(frontier, before);
});

Deno.test("splitPoint() is the largest power of two below the size", () => {
  const cases = [[2, 1], [3, 2], [4, 2], [5, 4], [8, 4], [9, 8], [2 ** 40, 2 ** 39]];
  for (const [size, split] of cases) assert.equal(splitPoint(size), split);
});

Deno.test("proofRanges() cover exactly what is outside; left of the run they are the frontier", () => {
  for (let size = 1; size <= SIZES; size++) {
    for (let first = 0; first < size; first++) {
      const frontier = frontierOf(first);
      for (let end = first + 1; end <= size; end++) {
        const ranges = proofRanges(first, end, size);
        const left = ranges.filter(([, to]) => to <= first);
        const right = ranges.filter(([from]) => from >= end);
        assert.equal(left.length + right.length, ranges.length);
        const covered = (list: [number, number][]) =>
          list.reduce((sum, [from, to]) => sum + to - from, 0);
        assert.equal(covered(left), first);
        assert.equal(covered(right), size - end);
        assert.equal(left.length, frontier.length);
      }
    }
  }
  assert.deepEqual(proofRanges(3, 3, 7), []);
});

Deno.test("rootFromFrontier() gives the tree's root for every run of every size", () => {
  for (let size = 1; size <= SIZES; size++) {
    const root = naiveRoot(leaves.slice(0, size));
    for (let end = 1; end <= size; end++) {
      const found = rootFromFrontier(testCrypto, size, end, frontierOf(end), rightOf(0, end, size));
      assert.deepEqual(found, root, `${end} of ${size}`);
      for (const first of [0, end >>> 1, end - 1]) {
        assert.deepEqual(rightOf(first, end, size), rightOf(0, end, size));
      }
    }
  }
});

Deno.test("rootFromFrontier() refuses proofs of the wrong length, and sees every changed hash", () => {
  for (let size = 2; size <= 40; size++) {
    const root = naiveRoot(leaves.slice(0, size));
    for (let end = 1; end <= size; end++) {
      const frontier = frontierOf(end);
      const right = rightOf(0, end, size);
      const check = (frontier: Uint8Array[], right: Uint8Array[]) =>
        rootFromFrontier(testCrypto, size, end, frontier, right);
      const refused = { code: "bad_block" };
      assert.throws(() => check(frontier, [...right, root]), refused);
      if (right.length > 0) assert.throws(() => check(frontier, right.slice(1)), refused);
      for (let i = 0; i < right.length; i++) {
        assert.notDeepEqual(check(frontier, right.with(i, leaves[69])), root);
      }
      for (let i = 0; i < frontier.length; i++) {
        assert.notDeepEqual(check(frontier.with(i, leaves[69]), right), root);
      }
    }
  }
  const refused = { code: "bad_block" };
  assert.throws(() => rootFromFrontier(testCrypto, 5, 6, frontierOf(6), []), refused);
  assert.throws(() => rootFromFrontier(testCrypto, 5, 0, [], [leaves[0]]), refused);
});

Deno.test("a tree of 2^53 - 1 leaves is proved in as many steps as it has levels", () => {
  const size = Number.MAX_SAFE_INTEGER;
  const ranges = proofRanges(0, 1, size);
  assert.equal(ranges.length, 53);
  const right = ranges.map(() => leaves[0]);
  assert.equal(rootFromFrontier(testCrypto, size, 1, [leaves[0]], right).length, 32);
  assert.throws(() => rootFromFrontier(testCrypto, size, 1, [leaves[0]], right.slice(1)), {
    code: "bad_block",
  });
});

Deno.test("Proofs give roots, frontiers and right-hand proofs of what a store holds", async () => {
  const log = await TestLog.create(7);
  log.add(...Array.from({ length: SIZES }, (_, i) => 1 + i % 5));
  const store = new MemoryStore({ crypto: testCrypto });
  await log.putRun(store, 0);
  const proofs = new Proofs(store, log.key, 0, testCrypto);
  for (let size = 0; size <= SIZES; size++) {
    const root = rootOf(testCrypto, log.frontiers[size]);
    assert.deepEqual(await proofs.root(size), root, `root of ${size}`);
    assert.deepEqual(await proofs.frontier(size), log.frontiers[size], `frontier of ${size}`);
    const extent = { length: size, bytes: log.bytes(size), frontier: log.frontiers[size] };
    assert.deepEqual(await proofs.extent(size), extent);
    for (let end = 1; end <= size; end += 3) {
      const right = await proofs.right(end >>> 1, end, size);
      assert.deepEqual(
        rootFromFrontier(testCrypto, size, end, log.frontiers[end], right),
        root,
        `${end} of ${size}`,
      );
    }
  }
  await assert.rejects(proofs.root(SIZES + 1), { code: "missing_block" });
});

Deno.test("Proofs remember subtrees: long logs are not hashed again for every root", async () => {
  const log = await TestLog.create(8);
  for (let i = 0; i < 3000; i++) log.addBytes(new Uint8Array([i, i >> 8]));
  const store = new MemoryStore({ crypto: testCrypto });
  await log.putRun(store, 0);
  const { counting, store: counted, count } = counters(store);
  const proofs = new Proofs(counted, log.key, 0, counting);
  assert.deepEqual(await proofs.root(3000), rootOf(testCrypto, log.frontiers[3000]));
  assert.ok(count.leaves <= 3000);
  count.leaves = count.nodes = 0;
  for (const size of [256, 512, 768, 2048, 2816, 2304]) {
    assert.deepEqual(await proofs.root(size), rootOf(testCrypto, log.frontiers[size]));
  }
  assert.equal(count.leaves, 0, "no leaf is read twice");
  assert.ok(count.nodes < 30, `${count.nodes} hashes for six roots`);
});

/** A store and a provider that count leaves that are read and hashes that are made. */
function counters(store: MemoryStore) {
  const count = { leaves: 0, nodes: 0 };
  const counted: LeafHashes = {
    hashes(key, epoch, from, to) {
      count.leaves += to - from;
      return store.hashes(key, epoch, from, to);
    },
    blocks: (key, epoch, from, to) => store.blocks(key, epoch, from, to),
  };
  const sha256 = (...parts: Uint8Array[]) => {
    count.nodes++;
    return testCrypto.sha256(...parts);
  };
  return { counting: { ...testCrypto, sha256 }, store: counted, count };
}

Deno.test("proofs of frames, one after the other, share the hashes of a tile", async () => {
  const log = await TestLog.create(9);
  for (let i = 0; i < 3000; i++) log.addBytes(new Uint8Array([i, i >> 8]));
  const store = new MemoryStore({ crypto: testCrypto });
  await log.putRun(store, 0);
  const { counting, store: counted, count } = counters(store);
  const proofs = new Proofs(counted, log.key, 0, counting);
  const root = rootOf(testCrypto, log.frontiers[3000]);
  // 43 blocks of 12 KiB fill a frame.
  for (let end = 43; end < 3000; end += 43) {
    const right = await proofs.right(end - 43, end, 3000);
    const found = rootFromFrontier(testCrypto, 3000, end, log.frontiers[end], right);
    assert.deepEqual(found, root, `${end}`);
  }
  assert.ok(count.nodes <= 3 * 3000, `${count.nodes} hashes`);
});
