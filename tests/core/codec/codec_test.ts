import assert from "node:assert/strict";
import { Space } from "../../../core/codec/chunks.ts";
import { containerOf, mapEntries } from "../../../core/codec/container.ts";
import { decode } from "../../../core/codec/decode.ts";
import { editList, editMap } from "../../../core/codec/edit.ts";
import { encode } from "../../../core/codec/encode.ts";
import { compareText } from "../../../core/codec/text.ts";
import { EMPTY_LIST, EMPTY_MAP, Link, Ref, type Value } from "../../../core/codec/value.ts";
import { keyFromBytes } from "../../../core/identity/key.ts";
import { MemoryChunks } from "../../suites/memory_chunks.ts";
import { randomSource } from "../../suites/random.ts";

const key = keyFromBytes(new Uint8Array(32).fill(7));
const big = (length: number) =>
  Uint8Array.from({ length }, (_, i) => (i * i * 31 + (i >> 7)) & 255);

const VALUES: [string, Value][] = [
  ["null", null],
  ["undefined", undefined],
  ["true", true],
  ["false", false],
  ["small integers", [0, 1, 63, 64, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, 2 ** 53 - 1]],
  ["negative integers", [-1, -64, -65, -(2 ** 31), -(2 ** 53 - 1)]],
  ["other numbers", [-0, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 1e300, 5e-324]],
  ["bigints", [0n, 1n, -1n, 255n, 256n, -256n, -257n, 2n ** 200n, -(2n ** 200n)]],
  ["strings", ["", "a", "é", "\u{10ffff}", "\ufeffbom", "\0", "x".repeat(31), "x".repeat(32)]],
  ["text of every size", [10_922, 10_923, 32_768, 32_769, 200_000].map((n) => "é".repeat(n))],
  ["dates", [new Date(0), new Date(-1), new Date(8.64e15), new Date(1.7e12)]],
  ["bytes of every size", [0, 1, 63, 64, 65, 32_768, 32_769, 300_000].map(big)],
  ["links", [new Link(key), new Link(key, { seq: 0 }), new Link(key, { seq: 9, path: ["a", 0] })]],
  ["empty containers", [{}, [], [{}], { a: [] }]],
  ["odd keys", { "": 1, " ": 2, "é": 3, "\u{1f600}": 4, "\uffff": 5, constructor: 6, 1: 7 }],
  ["long keys", { ["k".repeat(127)]: 1, ["k".repeat(128)]: 2, ["k".repeat(8192)]: 3 }],
  ["many long keys", Object.fromEntries(range(12).map((i) => ["k".repeat(4000) + i, i]))],
  ["nested", { a: { b: { c: [1, [2, [3, { d: "deep" }]]] } } }],
  ["300 keys", Object.fromEntries(range(300).map((i) => [`key${i}`, { i, text: "x".repeat(i) }]))],
  ["5,000 equal elements", range(5000).map(() => 0)],
  ["2,000 mixed elements", range(2000).map((i) => i % 3 ? i : [`element ${i}`, i])],
];

for (const [name, value] of VALUES) {
  Deno.test(`encode() and decode() give back the same value: ${name}`, () => {
    const chunks = new MemoryChunks();
    const item = encode(new Space(chunks), value);
    assert.deepStrictEqual(decode(new Space(chunks), item), value);
  });
}

Deno.test("a __proto__ key stays a key", () => {
  const value = JSON.parse(`{ "__proto__": { "polluted": 1 } }`);
  const space = new Space(new MemoryChunks());
  const back = decode(space, encode(space, value)) as Record<string, unknown>;
  assert.deepStrictEqual(Object.keys(back), ["__proto__"]);
  assert.equal(back.polluted, undefined);
});

Deno.test("encode() names the path of what cannot be stored", () => {
  const space = new Space(new MemoryChunks());
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  const cases: [unknown, RegExp][] = [
    [{ a: [1, { "b c": new Map() }] }, /a\[1\]\["b c"\]: a Map/],
    [() => 1, /the value: a function/],
    [[Symbol("s")], /\[0\]: a symbol/],
    [{ text: "\ud800" }, /text: a string has a lone surrogate/],
    [{ long: "x".repeat(40_000) + "\udc00" }, /long: a string has a lone surrogate/],
    [{ ["\ud800"]: 1 }, /a key has a lone surrogate/],
    [{ when: new Date(NaN) }, /when: an invalid Date/],
    [{ of: new (class Point {})() }, /of: a Point/],
    [{ n: Number }, /n: a function/],
    [{ ["k".repeat(8193)]: 1 }, /a key of 8193 bytes/],
    [new Float64Array(2), /Float64Array/],
    [loop, /nest deeper than 500/],
  ];
  for (const [value, message] of cases) assert.throws(() => encode(space, value), message);
});

Deno.test("unchanged parts are === across versions, and frozen", () => {
  const space = new Space(new MemoryChunks());
  const first = decode(space, encode(space, { a: { x: 1 }, b: { y: [2] } })) as Tree;
  const second = decode(space, encode(space, { a: { x: 2 }, b: { y: [2] } })) as Tree;
  assert.equal(first.b, second.b);
  assert.notEqual(first.a, second.a);
  assert.ok(Object.isFrozen(first) && Object.isFrozen(first.b) && Object.isFrozen(first.b.y));
});

Deno.test("a map edited in any order has the same address as one written at once", () => {
  const random = randomSource();
  for (let round = 0; round < 30; round++) {
    const space = new Space(new MemoryChunks());
    const model = new Map<string, Value>();
    let item = EMPTY_MAP as ReturnType<typeof encode>;
    const keys = random.integer(1, 4) ** 4 * 4;
    for (let step = 0; step < 40; step++) {
      const edits = new Map<string, { key: string; put: boolean; item: Value }>();
      for (let i = random.integer(1, step % 7 === 0 ? keys : 3); i > 0; i--) {
        const name = `${random.integer(0, 3) ? "key" : "é\u{1f600}"}${random.integer(0, keys)}`;
        const value = random.integer(0, 2)
          ? random.integer(0, 99)
          : "text ".repeat(random.integer(0, 20));
        const put = random.integer(0, 2) > 0;
        edits.set(name, { key: name, put, item: value });
        if (put) model.set(name, value);
        else model.delete(name);
      }
      const sorted = [...edits.values()].sort((a, b) => compareText(a.key, b.key));
      item = editMap(space, containerOf(space, item)!, sorted);
      const expected = Object.fromEntries(model);
      assert.deepStrictEqual(address(item), address(encode(space, expected)), random.seed);
      assert.deepStrictEqual(decode(new Space(space), item), expected, random.seed);
    }
  }
});

Deno.test("a list edited in any order has the same address as one written at once", () => {
  const random = randomSource();
  for (let round = 0; round < 30; round++) {
    const space = new Space(new MemoryChunks());
    const model: Value[] = [];
    let item = EMPTY_LIST as ReturnType<typeof encode>;
    for (let step = 0; step < 40; step++) {
      const splices = [];
      let at = 0;
      for (let i = random.integer(1, 3); i > 0; i--) {
        at = random.integer(at, model.length);
        const remove = Math.min(
          model.length - at,
          random.integer(0, 2) ? random.integer(0, 3) : 150,
        );
        const insert = range(random.integer(0, step % 5 ? 4 : 300)).map(() =>
          random.integer(0, 3) ? random.integer(0, 9) : "element ".repeat(random.integer(0, 9))
        );
        splices.push({ at, remove, insert });
        at += remove + 1;
        if (at > model.length) break;
      }
      for (const { at, remove, insert } of splices.toReversed()) {
        model.splice(at, remove, ...insert);
      }
      item = editList(space, containerOf(space, item)!, splices);
      assert.deepStrictEqual(decode(new Space(space), item), model, random.seed);
      assert.deepStrictEqual(address(item), address(encode(space, model)), random.seed);
    }
  }
});

Deno.test("mapEntries() ranges by prefix, start and limit, both ways", () => {
  const random = randomSource();
  const space = new Space(new MemoryChunks());
  const names = [
    ...new Set(
      range(800).map((i) => `${"abc\u{1f600}\uffff"[i % 6] ?? "z"}${random.integer(0, 999)}`),
    ),
  ]
    .filter((name) => name.isWellFormed()).sort(compareText);
  const node = containerOf(
    space,
    encode(space, Object.fromEntries(names.map((name) => [name, 1]))),
  )!;
  for (let i = 0; i < 300; i++) {
    const prefix = random.integer(0, 1)
      ? names[random.integer(0, names.length - 1)].slice(0, 2)
      : undefined;
    const start = random.integer(0, 1) ? names[random.integer(0, names.length - 1)] : undefined;
    const limit = random.integer(0, 1) ? random.integer(0, 20) : undefined;
    const reverse = random.integer(0, 1) === 1;
    if (prefix !== undefined && !prefix.isWellFormed()) continue;
    let expected = names.filter((name) =>
      (prefix === undefined || name.startsWith(prefix)) && (start === undefined ||
        (reverse ? compareText(name, start) <= 0 : compareText(name, start) >= 0))
    );
    if (reverse) expected.reverse();
    expected = expected.slice(0, limit);
    const found = [...mapEntries(space, node, { prefix, start, limit, reverse })].map(([name]) =>
      name
    );
    assert.deepStrictEqual(
      found,
      expected,
      `${random.seed} ${JSON.stringify({ prefix, start, limit, reverse })}`,
    );
  }
});

Deno.test("setting one key of 10,000 writes one path", () => {
  const chunks = new MemoryChunks();
  const space = new Space(chunks);
  const item = encode(space, Object.fromEntries(range(10_000).map((i) => [`key${i}`, i])));
  const before = chunks.size;
  editMap(space, containerOf(space, item)!, [{ key: "key5000", put: true, item: -1 }]);
  assert.ok(chunks.size - before < 1500, `${chunks.size - before} bytes`);
});

Deno.test("an edit in the middle of large bytes stores only what changed", () => {
  const chunks = new MemoryChunks();
  const space = new Space(chunks);
  const random = randomSource();
  const bytes = Uint8Array.from({ length: 2_000_000 }, () => random.integer(0, 255));
  encode(space, bytes);
  const before = chunks.size;
  const edited = new Uint8Array(bytes.length + 3);
  edited.set(bytes.subarray(0, 1_000_000));
  edited.set(bytes.subarray(1_000_000), 1_000_003);
  const item = encode(space, edited);
  assert.deepStrictEqual(decode(space, item), edited);
  assert.ok(chunks.size - before < 100_000, `${chunks.size - before} bytes`);
});

type Tree = { a: { x: number }; b: { y: number[] } };

function address(item: unknown): unknown {
  return item instanceof Ref ? item.address : item;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
