import assert from "node:assert/strict";
import { signerOf } from "../suites/people.ts";
import { noise } from "../suites/relay_world.ts";
import { type ChainRelay, joinChain, startChainRelay } from "../suites/chain.ts";
import { until } from "../suites/cli.ts";
import { startProxy } from "../suites/hostile_relay.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");

async function stop(...relays: readonly ChainRelay[]): Promise<void> {
  for (const { upstreams } of relays) upstreams.close();
  await Promise.all(relays.map((relay) => relay.stop()));
}

async function keysOf({ store }: ChainRelay): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.keys()) keys.push(key);
  return keys;
}

Deno.test("three relays in a row: what is written at either end is read at the other, live", async () => {
  const top = await startChainRelay();
  const middle = await startChainRelay([top.url]);
  const bottom = await startChainRelay([middle.url]);
  const low = await joinChain(bottom.url, alice);
  low.repo.set("n", 1);
  await low.session.landed(low.repo);
  const high = await joinChain(top.url, alice);
  await high.until(() => high.repo.get("n") === 1);
  high.repo.set("m", 2);
  await low.until(() => low.repo.get("m") === 2);
  low.repo.set("n", 3);
  await high.until(() => high.repo.get("n") === 3);
  await until("all relays hold the same head", async () => {
    const heads = await Promise.all(
      [top, middle, bottom].map(({ store }) => store.head(alice.key)),
    );
    return heads.every((head) => head?.head?.blocks === high.repo.head?.blocks);
  });
  assert.deepEqual([...low.rejected, ...high.rejected], []);
  low.session.close();
  high.session.close();
  await stop(top, middle, bottom);
});

Deno.test("a first reader below gets what is above, whole, with the first answer", async () => {
  const top = await startChainRelay();
  const bottom = await startChainRelay([top.url]);
  const writer = await joinChain(top.url, alice);
  writer.repo.set("hello", "world");
  await writer.session.landed(writer.repo);
  const reader = await joinChain(bottom.url, alice.key);
  await reader.session.synced(reader.repo);
  assert.equal(reader.repo.get("hello"), "world", "synced() does not mean that nobody was asked");
  writer.session.close();
  reader.session.close();
  await stop(top, bottom);
});

Deno.test("HTTP finds upstream what is not here; what nobody has is a 404 that leaves nothing", async () => {
  const top = await startChainRelay();
  const bottom = await startChainRelay([top.url]);
  const writer = await joinChain(top.url, alice);
  writer.repo.set("index.html", "<p>from above");
  await writer.session.landed(writer.repo);
  const found = await bottom.get(`/streams/${alice.key}/index.html`);
  assert.equal(found.status, 200);
  assert.match(await found.text(), /from above/);
  assert.equal(bottom.upstreams.size, 1, "and follows it for a while");
  const lost = await bottom.get(`/streams/${bob.key}/index.html`);
  assert.equal(lost.status, 404);
  await lost.body?.cancel();
  assert.equal(bottom.upstreams.size, 1);
  for (const relay of [top, bottom]) assert.deepEqual(await keysOf(relay), [alice.key]);
  writer.session.close();
  await stop(top, bottom);
});

Deno.test("a request is answered with what is here while the relay above is away", async () => {
  const bottom = await startChainRelay(["ws://127.0.0.1:1/sync"]);
  const device = await joinChain(bottom.url, alice);
  device.repo.set("index.html", "here");
  await device.session.landed(device.repo);
  const response = await bottom.get(`/streams/${alice.key}/index.html`);
  assert.match(await response.text(), /here/);
  const health = await (await bottom.get("/healthz")).json();
  const [{ state, repos, unacknowledged }] = health.origins;
  assert.deepEqual([state === "online", repos, unacknowledged], [false, 1, 1]);
  device.session.close();
  await stop(bottom);
});

Deno.test("what was pushed while the relay above was away goes up when it is there", async () => {
  const first = await startChainRelay();
  const bottom = await startChainRelay([first.url]);
  const { port } = first;
  await stop(first);
  const device = await joinChain(bottom.url, alice);
  device.repo.set("n", 1);
  await device.session.landed(device.repo);
  device.session.close();
  const top = await startChainRelay([], { port });
  await until("the relay above has it", async () => (await keysOf(top)).length === 1);
  await stop(top, bottom);
});

Deno.test("a feed is followed without any client; the middle one is restarted over its store", async () => {
  const top = await startChainRelay();
  const middle = await startChainRelay([top.url]);
  const bottom = await startChainRelay([middle.url], { feeds: [alice.key] });
  const writer = await joinChain(top.url, alice);
  writer.repo.set("n", 1);
  const holds = (relay: ChainRelay, blocks: number) =>
    until(
      "the feed has it",
      async () => (await relay.store.head(alice.key))?.head?.blocks === blocks,
    );
  await holds(bottom, 1);
  await stop(middle);
  writer.repo.set("n", 2);
  await writer.session.landed(writer.repo);
  const again = await startChainRelay([top.url], { store: middle.store, port: middle.port });
  await holds(bottom, 2);
  writer.session.close();
  await stop(top, again, bottom);
});

Deno.test("two relays above: each gets what the other has", async () => {
  const left = await startChainRelay();
  const right = await startChainRelay();
  const bottom = await startChainRelay([left.url, right.url]);
  const writer = await joinChain(left.url, alice);
  writer.repo.set("n", 1);
  await writer.session.landed(writer.repo);
  const reader = await joinChain(bottom.url, alice.key);
  await reader.until(() => reader.repo.get("n") === 1);
  await until("the other one has it", async () => (await keysOf(right)).length === 1);
  await stop(left);
  const late = await joinChain(right.url, alice);
  await late.until(() => late.repo.get("n") === 1);
  late.repo.set("n", 2);
  await reader.until(() => reader.repo.get("n") === 2);
  for (const { session } of [writer, reader, late]) session.close();
  await stop(right, bottom);
});

/** Relays that feed from each other in a circle, in which nothing lasts long that nobody uses. */
async function circle(size: number): Promise<ChainRelay[]> {
  const last = await startChainRelay();
  const { port } = last;
  await stop(last);
  const relays: ChainRelay[] = [];
  for (let i = 0; i < size; i++) {
    const origin = relays[i - 1]?.url ?? `ws://127.0.0.1:${port}/sync`;
    const own = i === size - 1 ? port : 0;
    relays.push(await startChainRelay([origin], { port: own, idleMs: 20 }));
  }
  const online = () =>
    relays.every(({ upstreams }) => upstreams.sessions[0].status.state === "online");
  await until("all are connected", online);
  return relays;
}

for (const size of [1, 2, 3]) {
  Deno.test(`${size} relays in a circle: each gets a block once, and what nobody uses is let go`, async () => {
    const relays = await circle(size);
    const device = await joinChain(relays[0].url, alice);
    await device.session.synced(device.repo);
    const bytes = noise(300_000);
    await device.repo.putBytes(["film"], new Blob([bytes]).stream());
    for (let i = 0; i < 20; i++) {
      device.repo.set("n", i);
      await device.repo.flush();
    }
    await device.session.landed(device.repo);
    const { blocks } = device.repo.head!;
    await until("all have it", async () => {
      const heads = await Promise.all(relays.map(({ store }) => store.head(alice.key)));
      return heads.every((head) => head?.head?.blocks === blocks);
    });
    const sent = relays.reduce((sum, { sentBytes }) => sum + sentBytes(), 0);
    const once = bytes.length * (size - 1);
    assert.ok(sent >= once && sent < once * 1.2 + 1, `${sent} bytes sent for ${once}`);
    device.session.close();
    await until("nothing is followed", () => relays.every(({ upstreams }) => upstreams.size === 0));
    await stop(...relays);
  });
}

Deno.test("a circle with somebody at every relay: no edge carries a block twice one way, all let go", async () => {
  const relays = await circle(3);
  const devices = await Promise.all(relays.map(({ url }) => joinChain(url, alice)));
  await Promise.all(devices.map(({ session, repo }) => session.synced(repo)));
  const bytes = noise(300_000);
  await devices[0].repo.putBytes(["film"], new Blob([bytes]).stream());
  await devices[0].repo.flush();
  await Promise.all(devices.map((device) => device.until(() => device.repo.size("film") > 0)));
  const sent = relays.reduce((sum, { sentBytes }) => sum + sentBytes(), 0);
  // Two devices below, and three edges with two ways each.
  assert.ok(sent < bytes.length * (2 + 6) * 1.1, `${sent} bytes sent`);
  for (const { session } of devices) session.close();
  await until("nothing is followed", () => relays.every(({ upstreams }) => upstreams.size === 0));
  await stop(...relays);
});

Deno.test("two relays that feed from each other, each with a device: one connection carries it", async () => {
  const relays = await circle(2);
  const devices = await Promise.all(relays.map(({ url }) => joinChain(url, alice)));
  const subscriptions = () =>
    relays.reduce((sum, { upstreams }) => sum + upstreams.sessions[0].status.repos.length, 0);
  await until("one of them asks the other", () => subscriptions() === 1);
  const bytes = noise(300_000);
  await devices[0].repo.putBytes(["film"], new Blob([bytes]).stream());
  await devices[1].until(() => devices[1].repo.size("film") > 0);
  devices[1].repo.set("n", 1);
  await devices[0].until(() => devices[0].repo.get("n") === 1);
  const sent = relays.reduce((sum, { sentBytes }) => sum + sentBytes(), 0);
  assert.ok(sent < bytes.length * 2 * 1.1, `${sent} bytes sent: to the other relay and its device`);
  for (const { session } of devices) session.close();
  await until("nothing is followed", () => relays.every(({ upstreams }) => upstreams.size === 0));
  await stop(...relays);
});

Deno.test("a relay above that lies about one log is named, and keeps the others going", async () => {
  const top = await startChainRelay();
  const writers = [await joinChain(top.url, alice), await joinChain(top.url, bob)];
  for (const { repo, session } of writers) {
    await repo.putBytes(["film"], new Blob([noise(100_000)]).stream());
    await session.landed(repo);
  }
  const liar = startProxy(top.url);
  liar.tamper = (data) => {
    if (typeof data === "string") return data;
    const text = new TextDecoder("latin1").decode(data);
    const isAlices = text.includes(new TextDecoder("latin1").decode(alice.publicKey));
    return isAlices ? data.with(data.length - 40, data[data.length - 40] ^ 1) : data;
  };
  const bottom = await startChainRelay([liar.url]);
  const named: (string | undefined)[] = [];
  bottom.upstreams.sessions[0].on("rejected", ({ key, code }) => named.push(`${code} ${key}`));
  const reader = await joinChain(bottom.url, bob.key);
  const lost = await bottom.get(`/streams/${alice.key}/head`);
  assert.equal(lost.status, 404);
  await lost.body?.cancel();
  await reader.until(() => reader.repo.size("film") > 0);
  assert.deepEqual(named, [`bad_block ${alice.key}`]);
  assert.deepEqual(await keysOf(bottom), [bob.key]);
  for (const { session } of [...writers, reader]) session.close();
  await stop(bottom);
  await liar.stop();
  await stop(top);
});

Deno.test("what is asked for above is bounded: what is idle makes room, else it is refused", async () => {
  const top = await startChainRelay();
  const bottom = await startChainRelay([top.url], { maxKeys: 1 });
  const writer = await joinChain(top.url, alice);
  writer.repo.set("n", 1);
  await writer.session.landed(writer.repo);
  await (await bottom.get(`/streams/${alice.key}`)).body?.cancel();
  const first = await joinChain(bottom.url, bob);
  first.repo.set("n", 1);
  await first.session.landed(first.repo);
  const second = await joinChain(bottom.url, alice.key);
  await assert.rejects(second.session.synced(second.repo), { code: "refused" });
  for (const { session } of [writer, first, second]) session.close();
  await stop(top, bottom);
});

Deno.test("two relays that each took another branch agree when one feeds from the other; a device merges", async () => {
  const alone = [await startChainRelay(), await startChainRelay()];
  for (const [i, relay] of alone.entries()) {
    const device = await joinChain(relay.url, alice);
    for (let n = 0; n <= i; n++) {
      device.repo.set(`relay${i}`, n);
      await device.repo.flush();
    }
    await device.session.landed(device.repo);
    device.session.close();
  }
  await stop(...alone);
  const [top, other] = alone;
  const again = await startChainRelay([], { store: top.store, port: top.port });
  const bottom = await startChainRelay([again.url], { store: other.store, feeds: [alice.key] });
  await until("both have one head", async () => {
    const heads = await Promise.all([again, bottom].map(({ store }) => store.head(alice.key)));
    return heads[0]?.head?.root.join() === heads[1]?.head?.root.join();
  });
  const device = await joinChain(bottom.url, alice);
  await device.until(() => device.repo.get("relay0") === 0 && device.repo.get("relay1") === 1);
  await device.session.landed(device.repo);
  device.session.close();
  await stop(again, bottom);
});
