import assert from "node:assert/strict";
import { Cache } from "../../../core/codec/cache.ts";
import { randomSource } from "../../suites/random.ts";

Deno.test("a cache never holds more than its bound, whatever is asked for again and again", () => {
  const limit = 1000;
  const cache = new Cache<string>(limit);
  const weights = new Map<number, number>();
  const random = randomSource();
  for (let i = 0; i < 20_000; i++) {
    const key = random.integer(0, 300);
    if (cache.get(key) === undefined) {
      // Now and then one that takes up most of the room.
      const weight = random.integer(1, random.integer(0, 50) === 0 ? 950 : 30);
      assert.ok(cache.set(key, `${key}`, weight));
      weights.set(key, weight);
    }
    assert.ok(cache.weight <= limit, `${random.seed}: ${cache.weight}`);
    assert.equal(cache.find(key)?.weight, weights.get(key), random.seed);
  }
});

Deno.test("a cache that was full once stays half full, as long as nothing is heavy", () => {
  const [limit, heaviest] = [1000, 30];
  const cache = new Cache<string>(limit);
  const random = randomSource();
  let wasFull = false;
  for (let i = 0; i < 20_000; i++) {
    const key = random.integer(0, 300);
    if (cache.get(key) === undefined) cache.set(key, `${key}`, random.integer(1, heaviest));
    const least = limit / 2 - heaviest;
    wasFull ||= cache.weight >= least;
    assert.ok(!wasFull || cache.weight >= least, `${random.seed}: ${cache.weight}`);
  }
  assert.ok(wasFull);
});

Deno.test("a working set of half the bound stays, one that is asked for in turn too", () => {
  const cache = new Cache<number>(1000);
  for (let i = 0; i < 10_000; i++) {
    for (const key of [1, 2, 3]) {
      if (i > 0) assert.equal(cache.get(key), key);
      else cache.set(key, key, 100);
    }
    cache.set(10 + i, i, 10);
  }
});

Deno.test("what weighs more than the bound is not kept, and drives nothing out", () => {
  const cache = new Cache<string>(100);
  assert.ok(cache.set(1, "small", 10));
  assert.equal(cache.set(2, "large", 101), false);
  assert.equal(cache.get(2), undefined);
  assert.equal(cache.get(1), "small");
  assert.ok(cache.set(3, "all of it", 100));
  assert.equal(cache.get(3), "all of it");
  assert.equal(cache.weight, 100);
});

Deno.test("a value that is set again counts once", () => {
  const cache = new Cache<string>(100);
  for (let i = 0; i < 50; i++) cache.set(1, `${i}`, 20 + i);
  assert.equal(cache.get(1), "49");
  assert.equal(cache.weight, 69);
  cache.clear();
  assert.equal(cache.weight, 0);
  assert.equal(cache.get(1), undefined);
});
