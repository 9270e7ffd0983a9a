import assert from "node:assert/strict";
import { decode } from "../../../core/codec/decode.ts";
import { writeList } from "../../../core/codec/edit.ts";
import { encode } from "../../../core/codec/encode.ts";
import type { Value } from "../../../core/codec/value.ts";
import { StreamoError } from "../../../core/errors.ts";
import { laterWins, type OnConflict } from "../../../core/repo/conflict.ts";
import { Merge } from "../../../core/repo/merge.ts";
import { ABSENT } from "../../../core/codec/find.ts";
import { baseOf, branchOf, type TestBase, type TestBranch } from "../../suites/branch_chunks.ts";
import { randomSource } from "../../suites/random.ts";
import { randomChange, randomValue } from "../../suites/random_value.ts";

/** Mine and theirs merged; `order` as in Branches. */
function mergeBranch(
  base: TestBase,
  mine: TestBranch,
  theirs: TestBranch,
  order: number,
  onConflict: OnConflict = laterWins,
): Value {
  const { sharedBytes } = base;
  const branches = { mine: mine.space, theirs: theirs.space, sharedBytes, order, onConflict };
  const merged = new Merge(branches).items(base.item, mine.item, theirs.item, []);
  return merged === ABSENT ? undefined : decode(theirs.space, merged);
}

/** What both sides of a race make of it, whichever merges; their times decide where they must. */
function mergeValues(base: Value, early: Value, late: Value, { forgets = false } = {}): Value {
  const log = baseOf(base);
  const [a, b] = [early, late].map((value) => branchOf(log, value, { forgets }));
  const merged = mergeBranch(log, a, b, -1);
  assert.deepStrictEqual(mergeBranch(log, b, a, 1), merged);
  return merged;
}

type Case = [name: string, base: Value, early: Value, late: Value, merged: Value];

const todo = (id: number, done = false) => ({ id, done, text: `todo ${id}` });
const five = [1, 2, 3, 4, 5].map((id) => todo(id));
const text = "one\ntwo\nthree\nfour\n";
const long = (letter: string) => letter.repeat(40_000);

const CASES: Case[] = [
  ["maps by key", { a: 1, b: 2, c: 3 }, { a: 1, b: 3, d: 4 }, { a: 5, b: 2, c: 3 }, {
    ...{ a: 5, b: 3, d: 4 },
  }],
  ["a changed key that the other deleted stays", { a: 1, b: 1 }, { a: 2, b: 1 }, { b: 1 }, {
    ...{ a: 2, b: 1 },
  }],
  ["the later change of one scalar wins", { a: 1 }, { a: 2 }, { a: 3 }, { a: 3 }],
  ["elements appended on both sides: the earlier side's first", [1], [1, "a"], [1, "b"], [
    ...[1, "a", "b"],
  ]],
  ["elements inserted at different places", [1, 2, 3], [0, 1, 2, 3], [1, 2, 2.5, 3], [
    ...[0, 1, 2, 2.5, 3],
  ]],
  ["elements that both inserted at one place, once", [1, 2], [1, "x", "y", 2], [1, "x", "z", 2], [
    ...[1, "x", "y", "z", 2],
  ]],
  ["an insertion where the other removed", [1, 2, 3], [1, "x", 2, 3], [1, 3], [1, "x", 3]],
  ["elements that both removed", five, five.slice(2), five.slice(1), five.slice(2)],
  [
    "a changed element that the other removed stays",
    five,
    five.with(2, todo(3, true)),
    five.toSpliced(1, 3),
    [todo(1), todo(3, true), todo(5)],
  ],
  [
    "different keys of one element",
    five,
    five.with(2, { ...todo(3), text: "new text" }),
    [todo(0), ...five.with(2, todo(3, true))],
    [todo(0), ...five.with(2, { id: 3, done: true, text: "new text" })],
  ],
  ["the later change of one element wins", [1, 2, 3], [1, "early", 3], [1, "late", 3], [
    ...[1, "late", 3],
  ]],
  ["lists made on both sides", {}, { list: [1] }, { list: [2] }, { list: [1, 2] }],
  ["a list emptied, and added to", [1, 2], [], [1, 2, 3], [3]],
  ["texts by line", { text }, { text: `zero\n${text}` }, { text: text.replace("four", "4") }, {
    text: `zero\n${text.replace("four", "4")}`,
  }],
  ["texts in elements", [text], [`zero\n${text}`], [`${text}five`], [`zero\n${text}five`]],
  ["of texts whose changes touch the later", { text }, { text: text.replace("two", "2") }, {
    text: text.replace("three", "3"),
  }, { text: text.replace("three", "3") }],
  ["large text that did not change", { a: long("a"), b: 1 }, { a: long("a"), b: 2 }, {
    ...{ a: long("b"), b: 1 },
  }, { a: long("b"), b: 2 }],
  ["an element that one side moved", ["a", "b", "c", "d"], ["b", "c", "d", "a"], [
    ...["a", "b", "c", "d", "e"],
  ], ["b", "c", "d", "a", "e"]],
  [
    "an element that both moved: where the later side has it, once",
    ["a", "b", "c", "d", "e"],
    [
      ...["b", "c", "a", "d", "e"],
    ],
    ["b", "c", "d", "e", "a"],
    ["b", "c", "d", "e", "a"],
  ],
  [
    "an element that one side moved and the other removed",
    ["a", "b", "c", "d"],
    [
      ...["b", "c", "d", "a"],
    ],
    ["b", "c", "d", "e"],
    ["b", "c", "d", "e"],
  ],
  [
    "an element in the place of one that moved is not its new version",
    ["a", "b", "c", "d"],
    [
      ...["x", "b", "c", "d", "a"],
    ],
    ["y", "b", "c", "d", "a"],
    ["x", "y", "b", "c", "d", "a"],
  ],
  ["another kind of value", { a: [1] }, { a: [1, 2] }, { a: { b: 1 } }, { a: { b: 1 } }],
];

for (const [name, base, early, late, merged] of CASES) {
  Deno.test(`merge: ${name}`, () => {
    assert.deepStrictEqual(mergeValues(base, early, late), merged);
    assert.deepStrictEqual(mergeValues(base, early, late, { forgets: true }), merged);
  });
}

Deno.test("merge: what one side deleted and the other stored again unchanged is gone", () => {
  const base = { a: { deep: ["x".repeat(100)] }, b: 1 };
  assert.deepStrictEqual(mergeValues(base, { b: 1 }, { ...base, b: 2 }, { forgets: true }), {
    b: 2,
  });
});

Deno.test("merge: of equal times the smaller value wins, whichever side merges", () => {
  const values: Value[] = [
    ...[undefined, null, 1, 63, 64, -1, 0.5, "", "a", "ab", "b", long("a"), long("b"), long("é")],
    ...[new Uint8Array([1]), new Uint8Array(40_000), new Date(0), [], [1], [1, 2], [2], [[1]]],
    ...[{ a: 1 }, { a: 2 }, { a: 1, b: 1 }, { b: 1 }],
  ];
  const log = baseOf("base");
  for (const one of values) {
    for (const other of values) {
      const [a, b] = [one, other].map((value) => branchOf(log, value));
      const merged = mergeBranch(log, a, b, 0);
      assert.deepStrictEqual(mergeBranch(log, b, a, 0), merged);
    }
  }
});

Deno.test("merge: both sides of a race end on equal values, whichever merges, and again", () => {
  const random = randomSource();
  for (let round = 0; round < 600; round++) {
    const value = randomValue(random);
    const log = baseOf(value);
    const [mine, theirs] = [0, 1].map(() => {
      const changed = random.integer(0, 20) === 0
        ? randomValue(random)
        : randomChange(random, value);
      return branchOf(log, changed, { forgets: random.integer(0, 2) === 0 });
    });
    const order = random.integer(-1, 1);
    const merged = mergeBranch(log, mine, theirs, order);
    assert.deepStrictEqual(mergeBranch(log, theirs, mine, -order), merged, random.seed);
    // Two that have merged alike and meet: nothing happens twice.
    const [one, other] = [0, 1].map(() => branchOf(log, merged));
    assert.deepStrictEqual(mergeBranch(log, one, other, order), merged, random.seed);
    // One side that did nothing: what the other did.
    const idle = branchOf(log, value, { forgets: round % 2 === 0 });
    assert.deepStrictEqual(mergeBranch(log, idle, mine, order), decode(mine.space, mine.item));
    assert.deepStrictEqual(mergeBranch(log, mine, idle, order), decode(mine.space, mine.item));
  }
});

Deno.test("merge: of changes in different places of random lists nothing is lost", () => {
  const random = randomSource();
  for (let round = 0; round < 200; round++) {
    const size = random.integer(0, 200);
    const base = Array.from({ length: size }, (_, i) => random.integer(0, 2) ? i : { id: i });
    const removed = new Set<number>();
    const [early, late] = ["early", "late"].map((side) => {
      const list: Value[] = [...base];
      for (let n = 0; n < 5; n++) {
        // What both put in the place of one element is a conflict: only one side removes.
        if (side === "late" || random.integer(0, 1)) {
          list.splice(random.integer(0, list.length), 0, `${side} ${n}`);
        } else if (list.length > 0) {
          const [gone] = list.splice(random.integer(0, list.length - 1), 1);
          removed.add(base.indexOf(gone as number));
        }
      }
      return list;
    });
    const merged = mergeValues(base, early, late) as Value[];
    const inserted = [...early, ...late].filter((element) => typeof element === "string");
    assert.deepStrictEqual(
      new Set(merged.filter((element) => typeof element === "string")),
      new Set(inserted),
      random.seed,
    );
    const kept = merged.filter((element) => typeof element !== "string");
    assert.deepStrictEqual(kept, base.filter((_, i) => !removed.has(i)), random.seed);
  }
});

Deno.test("merge: the hook is asked only where nothing combines, with the merged list's path", () => {
  const base = { list: [1, 2, 3, 4], text, other: 1 };
  const log = baseOf(base);
  const mine = branchOf(log, { list: [0, 1, 2, "mine", 4], text: `${text}5`, other: 2 });
  const theirs = branchOf(log, { list: [1, 2, "theirs", 4, 5], text: `0\n${text}`, other: 3 });
  const asked: unknown[] = [];
  const merged = mergeBranch(log, mine, theirs, 0, ({ path, base, mine, theirs }) => {
    asked.push([path, base, mine, theirs]);
    return { value: "decided" };
  });
  assert.deepStrictEqual(asked, [
    [["list", 3], 3, "mine", "theirs"],
    [["other"], 1, 2, 3],
  ]);
  const list = [0, 1, 2, "decided", 4, 5];
  assert.deepStrictEqual(merged, { list, text: `0\n${text}5`, other: "decided" });
});

Deno.test("merge: values that share their parts many times end, or end at the budget", () => {
  const log = baseOf("base");
  const bomb = (branch: TestBranch, leaf: string): TestBranch => {
    let item = encode(branch.space, leaf);
    for (let i = 0; i < 20; i++) item = writeList(branch.space, new Array(15).fill(item));
    return { ...branch, item };
  };
  // 15^20 elements that are equal, and each side has them at its own addresses.
  const [one, other] = ["one", "other"].map((name) => branchOf(log, [name]));
  const [a, b] = [bomb(one, "a"), bomb(other, "a")];
  const merge = new Merge({
    ...{ mine: a.space, theirs: b.space, sharedBytes: log.sharedBytes, order: 0 },
    onConflict: laterWins,
  });
  assert.equal(merge.items(log.item, a.item, b.item, []), b.item);
  const isBudget = (error: unknown) => error instanceof StreamoError && error.code === "budget";
  let deep = encode(one.space, "leaf");
  for (let i = 0; i < 2000; i++) deep = writeList(one.space, [deep, "x".repeat(i % 7)]);
  assert.throws(() => mergeBranch(log, { ...one, item: deep }, b, 0), isBudget);
});

Deno.test("more elements are inserted on one side than a call takes arguments", () => {
  const many = Array.from({ length: 150_000 }, (_, i) => i % 100);
  const log = baseOf([-1]);
  const [mine, theirs] = [branchOf(log, [-1, ...many]), branchOf(log, [-1, "x"])];
  assert.deepEqual(mergeBranch(log, mine, theirs, 1), [-1, "x", ...many]);
});
