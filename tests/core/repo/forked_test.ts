/** What is told when a key has signed two branches, and how anyone can be shown. */

import assert from "node:assert/strict";
import { verifyFork } from "../../../core/log/fork_proof.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import type { ForkedEvent } from "../../../core/repo/repo_events.ts";
import { signerOf } from "../../suites/people.ts";
import { runOf } from "../../suites/runs.ts";
import { testCrypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");

/** A device with `shared` blocks, a reader of it, and another device that goes on from there. */
async function meet(shared: number) {
  const devices = [
    await Repo.open(new MemoryStore(), alice),
    await Repo.open(new MemoryStore(), alice),
  ];
  const store = new MemoryStore();
  const reader = await Repo.open(store, alice.key);
  for (let n = 0; n < shared; n++) await write(devices[0], `shared ${n}`);
  if (shared > 0) {
    for (const repo of [devices[1], reader]) await repo.receive(await runOf(devices[0], 0));
  }
  return { devices, reader, store };
}

async function write(repo: Repo, name: string): Promise<void> {
  repo.set(name, 1);
  await repo.flush();
}

function heard(repo: Repo): ForkedEvent[] {
  const events: ForkedEvent[] = [];
  repo.on("forked", (event) => events.push(event));
  return events;
}

async function goOver(reader: Repo, to: Repo, from: number): Promise<void> {
  const branch = await reader.log.branch(from);
  await branch.hold(await runOf(to, from));
  await reader.trunk.replace(branch);
}

async function check({ lost, won, proof }: ForkedEvent, index: number): Promise<void> {
  const fork = await verifyFork(testCrypto, proof!);
  assert.deepStrictEqual(fork, { lost, won, index });
}

Deno.test("a reader that goes over to another branch has a proof that anyone can check", async () => {
  for (const shared of [0, 1, 6]) {
    const { devices: [a, b], reader } = await meet(shared);
    const events = heard(reader);
    await write(a, "a");
    await reader.receive(await runOf(a, shared));
    for (const name of ["b", "c"]) await write(b, name);
    await goOver(reader, b, shared);
    assert.equal(events.length, 1);
    await check(events[0], shared);
    assert.equal(events[0].won, reader.head);
  }
});

Deno.test("a process whose store another one took over to the branch that won has one too", async () => {
  const { devices: [a, b], reader, store } = await meet(3);
  await write(a, "a");
  await reader.receive(await runOf(a, 3));
  const other = await Repo.open(store, alice.key);
  const events = heard(other);
  for (const name of ["b", "c"]) await write(b, name);
  await goOver(reader, b, 3);
  await other.refresh();
  assert.equal(events.length, 1);
  await check(events[0], 3);
});
