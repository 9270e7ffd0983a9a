/** Nodes that an edit leaves at hand are what reading them would give. */

import assert from "node:assert/strict";
import { Space } from "../../../core/codec/chunks.ts";
import { editList, editMap } from "../../../core/codec/edit.ts";
import { decode } from "../../../core/codec/decode.ts";
import { encode } from "../../../core/codec/encode.ts";
import { EMPTY_MAP, type Item, Ref, type Value } from "../../../core/codec/value.ts";
import { MemoryChunks } from "../../suites/memory_chunks.ts";
import { randomSource } from "../../suites/random.ts";

/** Compares every node below `item` as `space` has it with what its bytes say. */
function compareNodes(space: Space, chunks: MemoryChunks, item: Item): void {
  const { address } = item as Ref;
  const read = new Space(chunks).node(address);
  assert.deepStrictEqual(space.node(address), read);
  if (read.height === 0) return;
  for (const child of read.items) compareNodes(space, chunks, child);
}

Deno.test("nodes of an edited map or list are kept as they are written", () => {
  const random = randomSource();
  const chunks = new MemoryChunks();
  const space = new Space(chunks);
  const pieces: Value[] = [0, -0, NaN, "x", "long ".repeat(9), null, 7n, "é", EMPTY_MAP, undefined];
  const value = () => pieces[random.integer(0, pieces.length - 1)];
  let map = encode(space, Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`${i}`, i])));
  let list = encode(space, Array.from({ length: 900 }, (_, i) => i % 9));
  for (let i = 0; i < 60; i++) {
    const key = i === 0 ? "" : `${random.integer(0, 999)}`;
    map = editMap(space, space.node((map as Ref).address), [{
      key,
      put: i % 5 > 0,
      item: value(),
    }]);
    const splice = { at: random.integer(0, 800), remove: random.integer(0, 3), insert: [value()] };
    list = editList(space, space.node((list as Ref).address), [splice]);
    compareNodes(space, chunks, map);
    compareNodes(space, chunks, list);
  }
});

Deno.test("bytes and dates that their owner changes later are not what was written", () => {
  const space = new Space(new MemoryChunks());
  const start = encode(space, Array.from({ length: 100 }, (_, i) => i)) as Ref;
  const bytes = Uint8Array.of(1, 2, 3);
  const date = new Date(1000);
  const insert = [encode(space, bytes), encode(space, date)];
  const splice = { at: 50, remove: 0, insert };
  const { address } = editList(space, space.node(start.address), [splice]) as Ref;
  bytes[0] = 9;
  date.setTime(0);
  const found: Item[] = [];
  const collect = (at: number) => {
    const node = space.node(at);
    for (const item of node.items) {
      node.height > 0 ? collect((item as Ref).address) : found.push(item);
    }
  };
  collect(address);
  assert.deepEqual(found.slice(50, 52), [Uint8Array.of(1, 2, 3), new Date(1000)]);
  // What is handed out is no more part of it than what came in.
  const [, , handedBytes, handedDate] = (decode(space, new Ref(address)) as Value[]).slice(48);
  (handedBytes as Uint8Array)[0] = 8;
  (handedDate as Date).setTime(1);
  found.length = 0;
  collect(address);
  assert.deepEqual(found.slice(50, 52), [Uint8Array.of(1, 2, 3), new Date(1000)]);
});
