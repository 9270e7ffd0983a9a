import assert from "node:assert/strict";
import { EntryIds } from "../../cli/entry_ids.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "../suites/people.ts";

const alice = await signerOf("alice");

Deno.test("names of a compacted log are new, in this process and in the next one", async () => {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  try {
    const file = `${directory}/ids`;
    const store = new MemoryStore();
    const repo = await Repo.open(store, alice);
    repo.set({ files: { a: { text: "a".repeat(100) }, b: { text: "b".repeat(100) } } });
    await repo.flush();
    const ids = await EntryIds.open(repo, file);
    const address = repo.stat("files", "a")!.address!;
    const id = ids.of(address);
    await ids.save();
    assert.equal((await EntryIds.open(repo, file)).address(id), address);
    const before = await Deno.readFile(file);
    await repo.compact();
    assert.equal(ids.address(id), undefined);
    const now = repo.stat("files", "a")!.address!;
    assert.notEqual(ids.of(now), id);
    assert.equal(ids.address(ids.of(now)), now);
    await ids.save();
    assert.equal((await EntryIds.open(repo, file)).address(ids.of(now)), now);
    // A process that died before it could write the new names down.
    await Deno.writeFile(file, before);
    const next = await EntryIds.open(await Repo.open(store, alice), file);
    assert.equal(next.address(id), undefined);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
