import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { areEqual, join, leave, type Party, untilAll, watched } from "../../suites/fork_world.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";

const alice = await signerOf("alice");

/** A device that writes `count` records and events to `relay`, and is gone for ever. */
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

async function start(count: number): Promise<[TestRelay[], Party[]]> {
  const relays = Array.from({ length: count }, () => startRelay(new MemoryStore()));
  return [relays, await Promise.all(relays.map((relay) => watched(relay, alice.key)))];
}

function events({ repo }: Party): unknown[] {
  return repo.events().map(({ value }) => value).sort();
}

/** What was merged is not kept aside. */
function keepsNothing({ repo }: Party): boolean {
  return repo.asides.length === 0;
}

Deno.test("two relays with two branches: one device makes them one, readers of both have all of it", async () => {
  for (const [left, right] of [[3, 3], [1, 6], [6, 1]]) {
    const [relays, held] = await start(2);
    await writeAt(relays[0], "left", left);
    await writeAt(relays[1], "right", right);
    const readers = [await join([relays[0]], alice.key), await join([relays[1]], alice.key)];
    const device = await join(relays, alice);
    const all = [...held, ...readers, device];
    await untilAll(all, () => areEqual(all) && readers.every(({ repo }) => repo.size() === 2));
    assert.deepStrictEqual(device.repo.get(), { left: left - 1, right: right - 1 });
    assert.equal(device.repo.events().length, left + right, "every event once");
    device.repo.set("later", 1);
    await Promise.all(device.sessions.map((session) => session.landed(device.repo)));
    await untilAll(all, () => areEqual(all) && all.every(keepsNothing));
    for (const { news } of all) assert.deepStrictEqual(news.rejected, []);
    assert.ok(device.news.merged <= 2, `${device.news.merged} merges`);
    assert.equal(held[0].news.forked + held[1].news.forked, 1, "one relay moves over, and says so");
    leave(...readers, device);
    await Promise.all(relays.map((relay) => relay.stop()));
  }
});

Deno.test("three relays with three branches become one", async () => {
  const [relays, held] = await start(3);
  const counts = [2, 4, 3];
  for (const [i, relay] of relays.entries()) await writeAt(relay, `at${i}`, counts[i]);
  const device = await join(relays, alice);
  const all = [...held, device];
  await untilAll(
    all,
    () => areEqual(all) && held.every((relay) => keepsNothing(relay) && relay.repo.size() === 3),
  );
  assert.deepStrictEqual(device.repo.get(), { at0: 1, at1: 3, at2: 2 });
  assert.equal(device.repo.events().length, 9, "every event once");
  leave(device);
  await Promise.all(relays.map((relay) => relay.stop()));
});

Deno.test("what a relay has acknowledged comes back by way of another device", async () => {
  const [relays, held] = await start(2);
  await writeAt(relays[0], "first", 2);
  const both = await join(relays, alice);
  await untilAll([...held, both], () => areEqual([...held, both]));
  leave(both);
  await writeAt(relays[0], "gone for ever", 2);
  await writeAt(relays[1], "other", 5);
  // Nobody who can sign: the branch that loses stays beside the one that wins.
  const reader = await join(relays, alice.key);
  await untilAll([...held, reader], () => areEqual([reader, held[1]]) && reader.repo.size() === 2);
  const writer = await join([relays[0]], alice);
  await untilAll([...held, writer], () => writer.repo.size() === 2);
  leave(writer);
  const device = await join(relays, alice);
  const all = [...held, reader, device];
  await untilAll(all, () => areEqual(all) && reader.repo.size() === 3);
  await untilAll(all, () => all.every(keepsNothing));
  assert.deepStrictEqual(reader.repo.get(), { first: 1, "gone for ever": 1, other: 4 });
  assert.equal(events(reader).length, 9);
  leave(reader, device);
  await Promise.all(relays.map((relay) => relay.stop()));
});
