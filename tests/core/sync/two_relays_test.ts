import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import type { Repo } from "../../../core/repo/repo.ts";
import { connect, type Session } from "../../../core/sync/session.ts";
import type { Signer } from "../../../core/identity/signer.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";
import { untilNews } from "../../suites/until_news.ts";

const alice = await signerOf("alice");

interface Both {
  readonly repo: Repo;
  readonly sessions: readonly Session[];
  readonly rejected: string[];
}

/** One device with a session to each relay. */
async function join(relays: readonly TestRelay[], signer?: Signer): Promise<Both> {
  const registry = new Registry({ store: new MemoryStore() });
  const rejected: string[] = [];
  const sessions = relays.map(({ url }) => {
    const session = connect(registry, url, { signers: signer ? [signer] : [] });
    session.on("rejected", ({ code, message }) => rejected.push(`${code}: ${message}`));
    return session;
  });
  const repos = await Promise.all(sessions.map((session) => session.subscribe(alice.key)));
  return { repo: repos[0], sessions, rejected };
}

function until({ repo, sessions }: Both, test: () => boolean): Promise<void> {
  return untilNews([repo, ...sessions], test);
}

async function stop(relays: readonly TestRelay[], ...devices: readonly Both[]): Promise<void> {
  for (const { sessions } of devices) sessions.forEach((session) => session.close());
  await Promise.all(relays.map((relay) => relay.stop()));
}

Deno.test("a reader of two relays gets a long log from both at once, and goes on with either", async () => {
  const relays = [startRelay(new MemoryStore()), startRelay(new MemoryStore())];
  const bytes = new Uint8Array(12_000_000);
  for (let i = 0; i < bytes.length; i += 65_536) {
    crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  }
  const writer = await join(relays, alice);
  await writer.repo.putBytes(["film"], new Blob([bytes]).stream());
  await Promise.all(writer.sessions.map((session) => session.landed(writer.repo)));
  const reader = await join(relays);
  await Promise.all(reader.sessions.map((session) => session.synced(reader.repo)));
  assert.equal(reader.repo.size("film"), bytes.length);
  for (let i = 0; i < 100; i++) {
    writer.repo.set("n", i);
    await writer.repo.flush();
  }
  await until(reader, () => reader.repo.get("n") === 99);
  reader.sessions[1].close();
  writer.repo.set("last", true);
  await until(reader, () => reader.repo.get("last") === true);
  assert.deepStrictEqual(reader.repo.head, writer.repo.head);
  assert.deepStrictEqual([...writer.rejected, ...reader.rejected], [], "nobody is blamed");
  await stop(relays, writer, reader);
});

Deno.test("two relays over one store: what a device pushes to one does not stop those of the other", async () => {
  const store = new MemoryStore();
  const relays = [startRelay(store), startRelay(store)];
  const devices = [await join([relays[0]], alice), await join([relays[1]], alice)];
  for (let i = 0; i < 10; i++) {
    const { repo, sessions: [session] } = devices[i % 2];
    repo.set(`n${i}`, i);
    await session.landed(repo);
  }
  for (const { rejected } of devices) assert.deepEqual(rejected, []);
  const head = (await store.head(alice.key))!.head!;
  const { repo } = devices[1];
  assert.equal(repo.head?.root.join(), head.root.join());
  for (let i = 0; i < 10; i++) assert.equal(repo.get(`n${i}`), i);
  await stop(relays, ...devices);
});
