import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";

/** 20 to 40 bytes of text: inside a small map, a chunk of its own under a tree. */
const text = (i: number) => `text of about twenty bytes, ${i}`;
const fifteen = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`key${i}`, text(i)]));

Deno.test("a map that grows past the small form has changed in its new entry only", async () => {
  const repo = await Repo.open(new MemoryStore(), await signerOf("alice"));
  repo.set(fifteen);
  const small = repo.snapshot;
  repo.set("key15", "new");
  const tree = repo.snapshot;
  assert.deepEqual(repo.diff(small, tree), [
    { path: ["key15"], before: undefined, after: "new" },
  ]);
  assert.deepEqual(repo.diff(tree, small), [
    { path: ["key15"], before: "new", after: undefined },
  ]);
});

Deno.test("text that is stored again after its chunk was forgotten has not changed", async () => {
  const store = new MemoryStore();
  const signer = await signerOf("alice");
  const first = await Repo.open(store, signer);
  first.set({ long: "x".repeat(1000), n: 1 });
  await first.flush();
  // A repo that is opened again does not know where its old chunks are.
  const again = await Repo.open(store, signer);
  const before = again.snapshot;
  again.set({ long: "x".repeat(1000), n: 2 });
  assert.deepEqual(again.diff(before, again.snapshot), [{ path: ["n"], before: 1, after: 2 }]);
});

Deno.test("merging with a map that grew past the small form keeps the other's change", async () => {
  const store = new MemoryStore();
  const signer = await signerOf("alice");
  let time = 1000;
  const options = { clock: () => time };
  const phone = await Repo.open(store, signer, options);
  phone.set(fifteen);
  await phone.flush();
  const laptop = await Repo.open(store, signer, options);
  laptop.set("key3", "changed on the laptop");
  await laptop.flush();
  time = 2000; // The phone is later, and would win a conflict.
  phone.set("key15", "new on the phone");
  await phone.flush();
  assert.deepEqual(phone.get(), {
    ...fifteen,
    key3: "changed on the laptop",
    key15: "new on the phone",
  });
});
