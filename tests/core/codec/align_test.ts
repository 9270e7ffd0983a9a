import assert from "node:assert/strict";
import { align, regions } from "../../../core/codec/align.ts";
import { randomSource } from "../../suites/random.ts";

/** The length of a longest common subsequence, the slow and obvious way. */
function commonLength(a: readonly number[], b: readonly number[]): number {
  let row = new Array(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    b.forEach((y, j) => next.push(x === y ? row[j] + 1 : Math.max(row[j + 1], next[j])));
    row = next;
  }
  return row[b.length];
}

/** Checks that the hunks of `a` and `b` are in order, do not touch, and leave equal parts between. */
function lengthBetween(a: readonly number[], b: readonly number[], seed: string): number {
  let [atA, atB, common] = [0, 0, 0];
  const hunks = align(a, b);
  const end = { aStart: a.length, aEnd: a.length, bStart: b.length, bEnd: b.length };
  for (const [i, { aStart, aEnd, bStart, bEnd }] of [...hunks, end].entries()) {
    assert.deepEqual(a.slice(atA, aStart), b.slice(atB, bStart), seed);
    assert.ok(i === 0 || i === hunks.length || aStart > atA, seed);
    common += aStart - atA;
    [atA, atB] = [aEnd, bEnd];
  }
  return common;
}

Deno.test("align() leaves a longest common subsequence between its hunks", () => {
  const random = randomSource();
  for (let round = 0; round < 300; round++) {
    const letters = random.integer(1, 12);
    const sequence = () =>
      Array.from({ length: random.integer(0, 40) }, () => random.integer(0, letters));
    const [a, b] = [sequence(), sequence()];
    assert.equal(lengthBetween(a, b, random.seed), commonLength(a, b), random.seed);
  }
});

Deno.test("align() finds changes between elements that repeat too often to pair them all", () => {
  const zeros = (length: number) => new Array<number>(length).fill(0);
  const a = [...zeros(30_000), 1, ...zeros(30_000), 2, ...zeros(30_000)];
  const b = [...zeros(30_000), 3, 1, ...zeros(30_001), 2, ...zeros(29_999), 4];
  assert.equal(lengthBetween(a, b, ""), 90_001);
});

Deno.test("regions() joins what touches, and says where it is on each side", () => {
  const hunk = (aStart: number, aEnd: number, bStart: number, bEnd: number) => {
    return { aStart, aEnd, bStart, bEnd };
  };
  const mine = [hunk(0, 0, 0, 2), hunk(5, 6, 7, 7), hunk(9, 9, 10, 11)];
  const theirs = [hunk(3, 5, 3, 4), hunk(6, 7, 5, 6), hunk(12, 13, 11, 12)];
  const found = [...regions(mine, theirs)].map(({ mine, theirs, ...places }) => {
    return { counts: [mine.length, theirs.length], ...places };
  });
  const place = (start: number, end: number, ...at: number[]) => {
    const [mineStart, mineEnd, theirsStart, theirsEnd] = at;
    return { start, end, mineStart, mineEnd, theirsStart, theirsEnd };
  };
  assert.deepEqual(found, [
    { counts: [1, 0], ...place(0, 0, 0, 2, 0, 0) },
    { counts: [1, 2], ...place(3, 7, 5, 8, 3, 6) },
    { counts: [1, 0], ...place(9, 9, 10, 11, 8, 8) },
    { counts: [0, 1], ...place(12, 13, 14, 15, 11, 12) },
  ]);
});
