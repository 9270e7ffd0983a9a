/** What a compacted repo leaves on the disk: nothing of its past. */

import assert from "node:assert/strict";
import { FileStore } from "../../../cli/file_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";

const alice = await signerOf("alice");
const SECRET = "the secret that must be forgotten";
const KEPT = "what is still to be known";

async function withDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Whether any file below `directory` holds the bytes of `text`. */
function holds(directory: string, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    const isHeld = isDirectory
      ? holds(path, text)
      : Deno.readFileSync(path).some((_, at, all) =>
        all[at] === bytes[0] && bytes.every((byte, i) => all[at + i] === byte)
      );
    if (isHeld) return true;
  }
  return false;
}

async function written(store: FileStore): Promise<Repo> {
  const repo = await Repo.open(store, alice);
  repo.set({ text: SECRET, kept: KEPT });
  await repo.flush();
  repo.publish({ said: SECRET });
  repo.transaction((draft) => draft.delete("text"), { message: SECRET });
  await repo.flush();
  return repo;
}

Deno.test("after compact() no file has a byte of what was before", () =>
  withDirectory(async (directory) => {
    const store = await FileStore.open(directory, { maxSegmentBytes: 300 });
    const repo = await written(store);
    assert.ok(holds(directory, SECRET));
    await repo.compact();
    assert.ok(!holds(directory, SECRET));
    assert.ok(holds(directory, KEPT));
    await store.close();
    assert.ok(!holds(directory, SECRET));
    const again = await FileStore.open(directory);
    const reader = await Repo.open(again, alice.key);
    assert.deepEqual(reader.get(), { kept: KEPT });
    assert.equal(reader.lastRecord!.seq, 3);
    await again.close();
  }));

Deno.test("a process that dies before the old epoch is dropped leaves that to the next one", () =>
  withDirectory(async (directory) => {
    const store = await FileStore.open(directory);
    const repo = await written(store);
    store.drop = () => Promise.reject(new Error("killed"));
    await assert.rejects(repo.compact(), { message: "killed" });
    await store.close();
    assert.ok(holds(directory, SECRET));
    const again = await FileStore.open(directory);
    const next = await Repo.open(again, alice.key);
    assert.ok(!holds(directory, SECRET));
    assert.deepEqual(next.get(), { kept: KEPT });
    await again.close();
  }));
