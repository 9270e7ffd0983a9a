import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { type Client, ManyRepos, until } from "../../suites/many_repos.ts";
import { WatchedStore } from "../../suites/watched_store.ts";

/** What a list costs if nothing has changed: 32 B of hash and 16 B for 32 keys, and a few words. */
const wordsBytes = (count: number) => 500 + count / 2;
/** Two messages and the blocks of a log that was opened by itself. */
const OPEN_BYTES = 1400;

const textOf = (client: Client, i: number) => client.repos[i].get("text");

Deno.test("of 500 repos of which 6 changed, on either side, only these move at a reconnect", async () => {
  await using world = await ManyRepos.open(500);
  const store = new MemoryStore();
  (await world.connect([], store)).session.close();
  for (const i of [3, 77, 400]) await world.write(i, "at the relay");
  for (const i of [5, 78, 499]) await world.write(i, "here", new Registry({ store }));
  const { traffic, ...client } = await world.connect([], store);
  assert.deepStrictEqual(traffic.kinds, {
    hello: 2,
    list: 1,
    compared: 1,
    open: 6,
    opened: 6,
    settled: 1,
    blocks: 6,
    ack: 6,
  });
  // The groups of 32 in which they are.
  const bytes = wordsBytes(500) + 6 * (32 * 16 + OPEN_BYTES);
  assert.ok(traffic.bytes < bytes, `${traffic.bytes} bytes`);
  for (const i of [3, 77, 400]) assert.equal(client.repos[i].get("text"), "at the relay");
  for (const i of [5, 78, 499]) {
    const there = await world.relay.registry.open(world.keys[i]);
    assert.equal(there.get("text"), "here");
  }
});

Deno.test("where nothing changed, 500 repos cost less than a KiB and open nothing at the relay", async () => {
  await using world = await ManyRepos.open(500);
  const store = new MemoryStore();
  (await world.connect([], store)).session.close();
  const { size } = world.relay.registry;
  const { traffic } = await world.connect([], store);
  assert.deepStrictEqual(traffic.kinds, { hello: 2, list: 1, compared: 1, settled: 1 });
  assert.ok(traffic.bytes < 1024, `${traffic.bytes} bytes`);
  assert.ok(world.relay.registry.size <= Math.max(32, size - 500));
  assert.equal(world.alarm.size, 0, "nothing waits at the relay for what is quiet");
});

Deno.test("a relay that was started again is told the keys, once", async () => {
  await using world = await ManyRepos.open(500);
  const store = new MemoryStore();
  (await world.connect([], store)).session.close();
  await world.restart();
  await world.write(3, "at the relay");
  const second = await world.connect([], store);
  assert.equal(textOf(second, 3), "at the relay");
  assert.equal(second.traffic.kinds.keys, 2);
  const bytes = wordsBytes(500) + 500 * 32 + 32 * 16 + OPEN_BYTES;
  assert.ok(second.traffic.bytes < bytes, `${second.traffic.bytes} bytes`);
  second.session.close();
  const third = await world.connect([], store);
  assert.equal(third.traffic.kinds.keys, undefined);
});

Deno.test("news of a parked log arrive, as one message and its blocks", async () => {
  await using world = await ManyRepos.open(40);
  const store = new MemoryStore();
  (await world.connect([], store)).session.close();
  const { traffic, session, repos } = await world.connect([], store);
  traffic.clear();
  await world.write(7, "news");
  await until(repos[7], () => repos[7].get("text") === "news");
  await world.write(7, "more");
  await until(repos[7], () => repos[7].get("text") === "more");
  assert.deepStrictEqual(traffic.kinds, { opened: 1, blocks: 2 });
  session.unsubscribe(repos[8].key);
  session.unsubscribe(repos[7].key);
  await world.heard(traffic);
  await world.write(8, "for nobody");
  await world.write(9, "last");
  await until(repos[9], () => repos[9].get("text") === "last");
  assert.deepStrictEqual(traffic.kinds, { opened: 2, blocks: 3, close: 2 });
});

Deno.test("the first blocks of a log that nobody had arrive at who follows it", async () => {
  await using world = await ManyRepos.open(40);
  const empty = new MemoryStore();
  await world.restart(empty);
  const client = await world.connect();
  assert.equal(client.traffic.kinds.open, undefined, "nothing on both sides is equal");
  await world.write(7, "news");
  await until(client.repos[7], () => textOf(client, 7) === "news");
});

Deno.test("what is written to a parked log goes out at once, and once", async () => {
  await using world = await ManyRepos.open(40);
  const store = new MemoryStore();
  (await world.connect([7], store)).session.close();
  const { traffic, session, repos } = await world.connect([7], store);
  for (const text of ["after the list", "after a while"]) {
    traffic.clear();
    repos[7].set({ text });
    await session.landed(repos[7]);
    // The relay hears it before it is asked for anything: no round trip more.
    assert.deepStrictEqual(traffic.kinds, { open: 1, blocks: 1, opened: 1, ack: 1 });
    await world.park();
  }
  assert.equal((await world.relay.registry.open(world.keys[7])).get("text"), "after a while");
});

Deno.test("a relay parks what is quiet: its repos are closed, news and writes go on", async () => {
  await using world = await ManyRepos.open(60);
  const reader = await world.connect();
  const writer = await world.connect([7]);
  assert.equal(world.relay.registry.size, 60);
  await world.park();
  assert.equal(world.relay.registry.size, 32, "only those are open that may come back soon");
  await reader.traffic.until(({ park }) => park === 1);
  reader.traffic.clear();
  writer.repos[7].set({ text: "hello" });
  await writer.session.landed(writer.repos[7]);
  await until(reader.repos[7], () => textOf(reader, 7) === "hello");
  writer.repos[7].set({ text: "again" });
  await until(reader.repos[7], () => textOf(reader, 7) === "again");
  assert.deepStrictEqual(reader.traffic.kinds, { opened: 1, blocks: 2 });
});

Deno.test("who got news of a parked log goes on writing it without another word", async () => {
  await using world = await ManyRepos.open(3);
  const devices = [await world.connect([0]), await world.connect([0])];
  await world.park();
  const [{ repos: [first] }, { repos: [second], session, traffic }] = devices;
  first.set("from", "the first");
  await until(second, () => second.get("from") === "the first");
  traffic.clear();
  second.set("from", "the second");
  await session.landed(second);
  assert.deepStrictEqual(traffic.kinds, { blocks: 1, ack: 1 });
  await until(first, () => first.get("from") === "the second");
});

Deno.test("a channel on which something happens is not parked", async () => {
  await using world = await ManyRepos.open(3);
  const writer = await world.connect([0]);
  const reader = await world.connect([0]);
  for (let i = 0; i < 5; i++) {
    writer.repos[0].set({ text: `${i}` });
    await writer.session.landed(writer.repos[0]);
    await until(reader.repos[0], () => reader.repos[0].get("text") === `${i}`);
    world.alarm.ring();
    for (const { channels } of world.relay.conversations) {
      assert.ok(channels.has(world.keys[0]), `parked after ${i}`);
    }
  }
});

Deno.test("two devices that write to a parked log at once end on equal heads", async () => {
  await using world = await ManyRepos.open(3);
  const devices = [await world.connect([0]), await world.connect([0])];
  await world.park();
  for (const [i, { repos: [repo] }] of devices.entries()) repo.set(`device${i}`, "here");
  for (const { repos: [repo] } of devices) {
    await until(repo, () => repo.get("device0") === "here" && repo.get("device1") === "here");
  }
  await Promise.all(devices.map(({ session, repos: [repo] }) => session.landed(repo)));
  const [[a], [b]] = devices.map(({ repos }) => repos);
  await until(a, () => a.head!.blocks === b.head!.blocks);
  assert.deepStrictEqual(a.head, b.head);
});

Deno.test("a log that moves on while the list is compared is not lost", async () => {
  const store = new MemoryStore();
  await using world = await ManyRepos.open(40, store);
  const own = new MemoryStore();
  (await world.connect([], own)).session.close();
  const head = store.head.bind(store);
  let isRead = false;
  store.head = async (key) => {
    const found = await head(key);
    // After its head was read, and before the client hears of it.
    if (key !== world.keys[7] || isRead) return found;
    isRead = true;
    await world.write(7, "meanwhile");
    return found;
  };
  const client = await world.connect([], own);
  await until(client.repos[7], () => textOf(client, 7) === "meanwhile");
  await world.write(7, "later");
  await until(client.repos[7], () => textOf(client, 7) === "later");
});

Deno.test("a parked log that another process writes to wakes", async () => {
  const store = new WatchedStore();
  await using world = await ManyRepos.open(40, store);
  const own = new MemoryStore();
  (await world.connect([], own)).session.close();
  const stop = new AbortController();
  const watching = world.relay.registry.watch(stop.signal);
  const client = await world.connect([], own);
  // Enough others that the registry has closed it.
  for (const key of world.keys.slice(8)) await world.relay.registry.with(key, () => {});
  await world.write(7, "elsewhere", new Registry({ store }));
  store.ring(world.keys[7]);
  await until(client.repos[7], () => textOf(client, 7) === "elsewhere");
  stop.abort();
  await watching;
});

Deno.test("what a client may not have is refused one by one, as if it were alone", async () => {
  let secret = "";
  await using world = await ManyRepos.open(40, new MemoryStore(), {
    admit: (key) => key === secret ? "refused" : undefined,
  });
  const own = new MemoryStore();
  (await world.connect([], own)).session.close();
  secret = world.keys[7];
  await world.restart();
  await assert.rejects(world.connect([], own), { code: "refused" });
  const { traffic, session, repos } = world.clients.at(-1)!;
  await traffic.until(({ settled }) => settled === 1);
  const { list: _list, keys: _keys, ...kinds } = traffic.kinds;
  assert.deepStrictEqual(kinds, { hello: 2, compared: 1, open: 1, settled: 1, reject: 1 });
  await session.landed(repos[8]);
});

Deno.test("what the relay does not take is not offered to it again and again", async () => {
  await using world = await ManyRepos.open(2);
  const client = await world.connect([0]);
  const { registry } = world.relay;
  const { promise, resolve } = Promise.withResolvers<void>();
  client.session.on("rejected", () => resolve());
  registry.store.append = () => Promise.reject(new Error("the disk is full"));
  client.repos[0].set({ text: "too much" });
  await promise;
  client.traffic.clear();
  await world.park(1);
  world.alarm.ring();
  world.alarm.ring();
  client.session.close();
  assert.deepStrictEqual(client.traffic.kinds, { park: 1 });
});
