/** What holds of chunks: round trip, one form, one address. */

import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Space } from "../../../core/codec/chunks.ts";
import { decode } from "../../../core/codec/decode.ts";
import { encode } from "../../../core/codec/encode.ts";
import { parseNode } from "../../../core/codec/node.ts";
import { MAP_INNER, SMALL_MAX } from "../../../core/codec/tags.ts";
import { type Item, Ref, type Value } from "../../../core/codec/value.ts";
import { StreamoError } from "../../../core/errors.ts";
import { MemoryChunks } from "../memory_chunks.ts";
import { reencode } from "../reencode.ts";
import { scalars, values } from "./arbitraries.ts";
import type { Check } from "./check.ts";

/** The properties of the codec. */
export function codecProperties(check: Check): void {
  check("decode(encode(v)) is v", 300, fc.property(values, roundTrip));
  check("decode(encode(v)) is v for scalars", 2000, fc.property(scalars, roundTrip));
  check("one value in two logs is the same chunks", 200, fc.property(values, sameChunks));
  check(
    "encode(decode(x)) is x for every chunk that reads as a value",
    200,
    fc.property(values, sameForm),
  );
  check(
    "values that differ have other addresses, equal ones the same",
    300,
    fc.property(values, values, (a, b) => {
      const space = new Space(new MemoryChunks());
      const [first, second] = [encode(space, a), encode(space, b)];
      if (!(first instanceof Ref && second instanceof Ref)) return;
      assert.equal(first.address === second.address, isDeepStrictEqual(a, b));
    }),
  );
}

function roundTrip(value: Value): void {
  const chunks = new MemoryChunks();
  const item = encode(new Space(chunks), value);
  assert.deepStrictEqual(decode(new Space(chunks), item), value);
}

function sameChunks(value: Value): void {
  const [first, second] = [new MemoryChunks(), new MemoryChunks()];
  const item = encode(new Space(first), value);
  // What is encoded the second time is what was read, not what was given.
  encode(new Space(second), decode(new Space(first), item));
  assert.deepStrictEqual([...second.byAddress], [...first.byAddress]);
}

function sameForm(value: Value): void {
  const chunks = new MemoryChunks();
  const space = new Space(chunks);
  encode(space, value);
  const { size } = chunks;
  for (const [address, bytes] of [...chunks.byAddress]) {
    assert.deepStrictEqual(reencode(new Space(chunks), address), bytes);
    const found = decodeIfValue(new Space(chunks), address);
    if (found === undefined || showsNotAll(bytes, address)) continue;
    const item = encode(space, found.value) as Item;
    // Pieces of large content and long scalars read as values too; a lone scalar is its own item.
    if (item instanceof Ref) assert.equal(item.address, address);
    assert.equal(chunks.size, size, `the chunk at ${address} has a second form`);
  }
}

/** An inner node of few entries may be a root because of long keys, of which it does not hold all. */
function showsNotAll(bytes: Uint8Array, address: number): boolean {
  if (bytes[0] !== MAP_INNER) return false;
  return parseNode(bytes, address).size <= SMALL_MAX;
}

/** The value at `address`; undefined where an inner part of a tree stands. */
function decodeIfValue(space: Space, address: number): { value: Value } | undefined {
  try {
    return { value: decode(space, new Ref(address)) };
  } catch (error) {
    if (error instanceof StreamoError && error.code === "malformed") return undefined;
    throw error;
  }
}
