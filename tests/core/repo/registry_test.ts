import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";

const alice = await signerOf("alice");

async function written(...values: number[]): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), alice);
  for (const value of values) {
    repo.set("n", value);
    await repo.flush();
  }
  return repo;
}

Deno.test("who follows what moves on hears of a branch that is kept aside, too", async () => {
  const registry = new Registry({ store: new MemoryStore() });
  const repo = await registry.open(alice.key);
  await repo.receive(await runOf(await written(1, 2, 3), 0));
  const loser = await repo.log.branch(0);
  await loser.hold(await runOf(await written(4), 0));
  const moved: string[] = [];
  registry.onMoved((key) => moved.push(key));
  await repo.trunk.settle((settling) => settling.keepAside(loser));
  assert.equal(repo.trunk.asides.length, 1);
  assert.deepEqual(moved, [alice.key]);
});
