import assert from "node:assert/strict";
import { MissingBlock } from "../../../core/codec/chunks.ts";
import { chunkHash, ChunkIndex, isChunkAt } from "../../../core/log/chunk_index.ts";
import { MemoryChunks } from "../../suites/memory_chunks.ts";

Deno.test("the index finds what was added, by hash and by what the caller accepts", () => {
  const index = new ChunkIndex();
  assert.equal(index.find(7, () => true), undefined);
  index.add(7, 100);
  index.add(7, 200);
  index.add(0, 0);
  assert.equal(index.find(7, (address) => address === 200), 200);
  assert.equal(index.find(7, (address) => address === 100), 100);
  assert.equal(index.find(7, () => false), undefined);
  assert.equal(index.find(0, () => true), 0);
  assert.equal(index.find(8, () => true), undefined);
});

Deno.test("recent entries are found again, however many there were before", () => {
  const index = new ChunkIndex();
  const count = 1_200_000;
  for (let i = 0; i < count; i++) index.add(Math.imul(i, 0x9e3779b1), i);
  for (let i = count - 100_000; i < count; i += 97) {
    assert.equal(index.find(Math.imul(i, 0x9e3779b1), (address) => address === i), i);
  }
  assert.equal(index.find(Math.imul(1, 0x9e3779b1), (address) => address === 1), undefined);
});

Deno.test("equal hashes cost a bounded number of comparisons", () => {
  const index = new ChunkIndex();
  for (let i = 0; i < 5000; i++) index.add(42, i);
  let compared = 0;
  const found = index.find(42, () => {
    compared++;
    return false;
  });
  assert.equal(found, undefined);
  assert.ok(compared <= 64, `${compared} comparisons`);
});

Deno.test("chunkHash() tells lengths and contents apart", () => {
  const seen = new Set<number>();
  for (let length = 0; length < 200; length++) {
    seen.add(chunkHash(new Uint8Array(length)));
    seen.add(chunkHash(new Uint8Array(length + 1).fill(1)));
  }
  assert.equal(seen.size, 400);
  const large = new Uint8Array(40_000);
  assert.notEqual(chunkHash(large), chunkHash(large.with(0, 1)));
});

Deno.test("isChunkAt() compares bytes", () => {
  const chunks = new MemoryChunks();
  const address = chunks.append(new Uint8Array([1, 2, 3]));
  assert.equal(isChunkAt(chunks, address, new Uint8Array([1, 2, 3])), true);
  assert.equal(isChunkAt(chunks, address, new Uint8Array([1, 2, 4])), false);
  assert.equal(isChunkAt(chunks, address, new Uint8Array([1, 2, 3, 4])), false);
  assert.throws(() => isChunkAt(chunks, 77, new Uint8Array([1])), MissingBlock);
  const broken = { at: () => assert.fail("a damaged store"), append: () => 0 };
  assert.throws(() => isChunkAt(broken, 0, new Uint8Array([1])), /damaged/);
});
