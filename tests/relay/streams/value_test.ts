import assert from "node:assert/strict";
import { Link } from "../../../core/codec/value.ts";
import { keyOf, noise, relayWorld } from "../../suites/relay_world.ts";

const BUDGET = { characters: 20_000, elements: 1_000, bytes: 100_000 };

async function streamWith(value: unknown) {
  const world = await relayWorld({ limits: { value: BUDGET } });
  await world.write("alice", value);
  const url = `/streams/${await keyOf("alice")}`;
  return { ...world, url };
}

Deno.test("/streams/KEY writes every kind of value in its JSON form", async () => {
  const key = await keyOf("bob");
  const cases: [unknown, unknown][] = [
    [null, null],
    [undefined, { $undefined: true }],
    [true, true],
    [0, 0],
    [-1.5e300, -1.5e300],
    [-0, { $number: "-0" }],
    [NaN, { $number: "NaN" }],
    [Infinity, { $number: "Infinity" }],
    [-Infinity, { $number: "-Infinity" }],
    [-12n, { $bigint: "-12" }],
    ['a"\u2028\n', 'a"\u2028\n'],
    [new Date(0), { $date: "1970-01-01T00:00:00.000Z" }],
    [new Date(8.64e15), { $date: "+275760-09-13T00:00:00.000Z" }],
    [new Uint8Array([0, 255]), { $bytes: "AP8=" }],
    [new Link(key), { $link: { key, path: [] } }],
    [new Link(key, { seq: 3, path: ["a", 0] }), { $link: { key, seq: 3, path: ["a", 0] } }],
    [{ $date: 1 }, { $map: { $date: 1 } }],
    [{ $map: { a: 1 } }, { $map: { $map: { a: 1 } } }],
    [{ $date: 1, other: 2 }, { $date: 1, other: 2 }],
    [{}, {}],
    [[], []],
    [[1, [2, { a: "b" }]], [1, [2, { a: "b" }]]],
  ];
  const { get, url } = await streamWith(cases.map(([value]) => value));
  const response = await get(url);
  assert.equal(response.headers.get("content-type"), "application/json; charset=utf-8");
  const values = await response.json();
  cases.forEach(([, expected], i) => assert.deepEqual(values[i], expected, `case ${i}`));
});

Deno.test("/streams/KEY keeps a key called __proto__ a key", async () => {
  const { get, url } = await streamWith(JSON.parse('{"__proto__": {"x": 1}, "a": 2}'));
  assert.equal(await (await get(url)).text(), '{"__proto__":{"x":1},"a":2}\n');
});

Deno.test("/streams/KEY writes bytes longer than one step as one base64 text", async () => {
  const { get, registry } = await relayWorld();
  const bytes = noise(150_001);
  const { write } = await relayWorld({}, registry.store);
  await write("alice", { bytes });
  const value = await (await get(`/streams/${await keyOf("alice")}?path=bytes`)).json();
  assert.deepEqual(Uint8Array.fromBase64(value.$bytes), bytes);
});

Deno.test("?path= names a part, in dots or as a JSON array", async () => {
  const value = { a: { "b.c": ["x", { 0: "y" }] }, list: [10, 20], "[": 1, "": { e: 2 } };
  const { get, url } = await streamWith(value);
  const cases: [string, unknown][] = [
    ["", value],
    ["list", [10, 20]],
    ["list.1", 20],
    ['["list",1]', 20],
    ['["a","b.c",1,"0"]', "y"],
    ['["["]', 1],
    ['["","e"]', 2],
    [".e", 2],
  ];
  for (const [path, expected] of cases) {
    const response = await get(`${url}?path=${encodeURIComponent(path)}`);
    assert.deepEqual(await response.json(), expected, path);
  }
  for (const path of ["nothing", "list.2", "list.x", '["list","1"]', '["list",-1]', "a.b.c"]) {
    const response = await get(`${url}?path=${encodeURIComponent(path)}`);
    assert.equal(response.status, 404, path);
    assert.equal((await response.json()).error, "not_found");
  }
  for (const path of ["[", '["a",null]', '["a",{}]', "a.".repeat(1000)]) {
    const response = await get(`${url}?path=${encodeURIComponent(path)}`);
    assert.equal(response.status, 400, path);
    assert.equal((await response.json()).error, "malformed");
  }
});

Deno.test("/streams/KEY answers 413 for a value past its budget, and still serves its parts", async () => {
  // 2^16 elements in 16 stored lists: a decode bomb.
  let bomb: unknown = ["boom", "boom"];
  for (let i = 0; i < 15; i++) bomb = [bomb, bomb];
  const { get, url } = await streamWith({
    bomb,
    escapes: "\u0001".repeat(10_000),
    long: "x".repeat(30_000),
    bytes: noise(90_000),
    many: Array.from({ length: 2_000 }, (_, i) => i),
    fine: "fine",
  });
  for (const path of ["", "bomb", "escapes", "long", "bytes", "many"]) {
    const response = await get(`${url}?path=${path}`);
    assert.equal(response.status, 413, path);
    assert.equal((await response.json()).error, "budget", path);
  }
  assert.equal(await (await get(`${url}?path=fine`)).json(), "fine");
});

Deno.test("/streams/KEY has ETags that stay while the part stays", async () => {
  const { get, write, url } = await streamWith({ part: { a: [1, 2, 3] }, small: 1, other: 1 });
  for (const path of ["part", "small"]) {
    const etag = (await get(`${url}?path=${path}`)).headers.get("etag")!;
    await write("alice", { part: { a: [1, 2, 3] }, small: 1, other: Math.random() });
    const again = await get(`${url}?path=${path}`, { "if-none-match": etag });
    assert.equal(again.status, 304, path);
    const whole = await get(url, { "if-none-match": etag });
    assert.equal(whole.status, 200);
    await whole.body?.cancel();
  }
});

Deno.test("?at= gives a past value", async () => {
  const { get, write, url } = await streamWith({ n: 1 });
  await write("alice", { n: 2 });
  assert.deepEqual(await (await get(`${url}?at=0`)).json(), { n: 1 });
  assert.deepEqual(await (await get(`${url}?at=1&path=n`)).json(), 2);
  assert.equal((await get(`${url}?at=1999-01-01`)).status, 404);
});

Deno.test("what is not signed yet is not shown", async () => {
  const { get, write, store, url } = await streamWith({ n: 1 });
  const repo = await write("alice", { n: 2 });
  const append = store.append.bind(store);
  const { promise, resolve } = Promise.withResolvers<void>();
  store.append = async (...args) => {
    await promise;
    await append(...args);
  };
  repo.set({ n: 3 });
  const flushed = repo.flush();
  assert.deepEqual(await (await get(url)).json(), { n: 2 });
  resolve();
  await flushed;
  assert.deepEqual(await (await get(url)).json(), { n: 3 });
});

Deno.test("a text that is no key is a bad request", async () => {
  const { get } = await relayWorld();
  for (const key of ["x", "A".repeat(52), "a".repeat(51) + "b", "%E0%A4%A"]) {
    const response = await get(`/streams/${key}`);
    assert.equal(response.status, 400, key);
    assert.equal((await response.json()).error, "malformed");
  }
});
