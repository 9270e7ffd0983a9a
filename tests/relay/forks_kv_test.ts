import assert from "node:assert/strict";
import { Repo } from "../../core/repo/repo.ts";
import type { Run } from "../../core/log/run.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { KvStore } from "../../relay/kv_store.ts";
import { areEqual, join, leave, untilAll, watched } from "../suites/fork_world.ts";
import { signerOf } from "../suites/people.ts";
import { startRelay } from "../suites/relay.ts";

const alice = await signerOf("alice");

/** What a device has written that was never connected. */
async function written(name: string, count: number): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), alice);
  for (let n = 0; n < count; n++) {
    repo.set(name, n);
    repo.publish(`${name} ${n}`);
    await repo.flush();
  }
  return repo;
}

async function runOf({ log }: Repo): Promise<Run> {
  const blocks = await Array.fromAsync(log.blocks(0, log.length), ({ bytes }) => bytes);
  return { head: log.head!, first: 0, blocks, proof: [] };
}

/** Lets the branch of `winner` take the place of what `repo` has. */
async function replace(repo: Repo, winner: Repo): Promise<void> {
  const branch = await repo.log.branch(0);
  await branch.hold(await runOf(winner));
  await repo.trunk.replace(branch);
}

Deno.test("a relay that dies between keeping a branch aside and replacing it loses neither", async () => {
  const directory = await Deno.makeTempDir();
  const open = async () => await KvStore.open(await Deno.openKv(`${directory}/kv.sqlite`));
  const [loser, winner] = [await written("loser", 2), await written("winner", 3)];
  for (const survives of ["nothing", "aside", "both"]) {
    let store = await open();
    let repo = await Repo.open(store, alice.key);
    await repo.receive(await runOf(loser));
    if (survives !== "nothing") {
      // The process dies before the one write, or before the other.
      if (survives === "aside") {
        store.append = () => Promise.reject(new Error("the process is gone"));
      }
      const replaced = replace(repo, winner);
      if (survives === "aside") await assert.rejects(replaced);
      else await replaced;
    }
    await store.close();
    store = await open();
    repo = await Repo.open(store, alice.key);
    const has = survives === "both" ? winner : loser;
    assert.deepStrictEqual(repo.head, has.head);
    assert.equal(
      repo.trunk.asides.length,
      survives === "both" ? 1 : 0,
      "what is the log is not aside",
    );
    if (survives !== "both") await replace(repo, winner);
    assert.deepStrictEqual(repo.trunk.asides.map(({ head }) => head), [loser.head]);
    // Everything is there for the next device, by way of a real relay.
    const relay = startRelay(store);
    const held = await watched(relay, alice.key);
    const device = await join([relay], alice);
    await untilAll(
      [held, device],
      () =>
        areEqual([held, device]) && held.repo.size() === 2 && held.repo.trunk.asides.length === 0,
    );
    assert.deepStrictEqual(held.repo.get(), { loser: 1, winner: 2 });
    assert.equal(held.repo.events().length, 5);
    leave(device);
    await relay.stop();
    assert.deepStrictEqual(await store.asides(alice.key), []);
    await store.drop(alice.key, 1);
    await store.close();
  }
  await Deno.remove(directory, { recursive: true });
});
