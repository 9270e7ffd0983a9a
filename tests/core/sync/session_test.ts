import assert from "node:assert/strict";
import type { Signer } from "../../../core/identity/signer.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import type { Repo } from "../../../core/repo/repo.ts";
import { connect, type Session } from "../../../core/sync/session.ts";
import { relayUrl } from "../../../core/sync/relay_url.ts";
import type { SessionEvents } from "../../../core/sync/session_status.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";
import { GatedStore } from "../../suites/stores.ts";
import { untilNews } from "../../suites/until_news.ts";

const alice = await signerOf("alice");

interface Device {
  readonly registry: Registry;
  readonly session: Session;
  readonly repo: Repo;
  readonly rejected: SessionEvents["rejected"][];
}

async function device(
  relay: TestRelay,
  signer?: Signer,
  store = new MemoryStore(),
): Promise<Device> {
  const registry = new Registry({ store });
  const session = connect(registry, relay.url, { signers: signer ? [signer] : [] });
  const rejected: SessionEvents["rejected"][] = [];
  session.on("rejected", (event) => rejected.push(event));
  const repo = await session.subscribe(alice.key);
  return { registry, session, repo, rejected };
}

/** Resolves when `test` holds, looked at whenever a repo or a session has something new. */
function until(devices: Device | readonly Device[], test: () => boolean): Promise<void> {
  return untilNews([devices].flat().flatMap(({ repo, session }) => [repo, session]), test);
}

async function withRelay(body: (relay: TestRelay) => Promise<void>, store = new MemoryStore()) {
  const relay = startRelay(store);
  try {
    await body(relay);
  } finally {
    await relay.stop();
  }
}

Deno.test("what is written on one device arrives on another, live and after being away", () =>
  withRelay(async (relay) => {
    const writer = await device(relay, alice);
    writer.repo.set({ text: "hello" });
    await writer.session.landed(writer.repo);
    const reader = await device(relay);
    await reader.session.synced(reader.repo);
    assert.deepStrictEqual(reader.repo.get(), { text: "hello" });
    writer.repo.set("text", "live");
    await until(reader, () => reader.repo.get("text") === "live");
    reader.session.close();
    for (let i = 0; i < 50; i++) {
      writer.repo.set("count", i);
      await writer.repo.flush();
    }
    await writer.session.landed(writer.repo);
    const back = await device(relay, undefined, reader.registry.store as MemoryStore);
    await until(back, () => back.repo.get("count") === 49);
    assert.deepStrictEqual(back.repo.head, writer.repo.head);
    back.session.close();
    writer.session.close();
  }));

Deno.test("two devices that write at once end on equal heads with everything", () =>
  withRelay(async (relay) => {
    const devices = [
      await device(relay, alice),
      await device(relay, alice),
      await device(relay, alice),
    ];
    await Promise.all(devices.map(({ session, repo }) => session.synced(repo)));
    for (let round = 0; round < 20; round++) {
      devices.forEach(({ repo }, i) => {
        repo.set(`device${i}`, `round${round}`, round);
        repo.publish({ from: i, round });
      });
      if (round % 5 === 0) await Promise.all(devices.map(({ repo }) => repo.flush()));
      else await devices[round % 3].repo.flush();
    }
    const isWhole = () =>
      devices.every(({ repo }) =>
        devices.every((_, i) => repo.size(`device${i}`) === 20) && repo.events().length === 60
      );
    await until(devices, isWhole);
    await Promise.all(devices.map(({ session, repo }) => session.landed(repo)));
    const same = () =>
      devices.every(({ repo }) => repo.head?.blocks === devices[0].repo.head?.blocks);
    await until(devices, same);
    for (const { repo } of devices) assert.deepStrictEqual(repo.head, devices[0].repo.head);
    const events = devices[0].repo.events().map(({ value }) =>
      value as { from: number; round: number }
    );
    for (let i = 0; i < 3; i++) {
      const rounds = events.filter(({ from }) => from === i).map(({ round }) => round);
      assert.deepStrictEqual(rounds, Array.from({ length: 20 }, (_, round) => round));
    }
    devices.forEach(({ session }) => session.close());
  }));

Deno.test("a relay that restarts without its data is given it again", async () => {
  const first = startRelay(new MemoryStore());
  const writer = await device(first, alice);
  for (let i = 0; i < 100; i++) {
    writer.repo.set({ i });
    await writer.repo.flush();
  }
  await writer.session.landed(writer.repo);
  await first.stop();
  writer.repo.set({ i: "written while away" });
  await writer.repo.flush();
  const second = startRelay(new MemoryStore(), { port: first.port });
  await writer.session.landed(writer.repo);
  const reader = await device(second);
  await until(reader, () => reader.repo.get("i") === "written while away");
  assert.equal(reader.repo.lastRecord?.seq, 100);
  reader.session.close();
  writer.session.close();
  await second.stop();
});

Deno.test("devices that wrote for a long time apart find their common past and merge", async () => {
  const store = new MemoryStore();
  const first = startRelay(store);
  const a = await device(first, alice);
  for (let i = 0; i < 300; i++) {
    a.repo.set("common", `k${i}`, i);
    await a.repo.flush();
  }
  await a.session.landed(a.repo);
  const b = await device(first, alice);
  await until(b, () => b.repo.size("common") === 300);
  await first.stop();
  for (let i = 0; i < 200; i++) {
    a.repo.set("a", `k${i}`, i);
    await a.repo.flush();
    if (i % 2 === 0) continue;
    b.repo.set("b", `k${i}`, i);
    await b.repo.flush();
  }
  const second = startRelay(store, { port: first.port });
  const isWhole = ({ repo }: Device) =>
    repo.size("common") === 300 && repo.size("a") === 200 && repo.size("b") === 100;
  await until([a, b], () => isWhole(a) && isWhole(b));
  await until([a, b], () => `${a.repo.head?.root}` === `${b.repo.head?.root}`);
  assert.deepStrictEqual(a.repo.head, b.repo.head);
  assert.deepStrictEqual([...a.rejected, ...b.rejected], []);
  a.session.close();
  b.session.close();
  await second.stop();
});

Deno.test("a long log goes up and down in pieces, and a broken upload goes on where it was", async () => {
  const store = new MemoryStore();
  const relay = startRelay(store);
  const bytes = new Uint8Array(12_000_000);
  for (let i = 0; i < bytes.length; i += 65_536) {
    crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  }
  const writer = await device(relay, alice);
  await writer.session.synced(writer.repo);
  const put = writer.repo.putBytes(["film"], new Blob([bytes]).stream());
  await until(writer, () => writer.session.status.repos[0].acked > 20);
  await relay.stop();
  await put;
  await writer.repo.flush();
  const held = (await store.head(alice.key))!.length;
  assert.ok(held > 20, `${held} blocks were kept`);
  const again = startRelay(store, { port: relay.port });
  await writer.session.landed(writer.repo);
  const reader = await device(again);
  await until(reader, () => reader.repo.size("film") === bytes.length);
  const found = await new Response(reader.repo.readBytes(["film"])).bytes();
  assert.ok(found.every((byte, i) => byte === bytes[i]));
  reader.session.close();
  writer.session.close();
  await again.stop();
});

Deno.test("a relay refuses what a client's key did not sign; a client serves nothing it is asked for", () =>
  withRelay(async (relay) => {
    const writer = await device(relay, alice);
    writer.repo.set({ mine: true });
    await writer.session.landed(writer.repo);
    for (const conversation of relay.conversations) {
      conversation.open(await relay.registry.open((await signerOf("bob")).key));
    }
    writer.repo.set({ mine: 2 });
    await writer.session.landed(writer.repo);
    assert.deepStrictEqual(writer.rejected, []);
    writer.session.close();
  }));

Deno.test("landed() waits for the relay's word, and rejects when the session is closed", async () => {
  const relay = startRelay(new MemoryStore());
  const writer = await device(relay, alice);
  await writer.session.synced(writer.repo);
  await relay.stop();
  writer.repo.set({ away: true });
  await writer.repo.flush();
  const landed = assert.rejects(writer.session.landed(writer.repo), { code: "closed" });
  await until(writer, () => writer.session.status.state === "away");
  await writer.repo.flush();
  assert.ok(writer.session.status.retryMs! > 0);
  const [{ blocks, acked }] = writer.session.status.repos;
  assert.ok(acked < blocks);
  writer.session.close();
  await landed;
});

Deno.test("landed() is reached by who never stops to write", async () => {
  const store = new GatedStore();
  // Slower than the writer: whatever is stored, something newer is on its way.
  let written = Promise.withResolvers<void>();
  let last = Promise.resolve();
  store.gate = (append) => last = written.promise.then(append);
  const relay = startRelay(store);
  const here = await device(relay, alice);
  try {
    let isOver = false;
    const writing = (async () => {
      for (let i = 0; !isOver; i++) {
        here.repo.publish(i);
        await here.repo.flush();
        written.resolve();
        written = Promise.withResolvers();
        // A turn of the event loop, without which nothing is heard of the relay.
        await new Promise((resolve) => setTimeout(resolve));
      }
    })();
    for (let i = 0; i < 10; i++) await here.session.landed(here.repo);
    isOver = true;
    await writing;
    store.gate = (append) => append();
    written.resolve();
    // Nothing is on its way to the store any more.
    await here.session.landed(here.repo);
  } finally {
    here.session.close();
    await relay.stop();
    await last;
  }
});

Deno.test("relayUrl() takes what people type", () => {
  const cases = {
    "localhost:8080": "ws://localhost:8080/sync",
    "example.org": "ws://example.org/sync",
    "https://example.org": "wss://example.org/sync",
    "http://example.org/relay?x=1#y": "ws://example.org/relay?x=1",
    "wss://example.org/sync": "wss://example.org/sync",
    "[::1]:8080": "ws://[::1]:8080/sync",
  };
  for (const [text, url] of Object.entries(cases)) assert.equal(relayUrl(text), url);
  for (const text of ["", "ftp://x", "http://", "a b"]) {
    assert.throws(() => relayUrl(text), { message: `not the address of a relay: "${text}"` });
  }
});
