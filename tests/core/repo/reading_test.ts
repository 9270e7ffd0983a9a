import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { ProvenBlocks } from "../../../core/log/source.ts";
import { StoreSource } from "../../../core/log/store_source.ts";
import { ANSWER_BYTES } from "../../../core/log/walk.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { Space } from "../../../core/codec/chunks.ts";
import type { Reading } from "../../../core/codec/reading.ts";
import { sharedLeaves, sharedLists } from "../../suites/fuzz/bombs.ts";
import { noise } from "../../suites/noise.ts";
import { fileName, fileText, writeFiles } from "../../suites/many_files.ts";
import { signerOf } from "../../suites/people.ts";
import { TestSource } from "../../suites/sources.ts";
import { AsyncStore } from "../../suites/stores.ts";
import { testCrypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const COUNT = 1500;
const film = noise(1, 6_000_000);

const store = new MemoryStore();
const author = await writeFiles(store, alice, COUNT);
author.set("list", Array.from({ length: 5000 }, (_, i) => ({ i, text: `element ${i}` })));
await author.putBytes(["film"], new Blob([film]).stream());
author.set("file", fileName(7), "content", fileText(7));
await author.flush();
for (let i = 0; i < 100; i++) {
  author.set("other", `change ${i}`.repeat(300));
  await author.flush();
}

async function sparse(holder: MemoryStore | AsyncStore = store) {
  const source = new TestSource(holder);
  const repo = await Repo.open(new MemoryStore(), alice.key, { source });
  return { repo, source };
}

const READINGS: Record<string, (repo: Repo) => unknown> = {
  "get()": (repo) => repo.get("files", fileName(1234)),
  "get() of a part": (repo) => repo.get("list", 1234, "text"),
  "get() of a list": (repo) => repo.get("list"),
  "get() of nothing": (repo) => repo.get("files", "file 12", "x"),
  "has()": (repo) => repo.has("files", fileName(1499)),
  "stat()": (repo) => ({ ...repo.stat("film"), address: 0 }),
  "keys() with a limit": (repo) => [...repo.keys(["files"], { start: "src/part5", limit: 300 })],
  "keys() with a prefix": (repo) => [...repo.keys(["files"], { prefix: "src/part96/" })],
  "keys() in reverse": (repo) => [...repo.keys(["files"], { reverse: true, limit: 300 })],
  "entries()": (repo) => [...repo.entries(["files"], { start: "src/part5", limit: 10 })],
  "stats()": (repo) => [...repo.snapshot.stats(["files"], { limit: 10 })].map(([key]) => key),
  "elements()": (repo) => [...repo.elements(["list"], { start: 2000, limit: 300 })],
  "content()": (repo) =>
    concat([...repo.snapshot.content(["film"], { start: 3_000_000, end: 3_010_000 })]),
};

for (const [name, read] of Object.entries(READINGS)) {
  Deno.test(`${name} takes one request, whoever holds the log`, async () => {
    for (const holder of [store, new AsyncStore(store)]) {
      const { repo, source } = await sparse(holder);
      assert.deepEqual(await repo.read(() => read(repo)), read(author));
      assert.deepEqual(source.asked, ["newest", "blockAt"]);
    }
  });
}

Deno.test("one file takes a few small blocks, and what was read once is not asked for again", async () => {
  const { repo, source } = await sparse();
  await repo.load("files", fileName(500));
  const { given } = source;
  assert.ok(given <= 6, `${given} blocks`);
  await repo.load("files", fileName(500));
  await repo.read(() => repo.stat("files", fileName(500)));
  assert.deepEqual(source.asked, ["newest", "blockAt"]);
  // Its neighbour is in the same leaf: only its own block is new.
  const after = repo.read(() => [...repo.keys(["files"], { start: fileName(500), limit: 2 })]);
  await repo.load("files", (await after)[1]);
  assert.equal(source.given, given + 1);
});

Deno.test("a large value comes in answers of bounded size, none of it twice", async () => {
  for (const path of [["film"], ["files"]]) {
    const { repo, source } = await sparse();
    const sizes: number[] = [];
    source.lies = {
      blocks(proven) {
        const blocks = proven!.runs.flatMap(({ blocks }) => blocks);
        sizes.push(blocks.reduce((sum, { length }) => sum + length, 0));
        return proven;
      },
    };
    assert.deepEqual(await repo.load(...path), author.get(...path));
    assert.ok(sizes.every((size) => size <= ANSWER_BYTES), `${sizes}`);
    const sum = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(sum < 1.2 * repo.head!.bytes, `${sum} bytes of ${repo.head!.bytes}`);
    assert.ok(sizes.length < 70, `${sizes.length} requests`);
  }
});

Deno.test("of a value that was read before only what is new is sent", async () => {
  const growing = new MemoryStore();
  const writer = await writeFiles(growing, alice, 60);
  const { repo, source } = await sparse(growing);
  await repo.load();
  for (let i = 0; i < 3; i++) {
    const { given } = source;
    writer.set("files", fileName(i), "x".repeat(20_000));
    writer.set("files", fileName(i + 10), "y".repeat(20_000));
    await writer.flush();
    await repo.refresh();
    assert.deepEqual(await repo.load(), writer.get());
    assert.ok(source.given - given <= 6, `${source.given - given} blocks`);
  }
});

Deno.test("a stream is read ahead: a request for each 256 KiB", async () => {
  const { repo, source } = await sparse();
  const parts = await Array.fromAsync(repo.readBytes(["film"]));
  assert.deepEqual(concat(parts), film);
  assert.ok(source.asked.length <= 2 + film.length / (256 * 1024), `${source.asked.length}`);
});

Deno.test("where a program may stop reading, little is sent ahead", async () => {
  const { repo, source } = await sparse();
  const first = await repo.read(() => repo.entries(["files"]).next().value?.[0]);
  assert.equal(first, author.keys(["files"]).next().value);
  assert.deepEqual(source.asked, ["newest", "blockAt"]);
  assert.ok(source.given < 20, `${source.given} blocks`);
});

Deno.test("the past is read like the present", async () => {
  const { repo, source } = await sparse();
  const then = await repo.read(() => repo.at(3));
  const asked = source.asked.length;
  assert.deepEqual(await repo.read(() => then!.get("files", fileName(3))), fileText(3));
  assert.equal(source.asked.length, asked + 1);
});

const HOSTILE: Record<string, Partial<Reading>> = {
  "a root past the end": { root: 2 ** 40 },
  "a root in the middle of a chunk": { root: 5 },
  "names of prototypes": { path: ["__proto__", "constructor", "toString"] },
  "an index of a map": { path: [0, 1, 2] },
  "a fraction": { path: [0.5, -1] },
  "500 steps": { path: Array(500).fill("files") },
  "bytes of a map": { kind: "bytes", path: ["files"] },
  "keys of a text": { kind: "keys", path: ["other"] },
  "a range that is none": { kind: "elements", path: ["list"], range: { start: 9, end: 1 } },
};

Deno.test("whatever a reading says, the block that was asked for is there, and little else", async () => {
  const head = author.head!;
  const root = (await sparse()).repo.snapshot.root as { address: number };
  for (const holder of [store, new AsyncStore(store)]) {
    const source = new StoreSource(holder, testCrypto);
    for (const [name, change] of Object.entries(HOSTILE)) {
      const reading: Reading = { kind: "value", root: root.address, path: [], ...change };
      const proven: ProvenBlocks = (await source.blockAt(head, 1_000_000, reading))!;
      const found = proven.runs.flatMap(({ blocks }) => blocks);
      assert.ok(found.length < 25, `${name}: ${found.length} blocks`);
      const has = proven.runs.some(({ start, blocks }) =>
        start <= 1_000_000 && start + concat(blocks).length > 1_000_000
      );
      assert.ok(has, name);
    }
  }
});

Deno.test("what a few bytes stand for is not read to its end", async () => {
  const holder = new MemoryStore();
  const repo = await Repo.open(holder, alice);
  const space = new Space(repo.log);
  const roots = [sharedLeaves(space, 64, 8), sharedLists(space, 15, 12)];
  repo.set("here");
  const head = (await repo.flush())!;
  for (const store of [holder, new AsyncStore(holder)]) {
    const source = new StoreSource(store, testCrypto);
    for (const { address: root } of roots) {
      for (const kind of ["value", "elements", "place"] as const) {
        const proven = (await source.blockAt(head, 0, { kind, root, path: [] }))!;
        assert.equal(proven.runs.length, 1);
      }
    }
  }
});

Deno.test("a reading in an older log gives nothing of the newer one", async () => {
  const older = await headOf(20);
  const source = new StoreSource(store, testCrypto);
  const { address } = author.snapshot.root as { address: number };
  const reading: Reading = { kind: "value", root: address, path: ["files"] };
  const proven = (await source.blockAt(older, 0, reading))!;
  for (const { first, blocks } of proven.runs) assert.ok(first + blocks.length <= older.blocks);
});

async function headOf(blocks: number) {
  return { ...author.head!, blocks, root: (await author.log.rootAt(blocks))! };
}
