/** The vectors of SPEC: what is valid has these bytes, what is not is refused with this code. */

import assert from "node:assert/strict";
import { hashBytes } from "../../core/codec/builder.ts";
import { cutPiece } from "../../core/codec/cdc.ts";
import { type Chunks, MissingBlock, Space } from "../../core/codec/chunks.ts";
import { decode } from "../../core/codec/decode.ts";
import { encode } from "../../core/codec/encode.ts";
import { parseNode } from "../../core/codec/node.ts";
import { readScalar } from "../../core/codec/scalar.ts";
import { writeScalar } from "../../core/codec/write_scalar.ts";
import type { Item } from "../../core/codec/value.ts";
import { Reader } from "../../core/codec/reader.ts";
import { Writer } from "../../core/codec/writer.ts";
import { StreamoError } from "../../core/errors.ts";
import { readRecord } from "../../core/repo/record.ts";
import { writeRecord } from "../../core/repo/write_record.ts";
import { MemoryChunks } from "../suites/memory_chunks.ts";
import { fromNotation, type Json } from "../suites/notation.ts";
import { sampleBytes } from "../suites/sample_bytes.ts";
import containers from "../vectors/containers.json" with { type: "json" };
import large from "../vectors/large.json" with { type: "json" };
import records from "../vectors/records.json" with { type: "json" };
import scalars from "../vectors/scalars.json" with { type: "json" };
import varints from "../vectors/varints.json" with { type: "json" };

/** Negative cases are read as if they stood at this address. */
const ADDRESS = 1000;

const bytesOf = (hex: string) => Uint8Array.fromHex(hex);

function hexOf(write: (writer: Writer) => void): string {
  const writer = new Writer();
  write(writer);
  return writer.view().toHex();
}

/** What `hex` is as a scalar, read to its end. */
function itemOf(hex: string): Item {
  const reader = new Reader(bytesOf(hex));
  const item = readScalar(reader, ADDRESS);
  assert.equal(reader.at, hex.length / 2);
  return item;
}

/** Chunks that lie one after the other from `start` on. */
function chunksOf(hex: string, start = 0): Chunks {
  const bytes = bytesOf(hex);
  return {
    at(address) {
      if (address < start || address >= start + bytes.length) throw new MissingBlock(address);
      return bytes.subarray(address - start);
    },
    append: () => assert.fail("nothing is written"),
  };
}

function refuses(work: () => unknown, { name, code }: { name: string; code: string }): void {
  const isRight = (error: unknown) => error instanceof StreamoError && error.code === code;
  assert.throws(work, isRight, name);
}

Deno.test("varints have one form", () => {
  for (const { value, hex } of varints.valid) {
    assert.equal(hexOf((writer) => writer.varint(value)), hex);
    const reader = new Reader(bytesOf(hex));
    assert.equal(reader.varint(), value);
    assert.equal(reader.at, hex.length / 2);
  }
  for (const bad of varints.invalid) refuses(() => new Reader(bytesOf(bad.hex)).varint(), bad);
});

Deno.test("scalars have one form", () => {
  for (const { value, hex } of scalars.valid) {
    const item = itemOf(hex);
    assert.deepEqual(item, fromNotation(value as Json));
    assert.equal(hexOf((writer) => writeScalar(writer, item)), hex);
  }
  for (const bad of scalars.invalid) {
    refuses(() => readScalar(new Reader(bytesOf(bad.hex)), ADDRESS), bad);
  }
});

Deno.test("boundaries of nodes come from this hash", () => {
  for (const { bytes, height, hash } of containers.hashes) {
    assert.equal(hashBytes(bytesOf(bytes), 0, bytes.length / 2, height) >>> 0, hash);
  }
});

Deno.test("maps and lists become these chunks", () => {
  for (const { name, value, item, chunks: expected } of containers.valid) {
    const chunks = new MemoryChunks();
    const written = encode(new Space(chunks), fromNotation(value as Json));
    assert.deepEqual([...chunks.byAddress.values()].map((c) => c.toHex()), expected, name);
    assert.equal(hexOf((writer) => writeScalar(writer, written)), item, name);
    const space = new Space(chunksOf(expected.join("")));
    assert.deepEqual(decode(space, written), fromNotation(value as Json), name);
  }
});

Deno.test("nodes that break a rule are malformed", () => {
  for (const bad of containers.invalid) refuses(() => parseNode(bytesOf(bad.hex), ADDRESS), bad);
});

Deno.test("large bytes are cut at these places", () => {
  for (const { kind, length, pieces, nodes, item } of large.valid) {
    const bytes = sampleBytes(kind as "zeros" | "hashed", length);
    const lengths: number[] = [];
    for (let at = 0; at < length; at += lengths[lengths.length - 1]) {
      lengths.push(cutPiece(bytes, at, length));
    }
    assert.deepEqual(lengths, pieces);
    if (item === undefined) continue;
    const chunks = new MemoryChunks();
    const written = encode(new Space(chunks), bytes);
    assert.equal(hexOf((writer) => writeScalar(writer, written)), item);
    const found = [...chunks.byAddress.values()].map((c) => c.toHex());
    assert.deepEqual(found.filter((chunk) => chunk.startsWith("92")), nodes);
    assert.deepEqual(decode(new Space(chunks), written), bytes);
  }
});

Deno.test("values that are not in their smallest form are malformed", () => {
  for (const { log, ...bad } of large.invalid) {
    refuses(() => decode(new Space(chunksOf(log)), itemOf(bad.hex)), bad);
  }
});

Deno.test("records have these bytes", () => {
  for (const { hex, address, name, root, event, cites, ...numbers } of records.valid) {
    const record = readRecord(new Space(chunksOf(hex, address)), address);
    assert.partialDeepStrictEqual(record, { ...numbers, address }, name);
    assert.deepEqual(
      [record.root, record.event, record.citesItem],
      [root, event, cites].map(itemOf),
    );
    writeRecord(new Space(new MemoryChunks()), record, (chunk) => {
      assert.equal(chunk.toHex(), hex, name);
      return address;
    });
  }
  for (const bad of records.invalid) {
    refuses(() => readRecord(new Space(chunksOf(bad.hex, ADDRESS)), ADDRESS), bad);
  }
});
