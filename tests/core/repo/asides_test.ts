import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { AsideBranch } from "../../../core/log/aside.ts";
import { Asides } from "../../../core/repo/asides.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";

const tooLarge = { code: "too_large" };
const alice = await signerOf("alice");
const repo = await Repo.open(new MemoryStore(), alice);
repo.set(1);
const head = (await repo.flush())!;

/** A branch that nobody looks into, of `count` blocks of so many bytes. */
function branch(n: number, count: number, bytes: number): AsideBranch {
  const blocks = Array.from({ length: count }, () => new Uint8Array(bytes));
  const root = new Uint8Array(32).fill(n);
  return {
    head: { ...head, root, blocks: count, bytes: count * bytes },
    from: 0,
    start: 0,
    blocks,
  };
}

Deno.test("16 branches of one key are kept, until one of them is forgotten", async () => {
  const store = new MemoryStore();
  const asides = await Asides.open(store, alice.key);
  for (let n = 0; n < 16; n++) await asides.keep(branch(n, 1, 1));
  await assert.rejects(asides.keep(branch(16, 1, 1)), tooLarge);
  await asides.keep(branch(3, 1, 1));
  assert.equal((await store.asides(alice.key)).length, 16);
  await asides.forget(asides.all[0]);
  await asides.keep(branch(16, 1, 1));
});

Deno.test("16 MiB of branches of one key are kept, each block counted with 192 bytes more", async () => {
  const half = 8 * 2 ** 20;
  const asides = await Asides.open(new MemoryStore(), alice.key);
  await asides.keep(branch(0, 1, half - 192));
  await assert.rejects(asides.keep(branch(1, 1, half - 191)), tooLarge);
  await assert.rejects(asides.keep(branch(1, 50_000, 1)), tooLarge);
  assert.equal(asides.all.length, 1);
  await asides.keep(branch(1, 1, half - 192));
  await assert.rejects(asides.keep(branch(2, 1, 1)), tooLarge);
});
