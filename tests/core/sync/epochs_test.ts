import assert from "node:assert/strict";
import type { Signer } from "../../../core/identity/signer.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Store } from "../../../core/log/store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import type { Repo } from "../../../core/repo/repo.ts";
import { connect, type Session } from "../../../core/sync/session.ts";
import type { SessionEvents } from "../../../core/sync/session_status.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";
import { untilNews } from "../../suites/until_news.ts";

const alice = await signerOf("alice");

interface Device {
  readonly registry: Registry;
  readonly store: Store;
  readonly session: Session;
  readonly repo: Repo;
  readonly rejected: SessionEvents["rejected"][];
}

async function device(relay: TestRelay, signer?: Signer, store: Store = new MemoryStore()) {
  const registry = new Registry({ store });
  const session = connect(registry, relay.url, { signers: signer ? [signer] : [] });
  const rejected: SessionEvents["rejected"][] = [];
  session.on("rejected", (event) => rejected.push(event));
  const repo = await session.subscribe(alice.key);
  return { registry, store, session, repo, rejected };
}

/** Resolves when `test` holds, looked at whenever one of the devices has something new. */
function until(devices: readonly Device[], test: () => boolean): Promise<void> {
  return untilNews(devices.flatMap(({ repo, session }) => [repo, session]), test);
}

const areOne = (devices: readonly Device[]) =>
  until(
    devices,
    () =>
      devices.every(({ repo: { head } }) =>
        head !== undefined && head.epoch === devices[0].repo.head?.epoch &&
        head.blocks === devices[0].repo.head.blocks
      ),
  );

async function epochsIn(store: Store): Promise<number[]> {
  const found: number[] = [];
  for (let epoch = 0; epoch < 5; epoch++) {
    if (await store.blockAt(alice.key, epoch, 0) !== undefined) found.push(epoch);
  }
  return found;
}

function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  return bytes;
}

function close(...devices: Device[]): void {
  devices.forEach(({ session }) => session.close());
}

Deno.test("a compacted log takes the old one's place on the relay and on every device, live", async () => {
  const store = new MemoryStore();
  const relay = startRelay(store);
  const [a, b, reader] = [
    await device(relay, alice),
    await device(relay, alice),
    await device(relay),
  ];
  for (let i = 0; i < 30; i++) {
    a.repo.set({ i, secret: `secret ${i}` });
    await a.repo.flush();
  }
  await a.session.landed(a.repo);
  await areOne([a, b, reader]);
  a.repo.set({ i: 30 });
  await a.repo.compact();
  await a.session.landed(a.repo);
  assert.deepEqual(await epochsIn(store), [1], "landed() is about the new epoch");
  await areOne([a, b, reader]);
  b.repo.set("b", 1);
  await b.session.landed(b.repo);
  await areOne([a, b, reader]);
  await until([a, reader], () => [a, reader].every(({ repo }) => repo.get("b") === 1));
  assert.deepEqual(reader.repo.get(), { i: 30, b: 1 });
  for (const { repo, store, rejected } of [a, b, reader]) {
    assert.deepEqual(repo.head, a.repo.head);
    assert.equal(repo.head!.epoch, 1);
    assert.deepEqual(await epochsIn(store), [1]);
    assert.deepEqual(rejected, []);
  }
  close(a, b, reader);
  await relay.stop();
});

Deno.test("who was away takes the new epoch; what it wrote meanwhile is merged, acknowledged or not", async () => {
  const store = new MemoryStore();
  const first = startRelay(store);
  const a = await device(first, alice);
  for (let i = 0; i < 20; i++) {
    a.repo.set(`k${i}`, i);
    await a.repo.flush();
  }
  await a.session.landed(a.repo);
  const b = await device(first, alice);
  const reader = await device(first);
  await areOne([a, b, reader]);
  await first.stop();
  b.repo.set("b", 1);
  b.repo.delete("k1");
  b.repo.publish("from b");
  await b.repo.flush();
  a.repo.delete("k0");
  await a.repo.compact();
  await a.repo.compact();
  a.repo.set("a", 1);
  const second = startRelay(store, { port: first.port });
  const isWhole = () => [a, b].every(({ repo }) => repo.get("b") === 1 && repo.get("a") === 1);
  await until([a, b], isWhole);
  await areOne([a, b, reader]);
  await until([reader], () => reader.repo.get("a") === 1 && reader.repo.get("b") === 1);
  const { k0, k1, k2 } = reader.repo.get() as Record<string, number>;
  assert.deepEqual([k0, k1, k2], [undefined, undefined, 2]);
  assert.deepEqual(reader.repo.events().map(({ value }) => value), ["from b"]);
  assert.equal(reader.repo.head!.epoch, 2);
  await Promise.all([a, b].map(({ session, repo }) => session.landed(repo)));
  assert.deepEqual(await epochsIn(store), [2]);
  close(a, b, reader);
  await second.stop();
});

Deno.test("two devices that compact at once, apart, end on equal heads", async () => {
  const store = new MemoryStore();
  const first = startRelay(store);
  const [a, b] = [await device(first, alice), await device(first, alice)];
  a.repo.set({ x: 1 });
  await a.session.landed(a.repo);
  await areOne([a, b]);
  await first.stop();
  a.repo.set("a", 1);
  b.repo.set("b", 1);
  await Promise.all([a.repo.compact(), b.repo.compact({ keepRecords: 2 })]);
  a.repo.publish("after a");
  b.repo.publish("after b");
  await Promise.all([a.repo.flush(), b.repo.flush()]);
  const second = startRelay(store, { port: first.port });
  await until([a, b], () => [a, b].every(({ repo }) => repo.has("a") && repo.has("b")));
  await areOne([a, b]);
  await until([a, b], () => [a, b].every(({ repo }) => repo.events().length === 2));
  assert.deepEqual(a.repo.head, b.repo.head);
  assert.deepEqual(a.repo.get(), { x: 1, a: 1, b: 1 });
  const events = a.repo.events().map(({ value }) => value as string).sort();
  assert.deepEqual(events, ["after a", "after b"]);
  close(a, b);
  await second.stop();
});

Deno.test("a large epoch goes up and down in pieces; broken off, it goes on where it was", async () => {
  const store = new MemoryStore();
  const first = startRelay(store);
  const bytes = noise(12_000_000);
  const a = await device(first, alice);
  await a.repo.putBytes(["film"], new Blob([bytes]).stream());
  a.repo.set("old", "x");
  await a.session.landed(a.repo);
  const reader = await device(first);
  await until([reader], () => reader.repo.size("film") === bytes.length);
  a.repo.delete("old");
  await a.repo.compact();
  await until([a], () => a.session.status.repos[0].acked > 20);
  await first.stop();
  const held = (await store.head(alice.key))!;
  assert.equal(held.head!.epoch, 0, "the old one is there until the new one is whole");
  assert.equal(held.epoch, 1);
  assert.ok(held.length > 20, `${held.length} blocks were kept`);
  let appended = 0;
  const append = store.append.bind(store);
  store.append = (key, expected, blocks, next) => {
    appended += blocks.length;
    return append(key, expected, blocks, next);
  };
  const second = startRelay(store, { port: first.port });
  await a.session.landed(a.repo);
  assert.equal(appended, a.repo.head!.blocks - held.length, "nothing was sent twice");
  await until([a, reader], () => !reader.repo.has("old"));
  await areOne([a, reader]);
  const found = await new Response(reader.repo.readBytes(["film"])).bytes();
  assert.ok(found.every((byte, i) => byte === bytes[i]));
  assert.deepEqual(await epochsIn(reader.store), [1]);
  close(a, reader);
  await second.stop();
});

Deno.test("writers go on while epochs are raised around them, and lose nothing", async () => {
  const relay = startRelay(new MemoryStore());
  const devices = [
    await device(relay, alice),
    await device(relay, alice),
    await device(relay, alice),
  ];
  await Promise.all(devices.map(({ session, repo }) => session.synced(repo)));
  for (let round = 0; round < 12; round++) {
    devices.forEach(({ repo }, i) => repo.set(`device${i}`, `round${round}`, round));
    await devices[round % 3].repo.flush();
    if (round % 4 === 1) await devices[(round >> 2) % 3].repo.compact();
    if (round % 5 === 0) await Promise.all(devices.map(({ repo }) => repo.flush()));
  }
  const isWhole = () =>
    devices.every(({ repo }) => devices.every((_, i) => repo.size(`device${i}`) === 12));
  // What older heads are merged, or not, is written down after all else.
  await until(devices, () => {
    const heads = devices.map(({ repo: { head } }) => `${head?.epoch} ${head?.root}`);
    const isOne = new Set(heads).size === 1;
    const states = devices.map(({ session }) => session.status.repos[0]);
    return isWhole() && isOne && states.every(({ acked, blocks }) => acked === blocks);
  });
  assert.ok(devices[0].repo.head!.epoch >= 1);
  close(...devices);
  await relay.stop();
});

Deno.test("what the relay acknowledged before it was compacted elsewhere is not lost, though its device is", async () => {
  const store = new MemoryStore();
  const first = startRelay(store);
  const a = await device(first, alice);
  a.repo.set({ x: 1, y: 1 });
  await a.session.landed(a.repo);
  const b = await device(first, alice);
  await areOne([a, b]);
  await first.stop();
  const second = startRelay(store, { port: first.port });
  a.session.close();
  b.repo.set("b", { only: "here" });
  b.repo.delete("y");
  b.repo.publish("from b");
  await b.session.landed(b.repo);
  close(b); // for ever
  a.repo.set("a", 1);
  await a.repo.flush();
  await a.repo.compact();
  const again = await device(second, alice, a.store);
  await again.session.landed(again.repo);
  assert.deepEqual(await epochsIn(store), [1]);
  const reader = await device(second);
  await until([reader], () => reader.repo.get("a") === 1);
  assert.deepEqual(reader.repo.get(), { x: 1, a: 1, b: { only: "here" } });
  assert.deepEqual(reader.repo.events().map(({ value }) => value), ["from b"]);
  assert.deepEqual(again.rejected, []);
  close(again, reader);
  await second.stop();
});

Deno.test("two devices that compact while both are offline keep what was, until the relay has what both changed", async () => {
  const relay = startRelay(new MemoryStore());
  const stores = [new MemoryStore(), new MemoryStore()];
  const [a, b] = [
    await device(relay, alice, stores[0]),
    await device(relay, alice, stores[1]),
  ];
  a.repo.set({ k0: 0, k1: 1, k2: 2, k3: 3, list: ["x", "y"] });
  await a.repo.flush();
  await areOne([a, b]);
  await Promise.all([a, b].map(({ session, repo }) => session.landed(repo)));
  close(a, b);
  a.repo.transaction((draft) => {
    draft.set("k0", "a");
    draft.delete("k1");
    draft.splice(["list"], 0, 1);
  });
  await a.repo.compact();
  b.repo.transaction((draft) => {
    draft.set("k2", "b");
    draft.delete("k3");
    draft.push(["list"], "z");
  });
  await b.repo.compact();
  assert.deepEqual(await Promise.all(stores.map(epochsIn)), [[0, 1], [0, 1]]);
  const connected = [a, b].map(({ registry }) =>
    connect(registry, relay.url, { signers: [alice] })
  );
  const repos = await Promise.all(connected.map((session) => session.subscribe(alice.key)));
  const changed = { k0: "a", k2: "b", list: ["y", "z"] };
  const isMerged = () =>
    repos.every((repo) => repo.head?.blocks === repos[0].head?.blocks && repo.size() === 3);
  await untilNews([...repos, ...connected], isMerged);
  assert.deepEqual(repos.map((repo) => repo.get()), [changed, changed]);
  await Promise.all(connected.map((session, i) => session.landed(repos[i])));
  await Promise.all(repos.map((repo) => repo.refresh()));
  assert.deepEqual(await Promise.all(stores.map(epochsIn)), [[1], [1]]);
  for (const session of connected) session.close();
  await relay.stop();
});
