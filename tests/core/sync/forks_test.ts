import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { verifyFork } from "../../../core/log/fork_proof.ts";
import { Conversation } from "../../../core/sync/conversation.ts";
import { portTransport } from "../../../core/sync/port_transport.ts";
import { connect } from "../../../core/sync/session.ts";
import { areEqual, join, leave, type Party, untilAll, watched } from "../../suites/fork_world.ts";
import { signerOf } from "../../suites/people.ts";
import { testCrypto } from "../../suites/test_log.ts";
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
  return repo.trunk.asides.length === 0;
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

Deno.test("two relays in a chain go on with the branch that wins; a writer at either merges the other", async () => {
  for (const at of [0, 1]) {
    const [relays, held] = await start(2);
    await writeAt(relays[0], "left", 2);
    await writeAt(relays[1], "right", 4);
    // The second asks the first, and neither can sign.
    const link = connect(relays[1].registry, relays[0].url);
    await link.subscribe(alice.key);
    await untilAll(
      held,
      () => areEqual(held) && held.every(({ repo }) => repo.trunk.asides.length === 1),
    );
    assert.equal(held[0].repo.get("right"), 3);
    assert.equal(held[0].news.forked + held[1].news.forked, 1);
    const writer = await join([relays[at]], alice);
    const all = [...held, writer];
    await untilAll(
      all,
      () => areEqual(all) && all.every(keepsNothing) && held[1].repo.size() === 2,
    );
    assert.deepStrictEqual(held[0].repo.get(), { left: 1, right: 3 });
    assert.equal(events(held[0]).length, 6);
    assert.deepStrictEqual(writer.news.rejected, []);
    leave(writer);
    link.close();
    await Promise.all(relays.map((relay) => relay.stop()));
  }
});

Deno.test("devices and readers without a relay: the fork is settled by the rule, and told", async () => {
  const people = await Promise.all(
    [alice, alice, alice.key, alice.key].map((who) => join([], who)),
  );
  const [a, b, readerOfA, readerOfB] = people;
  for (const [i, { repo }] of [a, b].entries()) {
    for (let n = 0; n <= 2 * i; n++) {
      repo.publish(`${i} ${n}`);
      await repo.flush();
    }
  }
  const links = [link(a, readerOfA), link(b, readerOfB)];
  await untilAll(people, () => areEqual([a, readerOfA]) && areEqual([b, readerOfB]));
  links.push(link(a, b), link(readerOfA, readerOfB));
  await untilAll(people, () => areEqual(people) && people.every(keepsNothing));
  assert.equal(events(readerOfA).length, 4);
  assert.equal(a.news.merged + b.news.merged, 1);
  assert.equal(readerOfA.news.forked, 1, "the reader of the branch that lost says so");
  const { won, lost } = await verifyFork(testCrypto, readerOfA.news.proof!);
  assert.deepStrictEqual([won.key, lost.key], [alice.key, alice.key]);
  for (const end of links) end();
});

Deno.test("devices that meet again and again neither repeat events nor merge without end", async () => {
  const [relays, held] = await start(2);
  for (let round = 0; round < 12; round++) {
    await Promise.all([writeAt(relays[0], `l${round}`, 1 + round % 3), writeAt(relays[1], "r", 2)]);
    // Each with a store of its own: nothing is remembered of what was merged before.
    const devices = [await join(relays, alice), await join(relays, alice)];
    const all = [...held, ...devices];
    await untilAll(
      all,
      () => areEqual(all) && all.every(keepsNothing) && held[0].repo.has(`l${round}`),
    );
    leave(...devices);
  }
  const found = events(held[0]).map((event) => String(event).replace(/^r .*/, "r"));
  const own = found.filter((event) => event !== "r");
  assert.equal(new Set(own).size, own.length, "nothing twice");
  assert.equal(own.length, 24);
  assert.equal(found.length - own.length, 24);
  const records = held[0].repo.lastRecord!.seq + 1;
  assert.ok(records < 48 + 48 + 12 * 8, `${records} records`);
  await Promise.all(relays.map((relay) => relay.stop()));
});

/** Connects two parties directly; both ask. */
function link(left: Party, right: Party): () => void {
  const { port1, port2 } = new MessageChannel();
  const ends = [[left, port1], [right, port2]] as const;
  const conversations = ends.map(([party, port]) => {
    const conversation = new Conversation({
      registry: party.registry,
      transport: portTransport(port),
      software: "test",
      admit: () => undefined,
      onHello: () => conversation.open(party.repo),
    });
    return conversation;
  });
  return () => conversations.forEach((conversation) => conversation.end(1000, "over"));
}
