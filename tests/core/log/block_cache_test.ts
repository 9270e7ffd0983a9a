import assert from "node:assert/strict";
import { BlockCache } from "../../../core/log/block_cache.ts";
import { type Block, findBlock } from "../../../core/log/block.ts";
import { randomSource } from "../../suites/random.ts";

function blocksOf(sizes: readonly number[]): Block[] {
  let start = 0;
  return sizes.map((size, index) => {
    const block = { index, start, bytes: new Uint8Array(size) };
    start += size;
    return block;
  });
}

Deno.test("a block is found by every address inside it, and by no other", () => {
  const random = randomSource();
  const sizes = Array.from(
    { length: 60 },
    () => random.integer(1, [3, 9000, 61_440][random.integer(0, 2)]),
  );
  const blocks = blocksOf(sizes);
  const cache = new BlockCache(2 ** 30);
  const known = blocks.filter(() => random.integer(0, 2) > 0);
  for (const block of known) cache.add(block);
  for (const block of blocks) {
    const expected = known.includes(block) ? block : undefined;
    const last = block.start + block.bytes.length - 1;
    for (const address of [block.start, last, random.integer(block.start, last)]) {
      assert.equal(cache.get(address), expected, `${random.seed}: address ${address}`);
      assert.equal(findBlock(known, address), expected, `${random.seed}: address ${address}`);
    }
  }
  const end = sizes.reduce((sum, size) => sum + size, 0);
  assert.equal(cache.get(end), undefined);
  assert.equal(findBlock(blocks, end), undefined);
  assert.equal(findBlock([], 0), undefined);
});

Deno.test("the cache keeps what is used and stays within its bound", () => {
  const limit = 100_000;
  const cache = new BlockCache(limit);
  const blocks = blocksOf(Array.from({ length: 2000 }, () => 1000));
  for (const block of blocks) {
    cache.add(block);
    assert.equal(cache.get(0), blocks[0], "the first is asked for all the time");
  }
  const held = blocks.filter(({ start }) => cache.get(start) !== undefined).length;
  assert.ok(held >= 40 && held * 1000 <= 2 * limit, `${held} blocks of 1,000 bytes are held`);
  cache.clear();
  assert.equal(cache.get(0), undefined);
});

Deno.test("a block larger than the bound is still given once", () => {
  const cache = new BlockCache(10);
  const [block] = blocksOf([50_000]);
  cache.add(block);
  assert.equal(cache.get(49_999), block);
});

Deno.test("bytes never pass the bound, but for one block", () => {
  const random = randomSource();
  const sizes = Array.from({ length: 500 }, () => random.integer(1, 61_440));
  const blocks = blocksOf(sizes);
  for (const limit of [1, 61_440, 100_000, 1_000_000]) {
    const cache = new BlockCache(limit);
    for (const block of blocks) {
      cache.add(block);
      assert.ok(cache.bytes <= Math.max(limit, block.bytes.length), `${random.seed}: ${limit}`);
      assert.equal(cache.get(block.start), block, random.seed);
      const again = blocks[random.integer(0, block.index)];
      cache.get(again.start);
      assert.ok(cache.bytes <= Math.max(limit, 61_440), `${random.seed}: ${limit}`);
    }
    cache.clear();
    assert.equal(cache.bytes, 0);
  }
});
