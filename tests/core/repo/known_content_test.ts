import assert from "node:assert/strict";
import type { Value } from "../../../core/codec/value.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Store } from "../../../core/log/store.ts";
import type { Stored } from "../../../core/repo/draft.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";
import { sampleBytes } from "../../suites/sample_bytes.ts";
import { CountingStore } from "../../suites/counting_store.ts";
import { AsyncStore } from "../../suites/stores.ts";

const alice = await signerOf("alice");
const whole = sampleBytes("hashed", 20_000_000);

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const parts = Array.from(
    { length: Math.ceil(bytes.length / 65_536) },
    (_, i) => bytes.slice(i * 65_536, (i + 1) * 65_536),
  );
  return ReadableStream.from(parts);
}

/** Bytes that the log grows by while `write` is under way. */
async function cost(repo: Repo, write: () => unknown): Promise<number> {
  const before = (await repo.flush())?.bytes ?? 0;
  await write();
  return (await repo.flush())!.bytes - before;
}

const reopened = (store: Store) => Repo.open(store, alice);

/** Stores with and without synchronous reads. */
const STORES: Record<string, () => Store> = {
  memory: () => new MemoryStore(),
  async: () => new AsyncStore(),
};

for (const [kind, open] of Object.entries(STORES)) {
  Deno.test(`${kind}: after reopening, a large file that moves, or comes back, costs a path`, async () => {
    // Where blocks must be waited for, the nodes of its tree are stored again: some 6 bytes a piece.
    const most = kind === "async" ? 4000 : 1000;
    const film = kind === "async" ? whole.subarray(0, 4_000_000) : whole;
    const store = open();
    const writer = await reopened(store);
    await writer.putBytes(["films", "one"], streamOf(film));
    const written = (await writer.flush())!.bytes;
    assert.ok(written > film.length);

    const mover = await reopened(store);
    const moved = await cost(mover, async () => {
      const stored = await mover.store(streamOf(film));
      await mover.read(() =>
        mover.transaction((draft) => {
          draft.delete("films", "one");
          draft.set("films", "two", stored);
        })
      );
    });
    assert.ok(moved < most, `moving costs ${moved} bytes`);

    const editor = await reopened(store);
    const changed = film.with(2_000_000, film[2_000_000] ^ 1);
    const edited = await cost(editor, () => editor.putBytes(["films", "two"], streamOf(changed)));
    assert.ok(edited < 80_000, `one changed byte costs ${edited} bytes`);

    const restorer = await reopened(store);
    const restored = await cost(
      restorer,
      () => restorer.putBytes(["films", "two"], streamOf(film)),
    );
    assert.ok(restored < most, `restoring costs ${restored} bytes`);
    assert.deepEqual(await restorer.load("films", "two"), film);
  });

  Deno.test(`${kind}: after reopening, an old value that is set again costs a path`, async () => {
    const store = open();
    const writer = await reopened(store);
    const doc = Array.from({ length: 5000 }, (_, i) => ({ i, text: `element ${i}`.repeat(5) }));
    writer.set("doc", doc);
    writer.set("doc", "nothing");
    await writer.flush();
    const again = await reopened(store);
    const spent = await cost(again, async () => {
      const stored = await again.storeValue(await again.read(() => again.at(0)!.get("doc")));
      again.transaction((draft) => draft.set("doc", stored));
    });
    assert.ok(spent < 1000, `${spent} bytes`);
    assert.deepEqual(await again.load("doc"), doc as unknown as Value);
  });

  Deno.test(`${kind}: many small files that move together are found too`, async () => {
    const store = open();
    const writer = await reopened(store);
    const files = Array.from({ length: 400 }, (_, i) => `file ${i} has its own text `.repeat(200));
    for (const [i, text] of files.entries()) writer.set("a", `f${i}`, text);
    await writer.flush();
    const mover = await reopened(store);
    const spent = await cost(mover, async () => {
      const stored: Stored[] = [];
      for (const text of files) stored.push(await mover.storeValue(text));
      await mover.read(() =>
        mover.transaction((draft) => {
          draft.delete("a");
          stored.forEach((content, i) => draft.set("b", `f${i}`, content));
        })
      );
    });
    // Some that look alike to the index may be stored again; and what is written in the transaction,
    // where nothing waits for an old block: all before the search.
    const most = kind === "memory" ? 100_000 : 400_000;
    assert.ok(spent < most, `${spent} bytes of 2 MB`);
  });
}

Deno.test("what other devices wrote is found too", async () => {
  const store = new MemoryStore();
  const here = await reopened(store);
  const there = await Repo.open(new MemoryStore(), alice);
  await there.putBytes(["film"], streamOf(whole.subarray(0, 2_000_000)));
  await there.flush();
  await here.receive(await runOf(there, 0));
  const spent = await cost(
    here,
    () => here.putBytes(["copy"], streamOf(whole.subarray(0, 2_000_000))),
  );
  assert.ok(spent < 1000, `${spent} bytes`);
});

Deno.test("nothing is searched before the first large content, and only once", async () => {
  const memory = new MemoryStore();
  const writer = await reopened(memory);
  await writer.putBytes(["film"], streamOf(whole));
  await writer.flush();
  const store = new CountingStore(memory);
  const repo = await Repo.open(store, alice);
  repo.set("title", "a film");
  await repo.flush();
  await repo.putBytes(["poster"], streamOf(whole.subarray(0, 100_000)));
  await repo.storeValue({ small: "value" });
  await repo.flush();
  assert.equal(store.count.blocks, 0, "blocks read before anything large is stored");
  await repo.putBytes(["one"], streamOf(whole));
  const { blocks } = store.count;
  assert.ok(blocks >= whole.length / 61_440, `${blocks} blocks are searched`);
  await repo.putBytes(["two"], streamOf(whole.subarray(0, 5_000_000)));
  await repo.flush();
  assert.equal(store.count.blocks, blocks, "blocks are searched once");
});

Deno.test("a damaged block is passed over: its content is stored again", async () => {
  const memory = new MemoryStore();
  const writer = await reopened(memory);
  await writer.putBytes(["film"], streamOf(whole.subarray(0, 8_000_000)));
  await writer.flush();
  const store = new CountingStore(memory);
  store.damaged = 100;
  const repo = await Repo.open(store, alice);
  const spent = await cost(
    repo,
    () => repo.putBytes(["copy"], streamOf(whole.subarray(0, 8_000_000))),
  );
  assert.ok(spent > 1000 && spent < 8_000_000, `${spent} bytes`);
});
