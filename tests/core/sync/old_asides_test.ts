/** Branches of an epoch that is over, kept aside: nobody has compacted what they have. */

import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Store } from "../../../core/log/store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { connect } from "../../../core/sync/session.ts";
import { areEqual, join, leave, type Party, untilAll, watched } from "../../suites/fork_world.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";
import { runOf } from "../../suites/runs.ts";

const alice = await signerOf("alice");

async function writeAt(relay: TestRelay, name: string, count: number): Promise<void> {
  const device = await join([relay], alice);
  await device.sessions[0].synced(device.repo);
  for (let n = 0; n < count; n++) {
    device.repo.set(name, n);
    device.repo.publish(`${name} ${n}`);
    await device.repo.flush();
  }
  await device.sessions[0].landed(device.repo);
  leave(device);
}

interface World {
  readonly relay: TestRelay;
  readonly store: Store;
  readonly held: Party;
  /** Has compacted what the relay has, but not what it keeps aside. */
  readonly device: Repo;
  readonly deviceStore: Store;
}

/** A relay that keeps the branch `left` aside of `right`, and a device that has compacted `right`. */
async function start(): Promise<World> {
  const store = new MemoryStore();
  const [relay, other] = [startRelay(store), startRelay(new MemoryStore())];
  const held = await watched(relay, alice.key);
  await writeAt(relay, "left", 2);
  await writeAt(other, "right", 4);
  const link = connect(relay.registry, other.url);
  await link.subscribe(alice.key);
  await untilAll([held], () => held.repo.trunk.asides.length === 1);
  link.close();
  await other.stop();
  const deviceStore = new MemoryStore();
  const device = await Repo.open(deviceStore, alice);
  await device.receive(await runOf(held.repo, 0));
  await device.compact();
  assert.deepStrictEqual(device.get(), { right: 3 });
  return { relay, store, held, device, deviceStore };
}

/** Which of the two epochs have blocks in `store`. */
async function epochsIn(store: Store): Promise<number[]> {
  const blocks = await Promise.all([0, 1].map((epoch) => store.blockAt(alice.key, epoch, 0)));
  return [0, 1].filter((epoch) => blocks[epoch] !== undefined);
}

const eventsOf = ({ repo }: Party) => repo.events().map(({ value }) => value).sort();

/** All have both branches in the new epoch, and nothing of the old one. */
async function isOver(parties: readonly Party[]): Promise<void> {
  await untilAll(
    parties,
    () =>
      areEqual(parties) &&
      parties.every(({ repo }) => repo.size() === 2 && repo.trunk.asides.length === 0),
  );
  for (const party of parties) {
    assert.deepStrictEqual(party.repo.get(), { left: 1, right: 3 });
    assert.equal(party.repo.head!.epoch, 1);
    assert.deepStrictEqual(eventsOf(party).slice(0, 2), ["left 0", "left 1"]);
    assert.deepStrictEqual(party.news.rejected, []);
  }
}

Deno.test("who compacts without a branch that a relay keeps merges it into the new epoch when it comes there", async () => {
  const { relay, store, held, deviceStore } = await start();
  const device = await join([relay], alice, deviceStore);
  const reader = await join([relay], alice.key);
  await isOver([held, device, reader]);
  await device.sessions[0].landed(device.repo);
  while ((await epochsIn(store)).length > 1) await held.repo.refresh();
  assert.deepStrictEqual(await epochsIn(store), [1]);
  leave(device, reader);
  await relay.stop();
});

Deno.test("a branch of an epoch that is over is passed on to readers, by a relay that was started again, until a writer comes", async () => {
  const { relay, store, held, device } = await start();
  await held.repo.receive(await runOf(device, 0));
  assert.equal(held.repo.head!.epoch, 1);
  assert.equal(held.repo.trunk.asides.length, 1);
  assert.deepStrictEqual(await epochsIn(store), [0, 1], "its blocks are needed");
  await relay.stop();
  const again = startRelay(store);
  const reader = await join([again], alice.key);
  await untilAll([reader], () => reader.repo.trunk.asides.length === 1);
  assert.deepStrictEqual(reader.repo.get(), { right: 3 });
  await again.stop();
  leave(reader);
  // By way of the reader alone: the relay that acknowledged it is gone for ever.
  const last = startRelay(reader.store);
  const [kept, writer] = [await watched(last, alice.key), await join([last], alice)];
  await isOver([kept, writer]);
  leave(writer);
  await last.stop();
});
