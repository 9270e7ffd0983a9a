/** Vectors of proofs: over the leaf hashes that merkle.json lists. */

import { StreamoError } from "../../core/errors.ts";
import { proveConsistency, verifyConsistency } from "../../core/log/consistency_proof.ts";
import { proveRuns, subtreeRoot, verifyRuns } from "../../core/log/range_proof.ts";
import { testCrypto } from "../suites/test_log.ts";

const RANGES = [[0, 1, 1], [0, 1, 7], [2, 3, 3], [3, 5, 7], [0, 8, 21], [6, 13, 21], [20, 21, 21]];
const RUNS: { runs: [number, number][]; size: number }[] = [
  { runs: [[0, 1], [6, 7]], size: 7 },
  { runs: [[1, 3], [5, 6], [20, 21]], size: 21 },
  { runs: [[0, 2], [3, 21]], size: 21 },
];
const CONSISTENT = [[0, 5], [1, 1], [1, 2], [3, 7], [4, 7], [6, 7], [8, 21], [13, 21], [21, 21]];

const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => hash.toHex());

/** Proofs of runs and of trees that extend each other, and what is none, over `leaves`. */
export function proofs(leaves: readonly Uint8Array[]) {
  const root = (size: number) =>
    size === 0 ? testCrypto.sha256() : subtreeRoot(testCrypto, leaves, 0, size);
  const range = (first: number, end: number, size: number) => ({
    first,
    leaves: leaves.slice(first, end),
    size,
    root: root(size),
    proof: proveRuns(testCrypto, leaves.slice(0, size), [[first, end]]),
  });
  const consistency = (older: number, newer: number) => ({
    older,
    olderRoot: root(older),
    newer,
    newerRoot: root(newer),
    proof: proveConsistency(testCrypto, leaves.slice(0, newer), older),
  });
  return {
    ranges: {
      valid: RANGES.map(([first, end, size]) => rangeText(range(first, end, size))),
      invalid: badRanges(range(6, 13, 21), leaves),
    },
    runs: {
      valid: RUNS.map(({ runs, size }) => ({
        runs: runs.map(([first, end]) => ({ first, leaves: hex(leaves.slice(first, end)) })),
        size,
        root: root(size).toHex(),
        proof: hex(proveRuns(testCrypto, leaves.slice(0, size), runs)),
      })),
      invalid: badRuns(leaves, root(21)),
    },
    consistency: {
      valid: CONSISTENT.map(([older, newer]) => consistencyText(consistency(older, newer))),
      invalid: badConsistency(consistency(13, 21), leaves),
    },
  };
}

interface RangeCase {
  readonly first: number;
  readonly leaves: readonly Uint8Array[];
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

function rangeText({ leaves, root, proof, ...rest }: RangeCase) {
  return { ...rest, leaves: hex(leaves), root: root.toHex(), proof: hex(proof) };
}

function badRanges(good: RangeCase, all: readonly Uint8Array[]) {
  const { leaves, proof } = good;
  const cases: [string, Partial<RangeCase>][] = [
    ["a hash too few", { proof: proof.slice(1) }],
    ["a hash too many", { proof: [...proof, all[0]] }],
    ["another hash left of the run", { proof: proof.with(0, all[0]) }],
    ["another hash right of the run", { proof: proof.with(-1, all[0]) }],
    ["two hashes changed places", { proof: [proof[1], proof[0], ...proof.slice(2)] }],
    ["a hash of 31 bytes", { proof: proof.with(0, proof[0].subarray(1)) }],
    ["another leaf", { leaves: leaves.with(2, all[0]) }],
    ["two leaves changed places", { leaves: [leaves[1], leaves[0], ...leaves.slice(2)] }],
    ["a leaf too few", { leaves: leaves.slice(1) }],
    ["one place further", { first: 7 }],
    ["past the end", { first: 15 }],
    ["before the beginning", { first: -1 }],
    ["no leaf", { leaves: [] }],
    ["as if the log ended with the run", { size: 13 }],
    ["another root", { root: all[0] }],
  ];
  return cases.map(([name, change]) => {
    const bad = { ...good, ...change };
    const tree = { blocks: bad.size, root: bad.root };
    const verify = () => verifyRuns(testCrypto, tree, [bad], bad.proof);
    return { name, ...rangeText(bad), code: codeOf(name, verify) };
  });
}

/** The same hashes, cut or ordered in another way: none of it belongs to the tree of 21 leaves. */
function badRuns(leaves: readonly Uint8Array[], root: Uint8Array) {
  const good: [number, number][] = [[1, 3], [5, 6], [20, 21]];
  const proof = proveRuns(testCrypto, leaves, good);
  const cases: [string, [number, number][], readonly Uint8Array[]][] = [
    ["runs that touch", [[1, 2], [2, 3], [5, 6], [20, 21]], proof],
    ["runs in another order", [[5, 6], [1, 3], [20, 21]], proof],
    ["runs that overlap", [[1, 3], [2, 3], [5, 6], [20, 21]], proof],
    ["a run without leaves", [[1, 3], [4, 4], [5, 6], [20, 21]], proof],
    ["no runs", [], proof],
    ["a run past the end", [[1, 3], [5, 6], [20, 22]], proof],
    ["a run too few", [[1, 3], [20, 21]], proof],
    ["a hash too few", good, proof.slice(1)],
    ["a hash too many", good, [...proof, leaves[0]]],
    ["two hashes changed places", good, [proof[1], proof[0], ...proof.slice(2)]],
  ];
  return cases.map(([name, ranges, hashes]) => {
    const runs = ranges.map(([first, end]) => ({
      first,
      leaves: Array.from({ length: end - first }, (_, i) => leaves[first + i] ?? leaves[0]),
    }));
    const verify = () => verifyRuns(testCrypto, { blocks: 21, root }, runs, hashes);
    return {
      name,
      runs: runs.map(({ first, leaves }) => ({ first, leaves: hex(leaves) })),
      size: 21,
      root: root.toHex(),
      proof: hex(hashes),
      code: codeOf(name, verify),
    };
  });
}

interface ConsistencyCase {
  readonly older: number;
  readonly olderRoot: Uint8Array;
  readonly newer: number;
  readonly newerRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

function consistencyText({ olderRoot, newerRoot, proof, ...rest }: ConsistencyCase) {
  return {
    ...rest,
    olderRoot: olderRoot.toHex(),
    newerRoot: newerRoot.toHex(),
    proof: hex(proof),
  };
}

function badConsistency(good: ConsistencyCase, all: readonly Uint8Array[]) {
  const { proof, newerRoot } = good;
  const cases: [string, Partial<ConsistencyCase>][] = [
    ["a hash too few", { proof: proof.slice(1) }],
    ["a hash too many", { proof: [...proof, all[0]] }],
    ["another hash", { proof: proof.with(1, all[0]) }],
    ["two hashes changed places", { proof: [proof[1], proof[0], ...proof.slice(2)] }],
    ["a hash of 31 bytes", { proof: proof.with(0, proof[0].subarray(1)) }],
    ["another older root", { olderRoot: all[0] }],
    ["another newer root", { newerRoot: all[0] }],
    ["older by a block", { older: 12 }],
    ["longer than the newer", { older: 22 }],
    ["of one length, with two roots", { older: 21, proof: [] }],
    ["nothing, with a proof", { older: 0, olderRoot: testCrypto.sha256() }],
    ["nothing, with a root", { older: 0, olderRoot: newerRoot, proof: [] }],
  ];
  return cases.map(([name, change]) => {
    const bad = { ...good, ...change };
    const older = { blocks: bad.older, root: bad.olderRoot };
    const newer = { blocks: bad.newer, root: bad.newerRoot };
    const verify = () => verifyConsistency(testCrypto, older, newer, bad.proof);
    return { name, ...consistencyText(bad), code: codeOf(name, verify) };
  });
}

function codeOf(name: string, verify: () => void): string {
  try {
    verify();
  } catch (error) {
    if (error instanceof StreamoError) return error.code;
    throw error;
  }
  throw new Error(`a proof was not refused: ${name}`);
}
