import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { startClient } from "../../suites/clients.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";

const alice = await signerOf("alice");
const { key } = alice;

async function withRelay(use: (relay: TestRelay) => Promise<void>): Promise<void> {
  const relay = startRelay(new MemoryStore());
  try {
    await use(relay);
  } finally {
    await relay.stop();
  }
}

Deno.test("fetch() brings what the relay has now, and follows nothing", () =>
  withRelay(async (relay) => {
    using writer = startClient(relay.url, { signers: [alice] });
    using reader = startClient(relay.url);
    const repo = await writer.session.subscribe(key);
    // More than one window, so that it comes in pieces.
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    for (let i = 0; i < 100; i++) {
      repo.set("film", i, bytes.with(0, i));
      repo.set("count", i);
      if (i % 10 === 0) await repo.flush();
    }
    await writer.session.landed(repo);
    const fetched = await reader.session.fetch(key);
    assert.deepStrictEqual(fetched.head, repo.head);
    assert.equal(fetched.get("count"), 99);
    assert.deepStrictEqual(reader.session.status.repos, []);
    repo.set("count", 100);
    await writer.session.landed(repo);
    assert.equal(fetched.get("count"), 99, "nothing comes by itself");
    const [again, too] = await Promise.all([reader.session.fetch(key), reader.session.fetch(key)]);
    assert.equal(again.get("count"), 100);
    assert.equal(too, again);
    assert.deepStrictEqual(reader.session.status.repos, []);
  }));

Deno.test("fetch() of what is followed leaves it followed", () =>
  withRelay(async (relay) => {
    using writer = startClient(relay.url, { signers: [alice] });
    const repo = await writer.session.subscribe(key);
    repo.set("hello");
    await writer.session.landed(repo);
    assert.equal(await writer.session.fetch(key), repo);
    assert.equal(writer.session.status.repos.length, 1);
  }));

Deno.test("fetch() ends although the writer never stops", () =>
  withRelay(async (relay) => {
    using writer = startClient(relay.url, { signers: [alice] });
    using reader = startClient(relay.url);
    const repo = await writer.session.subscribe(key);
    repo.set("count", 0);
    await writer.session.landed(repo);
    let isDone = false;
    const writing = (async () => {
      for (let i = 1; !isDone; i++) {
        repo.set("count", i);
        await writer.session.landed(repo);
      }
    })();
    const fetched = await reader.session.fetch(key);
    isDone = true;
    await writing;
    assert.ok(fetched.head !== undefined);
  }));

Deno.test("fetch() of what nobody has is not_found, leaves nothing behind anywhere, and is no secret told", () =>
  withRelay(async (relay) => {
    using reader = startClient(relay.url);
    await assert.rejects(reader.session.fetch(key), {
      code: "not_found",
      message: new RegExp(key),
    });
    assert.deepStrictEqual(reader.session.status.repos, []);
    const keys = await Array.fromAsync(relay.registry.store.keys());
    assert.deepStrictEqual(keys, []);
  }));

Deno.test("fetch() gives what is here if the relay has less", () =>
  withRelay(async (relay) => {
    using writer = startClient(relay.url, { signers: [alice] });
    await writer.registry.with(alice, async (repo) => {
      repo.set("mine");
      await repo.flush();
    });
    assert.equal((await writer.session.fetch(key)).get(), "mine");
  }));

Deno.test("fetch() rejects with the code of a refusal, and when the session is closed", async () => {
  const relay = startRelay(new MemoryStore(), { admit: () => "refused" });
  const reader = startClient(relay.url);
  await assert.rejects(reader.session.fetch(key), { code: "refused" });
  await relay.stop();
  await reader.until(() => reader.session.status.state === "away");
  const fetching = assert.rejects(reader.session.fetch(key), { code: "closed" });
  reader.session.close();
  await fetching;
});
