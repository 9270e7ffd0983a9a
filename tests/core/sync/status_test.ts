import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { SessionEvents, SessionStatus } from "../../../core/sync/session_status.ts";
import { Signer } from "../../../core/identity/signer.ts";
import { startClient } from "../../suites/clients.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";

const alice = await signerOf("alice");

Deno.test("the status says why there is no connection, and when the next try is", async () => {
  const store = new MemoryStore();
  const relay = startRelay(store);
  const client = startClient(relay.url);
  const seen: SessionStatus[] = [];
  const now = () => client.session.status;
  assert.deepStrictEqual([now().state, now().reason], ["connecting", "not connected yet"]);
  client.session.on("status", (status) => seen.push(status));
  await client.until(() => now().state === "online");
  assert.deepStrictEqual([now().reason, now().retryMs], ["", undefined]);
  await relay.stop();
  await client.until(() => now().state === "away");
  assert.equal(now().reason, "restarting");
  assert.ok(now().retryMs! > 0);
  // Nobody listens there now: another reason, and a longer wait.
  const first = now().retryMs!;
  await client.until(() => now().state === "away" && now().retryMs! > first);
  assert.match(now().reason, /^connection failed/);
  const again = startRelay(store, { port: relay.port });
  await client.until(() => now().state === "online");
  client.session.close();
  assert.deepStrictEqual([now().state, now().reason], ["closed", "closed here"]);
  const states = seen.map(({ state }) => state);
  const turns = states.filter((state, i) => state !== states[i - 1]);
  assert.deepStrictEqual(turns.slice(0, 4), ["online", "away", "connecting", "away"]);
  await again.stop();
});

Deno.test("a signer that fails keeps the session away, with its reason", async () => {
  const relay = startRelay(new MemoryStore());
  const signer = new Signer("card", {
    publicKey: alice.publicKey,
    sign: () => Promise.reject(new Error("the card was taken out")),
  });
  using client = startClient(relay.url, { signers: [signer] });
  await client.until(() => client.session.status.state === "away");
  assert.equal(client.session.status.reason, "cannot sign: the card was taken out");
  client.session.close();
  await relay.stop();
});

Deno.test("a session tells when what was written here was merged into another device's log", async () => {
  const relay = startRelay(new MemoryStore());
  using one = startClient(relay.url, { signers: [alice] });
  const first = await one.session.subscribe(alice.key);
  first.set("one", 1);
  await one.session.landed(first);
  using two = startClient(relay.url, { signers: [alice] });
  const merged: SessionEvents["merged"][] = [];
  two.session.on("merged", (event) => merged.push(event));
  await two.registry.with(alice, async (repo) => {
    repo.set("two", 2);
    await repo.flush();
  });
  const second = await two.session.subscribe(alice.key);
  await two.session.landed(second);
  await two.until(() => merged.length > 0);
  assert.equal(merged[0].key, alice.key);
  assert.deepStrictEqual(second.get(), { one: 1, two: 2 });
  assert.ok(merged[0].record.seq > 0);
  // Nothing is told any more of what is not followed any more.
  two.session.unsubscribe(alice.key);
  for (const { session } of [one, two]) session.close();
  await relay.stop();
});
