/** What a compacted repo leaves in a database: nothing of its past. */

import assert from "node:assert/strict";
import { Repo } from "../../core/repo/repo.ts";
import { KvStore } from "../../relay/kv_store.ts";
import { signerOf } from "../suites/people.ts";

const alice = await signerOf("alice");
const SECRET = "the secret that must be forgotten";

async function withDatabase(test: (open: () => Promise<Deno.Kv>) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  try {
    await test(() => Deno.openKv(`${directory}/kv.sqlite`));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Whether any entry holds the bytes of the secret. */
async function holdsSecret(kv: Deno.Kv): Promise<boolean> {
  const hex = new TextEncoder().encode(SECRET).toHex();
  for await (const { value } of kv.list({ prefix: [] })) {
    if (value instanceof Uint8Array && value.toHex().includes(hex)) return true;
  }
  return false;
}

async function written(store: KvStore): Promise<Repo> {
  const repo = await Repo.open(store, alice);
  for (let i = 0; i < 40; i++) {
    repo.set({ text: SECRET, i });
    await repo.flush();
  }
  repo.delete("text");
  await repo.flush();
  return repo;
}

Deno.test("after compact() no entry of the database has a byte of what was before", () =>
  withDatabase(async (open) => {
    const kv = await open();
    const store = await KvStore.open(await open());
    const repo = await written(store);
    assert.ok(await holdsSecret(kv));
    await repo.compact();
    assert.ok(!await holdsSecret(kv));
    assert.deepEqual(await (await Repo.open(store, alice.key)).load(), { i: 39 });
    await store.close();
    kv.close();
  }));

Deno.test("a process that dies while it drops an epoch leaves the rest to the next one", () =>
  withDatabase(async (open) => {
    const kv = await open();
    const dying = await open();
    const store = await KvStore.open(dying);
    const repo = await written(store);
    // Dies at the first deletion of blocks, having committed what comes before.
    const atomic = dying.atomic.bind(dying);
    dying.atomic = () => {
      const operation = atomic();
      const remove = operation.delete.bind(operation);
      operation.delete = (key) => {
        if (key[0] === "block") throw new Error("killed");
        return remove(key);
      };
      return operation;
    };
    dying.delete = () => Promise.reject(new Error("killed"));
    await assert.rejects(repo.compact(), { code: "storage" });
    assert.ok(await holdsSecret(kv));
    const next = await KvStore.open(await open());
    const again = await Repo.open(next, alice.key);
    assert.equal(again.head!.epoch, 1);
    assert.deepEqual(await again.load(), { i: 39 });
    assert.ok(!await holdsSecret(kv));
    await next.close();
    await store.close();
    kv.close();
  }));
