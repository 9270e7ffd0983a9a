import assert from "node:assert/strict";
import { Space } from "../../../core/codec/chunks.ts";
import { decode } from "../../../core/codec/decode.ts";
import { encode } from "../../../core/codec/encode.ts";
import type { Value } from "../../../core/codec/value.ts";
import { Log } from "../../../core/log/log.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Branch } from "../../../core/repo/branch.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { MemoryChunks } from "../../suites/memory_chunks.ts";
import { signerOf } from "../../suites/people.ts";
import { sampleBytes } from "../../suites/sample_bytes.ts";
import { AsyncStore } from "../../suites/stores.ts";
import { testCrypto as crypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const FILES = 300;

/** 300 files of 20 KB, a list of 3,000 maps, and a history of 100 changes. */
async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repo = await Repo.open(store, alice);
  const content = sampleBytes("hashed", 20_000);
  repo.transaction((draft) => {
    for (let i = 0; i < FILES; i++) draft.set("files", `f${i}`, content.map((byte) => byte ^ i));
    draft.set("list", Array.from({ length: 3000 }, (_, i) => ({ i, text: `element ${i}` })));
  });
  for (let i = 0; i < 100; i++) {
    repo.set("list", i * 7, "text", `change ${i}`);
    await repo.flush();
  }
  return store;
}

const store = await filled();

for (const cacheBytes of [64 * 1024, 1024 * 1024, 4 * 2 ** 20]) {
  Deno.test(`reading a repo end to end keeps its caches within ${cacheBytes} bytes`, async () => {
    const log = await Log.open(store, alice.key, { crypto, cacheBytes });
    const branch = new Branch(log);
    await branch.follow();
    let most = 0;
    const check = () => {
      // A block at least, so that reading goes on at all.
      const blocks = Math.max(cacheBytes / 4, 61_440);
      assert.ok(log.stored.cachedBytes <= blocks, `${log.stored.cachedBytes} bytes of blocks`);
      assert.ok(branch.space.cachedBytes <= cacheBytes * 3 / 4, `${branch.space.cachedBytes}`);
      most = Math.max(most, log.stored.cachedBytes + branch.space.cachedBytes);
    };
    for (const record of branch.history()) {
      branch.recordAt(record.seq);
      check();
    }
    for (let pass = 0; pass < 2; pass++) {
      for (const [, file] of branch.snapshot.entries(["files"])) {
        assert.equal((file as Uint8Array).length, 20_000);
        check();
      }
      for (let i = 0; i < 3000; i += 50) {
        branch.snapshot.get("list", i, "text");
        check();
      }
      assert.equal((branch.snapshot.get("list") as Value[]).length, 3000);
      check();
    }
    assert.ok(most > cacheBytes / 8, `only ${most} bytes were ever kept`);
  });
}

Deno.test("a cached value counts with all that it holds", async () => {
  const log = await Log.open(store, alice.key, { crypto, cacheBytes: 64 * 2 ** 20 });
  const branch = new Branch(log);
  await branch.follow();
  const files = branch.snapshot.get("files");
  assert.equal(branch.snapshot.get("files"), files, "what is kept is one and the same");
  assert.ok(branch.space.values.weight >= FILES * 20_000, `${branch.space.values.weight}`);
});

Deno.test("a value larger than the cache is read all the same, each part of it once", async () => {
  const small = await Repo.open(store, alice.key, { cacheBytes: 64 * 1024 });
  const full = await Repo.open(store, alice.key);
  assert.deepEqual(small.get(), full.get());
  assert.notEqual(small.get("files"), small.get("files"), "it is too heavy to be kept");
  const far = await Repo.open(new AsyncStore(store), alice.key, { cacheBytes: 64 * 1024 });
  assert.deepEqual(await far.load(), full.get());
});

Deno.test("a value whose parts are all one takes a step a level, also if it is too heavy to keep", () => {
  const space = new Space(new MemoryChunks(), 20_000);
  const innermost = ["the innermost list has some text that weighs"];
  let item = encode(space, innermost);
  for (let i = 0; i < 60; i++) item = encode(space, [item, item]);
  let found = decode(space, item);
  for (let i = 0; i < 60; i++) {
    const [left, right] = found as readonly Value[];
    assert.equal(left, right);
    found = left;
  }
  assert.deepEqual(found, innermost);
});
