import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { connect, type Session } from "../../../core/sync/session.ts";
import type { SessionEvents } from "../../../core/sync/session_status.ts";
import { signerOf } from "../../suites/people.ts";
import { fileName, fileText, writeFiles } from "../../suites/many_files.ts";
import { noise } from "../../suites/noise.ts";
import { startChainRelay } from "../../suites/chain.ts";
import { startRelay } from "../../suites/relay.ts";
import { untilNews } from "../../suites/until_news.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");
const film = noise(1, 2_000_000);

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repo = await writeFiles(store, alice, 300);
  await repo.putBytes(["film"], new Blob([film]).stream());
  await repo.flush();
  return store;
}

interface Reader {
  readonly session: Session;
  readonly registry: Registry;
  readonly store: MemoryStore;
  readonly rejected: SessionEvents["rejected"][];
}

function reader(url: string): Reader {
  const store = new MemoryStore();
  const registry = new Registry({ store });
  const session = connect(registry, url);
  const rejected: SessionEvents["rejected"][] = [];
  session.on("rejected", (event) => void rejected.push(event));
  return { session, registry, store, rejected };
}

const nextChange = (repo: Repo) =>
  new Promise<void>((resolve) => {
    const stop = repo.on("change", () => (stop(), resolve()));
  });

Deno.test("a sparse repo is open with its head, and loads what it is asked for", async () => {
  const relay = startRelay(await filled());
  const { session, store, rejected } = reader(relay.url);
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  await session.synced(repo);
  assert.equal(await repo.load("files", fileName(17)), fileText(17));
  const part = repo.readBytes(["film"], { start: 1_000_000, end: 1_500_000 });
  assert.deepEqual(concat(await Array.fromAsync(part)), film.slice(1_000_000, 1_500_000));
  assert.equal(await store.head(alice.key), undefined, "nothing is stored");
  const { blocks } = repo.head!;
  const status = { key: alice.key, blocks, peerBlocks: blocks, acked: 0, refusal: undefined };
  assert.deepEqual(session.status.repos, [{ ...status, phase: "live" }]);
  assert.throws(() => repo.set("x", 1), { code: "read_only" });
  assert.deepEqual(rejected, []);
  session.close();
  await relay.stop();
});

Deno.test("it follows the peer's heads, as they come", async () => {
  const relay = startRelay(await filled());
  const writer = reader(relay.url);
  const written = await writer.registry.open(alice);
  await writer.session.subscribe(alice.key);
  const { session } = reader(relay.url);
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  await writer.session.synced(written);
  for (let i = 0; i < 20; i++) {
    const changed = nextChange(repo);
    written.set("n", i);
    await written.flush();
    await changed;
    assert.equal(await repo.load("n"), i);
  }
  const changed = nextChange(repo);
  written.set("files", fileName(3), "new");
  await writer.session.landed(written);
  await changed;
  await session.synced(repo);
  assert.equal(await repo.load("files", fileName(3)), "new");
  assert.equal(await repo.load("files", fileName(4)), fileText(4));
  await written.compact();
  await writer.session.landed(written);
  while (repo.head!.epoch === 0) await nextChange(repo);
  assert.equal(await repo.load("files", fileName(5)), fileText(5));
  session.close();
  writer.session.close();
  await relay.stop();
});

Deno.test("a sparse reader, others, and a subscriber of the same key share a session", async () => {
  const relay = startRelay(await filled());
  const { session, store } = reader(relay.url);
  const [first, second, whole] = await Promise.all([
    session.subscribe(alice.key, { mode: "sparse" }),
    session.subscribe(alice.key, { mode: "sparse" }),
    session.subscribe(alice.key),
  ]);
  assert.equal(first, second, "one repo for all of them");
  assert.notEqual(first, whole);
  await Promise.all([session.synced(first), session.synced(whole)]);
  assert.equal((await store.head(alice.key))!.length, whole.head!.blocks);
  const files = await Promise.all([1, 2, 3].map((i) => first.load("files", fileName(i))));
  assert.deepEqual(files, [1, 2, 3].map(fileText));
  session.unsubscribe(alice.key);
  assert.equal(await first.load("files", fileName(200)), fileText(200));
  session.unsubscribe(alice.key, { mode: "sparse" });
  await assert.rejects(first.load("files", fileName(100)), { code: "closed" });
  assert.equal(first.get("files", fileName(200)), fileText(200), "what was loaded is there");
  session.close();
  await relay.stop();
});

Deno.test("while the peer is away what was loaded is there, and what is not waits for it", async () => {
  const store = await filled();
  const first = startRelay(store);
  const { session } = reader(first.url);
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  await repo.load("files", fileName(17));
  await first.stop();
  const until = (state: string) =>
    new Promise<void>((resolve) => {
      const look = () => session.status.state === state && (stop(), resolve());
      const stop = session.on("status", look);
      look();
    });
  await until("away");
  assert.equal(session.status.repos[0].phase, "away");
  assert.equal(repo.get("files", fileName(17)), fileText(17));
  const waits = repo.load("files", fileName(250));
  const author = await Repo.open(store, alice);
  author.set("n", "written meanwhile");
  await author.flush();
  const second = startRelay(store, { port: first.port });
  assert.equal(await waits, fileText(250));
  await session.synced(repo);
  assert.equal(await repo.load("n"), "written meanwhile");
  session.close();
  const closed = { code: "closed" };
  await assert.rejects(repo.load("files", fileName(100)), closed);
  await assert.rejects(session.subscribe(bob.key, { mode: "sparse" }), closed);
  assert.equal(repo.get("files", fileName(17)), fileText(17));
  await second.stop();
});

Deno.test("what is in the store is read from it, also before there is a connection", async () => {
  const relay = startRelay(new MemoryStore());
  await relay.stop();
  const registry = new Registry({ store: await filled() });
  const session = connect(registry, relay.url);
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  assert.equal(repo.get("files", fileName(17)), fileText(17));
  session.close();
});

Deno.test("a session that closes ends who waits for a head, or for blocks", async () => {
  const relay = startRelay(new MemoryStore());
  await relay.stop();
  const { session } = reader(relay.url);
  const opening = session.subscribe(alice.key, { mode: "sparse" });
  const ends = assert.rejects(opening, { code: "closed" });
  session.close();
  await ends;
});

Deno.test("a key that the peer does not have is an empty repo, until it has it", async () => {
  const relay = startRelay(new MemoryStore());
  const { session } = reader(relay.url);
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  await session.synced(repo);
  assert.equal(repo.head, undefined);
  const writer = reader(relay.url);
  const written = await writer.registry.open(alice);
  await writer.session.subscribe(alice.key);
  const changed = nextChange(repo);
  written.set("hello", "there");
  await changed;
  assert.equal(await repo.load("hello"), "there");
  session.close();
  writer.session.close();
  await relay.stop();
});

Deno.test("many readings at once are answered all, each once", async () => {
  const relay = startRelay(await filled());
  const { session } = reader(relay.url);
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  const all = Array.from({ length: 300 }, (_, i) => i);
  const files = await Promise.all(all.map((i) => repo.load("files", fileName(i))));
  assert.deepEqual(files, all.map(fileText));
  assert.deepEqual(relay.broken, []);
  session.close();
  await relay.stop();
});

Deno.test("a relay that has nothing of a log asks its own relay for who reads it", async () => {
  const far = await startChainRelay([], { store: await filled() });
  const near = await startChainRelay([far.url]);
  const { session } = reader(near.url);
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  await untilNews([repo, session], () => repo.head !== undefined);
  assert.equal(await repo.load("files", fileName(17)), fileText(17));
  session.close();
  await near.stop();
  await far.stop();
});
