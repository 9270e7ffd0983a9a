import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { encode } from "../../../core/codec/encode.ts";
import { Meter } from "../../../core/codec/meter.ts";
import type { Value } from "../../../core/codec/value.ts";
import { Comparer } from "../../../core/repo/compare.ts";
import { sameContent } from "../../../core/repo/diff_map.ts";
import { ElementIds } from "../../../core/repo/element_ids.ts";
import { baseOf, branchOf } from "../../suites/branch_chunks.ts";
import { randomSource } from "../../suites/random.ts";
import { randomChange, randomValue } from "../../suites/random_value.ts";

const keys = (length: number, value: Value = 0) =>
  Object.fromEntries(Array.from({ length }, (_, i) => [`key${String(i).padStart(3, "0")}`, value]));
const numbers = (length: number) => Array.from({ length }, (_, i) => i % 7);
const long = (letter: string, length = 40_000) => letter.repeat(length);

/** Values of every kind, from the smallest to the largest. */
const RISING: Value[] = [
  ...[0, 63, null, undefined, false, true, 64, 1000, -1, -64, 0.5, NaN, -0, 0n, 5n, -1n],
  ...[new Date(0), new Date(1)],
  ...["", "a", "a\0", "ab", "b", long("b"), long("b", 40_001), "\uffff", "\u{1f600}", long("é")]
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  ...[new Uint8Array(), new Uint8Array(1), new Uint8Array(40_000), new Uint8Array(40_001)],
  ...[new Uint8Array([1]), new Uint8Array(40_000).fill(1)],
  ...[[], [0], numbers(15), numbers(16), numbers(500), [0, 1, 3], [1], ["a"], [[]], [{}]],
  ...[{}, { a: 1 }, { a: 1, b: 1 }, { a: 2 }, { b: 0 }, keys(15), keys(16), keys(300)],
  ...[{ ...keys(300), key250: 1 }, { ...keys(300), key250: 1, z: 1 }, keys(20, 1), { zz: 0 }],
];

Deno.test("values have one order, inside one log and between two", () => {
  const log = baseOf("shared");
  const branches = [0, 1].map(() => branchOf(log, []));
  const elements = [RISING.map((value) => encode(branches[0].space, value))];
  // The other way round, so that an address means one value here and another there.
  elements.push(RISING.toReversed().map((value) => encode(branches[1].space, value)).reverse());
  RISING.forEach((_, i) => {
    RISING.forEach((_, j) => {
      const comparer = new Comparer(new Meter("comparing", 1e6), log.sharedBytes);
      for (const other of [0, 1]) {
        const a = { space: branches[0].space, item: elements[0][i] };
        const b = { space: branches[other].space, item: elements[other][j] };
        const found = Math.sign(comparer.compare(a, b));
        assert.equal(found, Math.sign(i - j), `${i} and ${j} of ${other}`);
        assert.equal(comparer.isEqual(a, b), i === j);
      }
    });
  });
});

Deno.test("one address past what is shared is two values in two branches", () => {
  const log = baseOf("shared".repeat(20));
  const [a, b] = [["one"], ["two"]].map((value) => branchOf(log, value));
  assert.deepEqual(a.item, b.item);
  const comparer = new Comparer(new Meter("comparing", 100), log.sharedBytes);
  assert.equal(comparer.isEqual(a, b), false);
  assert.equal(comparer.isEqual({ ...a, item: log.item }, { ...b, item: log.item }), true);
});

Deno.test("equal elements have equal numbers, wherever they are stored", () => {
  const random = randomSource();
  for (let round = 0; round < 100; round++) {
    const values = Array.from({ length: 20 }, () => randomValue(random));
    values.push(...values.map((value) => randomChange(random, value)));
    const log = baseOf(values);
    const branches = [false, true].map((forgets) => branchOf(log, [], { forgets }));
    const ids = new ElementIds(new Comparer(new Meter("comparing", 1e6), log.sharedBytes));
    const [one, other] = branches.map(({ space }) =>
      values.map((value) => ids.of(space, encode(space, value)))
    );
    assert.deepEqual(one, other, random.seed);
    values.forEach((a, i) => {
      values.forEach((b, j) =>
        assert.equal(one[i] === one[j], isDeepStrictEqual(a, b), random.seed)
      );
    });
  }
});

Deno.test("0 and -0 are two values", () => {
  const { space } = baseOf("any");
  assert.equal(sameContent(space, 0, -0), false);
  assert.equal(sameContent(space, NaN, NaN), true);
});
