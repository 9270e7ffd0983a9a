import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { Space } from "../../../core/codec/chunks.ts";
import { encode } from "../../../core/codec/encode.ts";
import { scanChunks } from "../../../core/codec/scan.ts";
import { Link, type Value } from "../../../core/codec/value.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { MemoryChunks } from "../../suites/memory_chunks.ts";
import { signerOf } from "../../suites/people.ts";
import { sampleBytes } from "../../suites/sample_bytes.ts";
import containers from "../../vectors/containers.json" with { type: "json" };
import records from "../../vectors/records.json" with { type: "json" };
import scalars from "../../vectors/scalars.json" with { type: "json" };

const alice = await signerOf("alice");
const lengths = (bytes: Uint8Array) => [...scanChunks(bytes)].map(({ start, end }) => end - start);

Deno.test("scanChunks() finds every chunk of every vector, by the lengths that they tell", () => {
  for (const { name, chunks } of containers.valid) {
    const all = chunks.map((chunk) => Uint8Array.fromHex(chunk));
    assert.deepEqual(lengths(concat(all)), all.map(({ length }) => length), name);
  }
  for (const { name, hex } of records.valid) {
    const record = Uint8Array.fromHex(hex);
    const found = [...scanChunks(concat([record, record]))];
    assert.deepEqual(found.map(({ end }) => end), [record.length, 2 * record.length], name);
    assert.ok(found.every(({ isRecord }) => isRecord), name);
  }
  for (const { value, hex } of scalars.valid) {
    const scalar = Uint8Array.fromHex(hex);
    if (scalar[0] === 0x60 || scalar[0] === 0x70) continue;
    assert.deepEqual(lengths(scalar), [scalar.length], JSON.stringify(value));
  }
});

Deno.test("it finds what was written, and nothing else", () => {
  const values: Value[] = [
    Array.from({ length: 300 }, (_, i) => ({ i, text: `element ${i}`.repeat(i % 40) })),
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, -i * 1.5])),
    { bytes: sampleBytes("hashed", 200_000), text: "é".repeat(100_000), date: new Date(5) },
    [2n ** 200n, -(2n ** 70n), new Link(alice.key, { seq: 3, path: ["a", 1] }), [], {}, NaN],
  ];
  for (const value of values) {
    const chunks = new MemoryChunks();
    encode(new Space(chunks), value);
    const all = [...chunks.byAddress.values()];
    const found = lengths(concat(all));
    assert.deepEqual(found, all.map(({ length }) => length));
  }
});

Deno.test("it tells records from other chunks, in the blocks of a repo", async () => {
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice);
  for (let i = 0; i < 40; i++) {
    repo.set({ i, list: Array.from({ length: i }, (_, n) => ({ n })) });
    if (i % 3 === 0) repo.publish({ i }, { message: "an event" });
    if (i % 5 === 0) await repo.flush();
  }
  const head = (await repo.flush())!;
  const found: number[] = [];
  for await (const { start, bytes } of store.blocks(alice.key, 0, 0, head.blocks)) {
    let end = 0;
    for (const chunk of scanChunks(bytes)) {
      assert.equal(chunk.start, end);
      if (chunk.isRecord) found.push(start + chunk.start);
      end = chunk.end;
    }
    assert.equal(end, bytes.length);
  }
  assert.deepEqual(found, [...repo.history()].map(({ address }) => address).reverse());
});

Deno.test("it ends where bytes are no chunk, and reads no further than the block", () => {
  const good = Uint8Array.fromHex("6104" + "74657874" + "4568656c6c6f");
  assert.deepEqual(lengths(good), [good.length]);
  for (const bad of ["ff", "95", "60", "70", "8d", "8aff7f", "9041", "8e01", "94"]) {
    const block = concat([good, Uint8Array.fromHex(bad)]);
    assert.deepEqual(lengths(block), [good.length], bad);
  }
  for (let at = 1; at < good.length; at++) assert.deepEqual(lengths(good.subarray(0, at)), []);
});
