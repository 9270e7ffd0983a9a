import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Load } from "../../../core/sync/part_messages.ts";
import { rawClient } from "../../suites/hostile_client.ts";
import { writeFiles } from "../../suites/many_files.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";

const alice = await signerOf("alice");
const { key } = alice;
const store = new MemoryStore();
const { head: signed, snapshot } = await writeFiles(store, alice, 100);
const log = { epoch: 0, blocks: signed!.blocks, root: signed!.root };
const { address: root } = snapshot.root as { address: number };

const load = (ask: Partial<Load>): Load => ({
  type: "load",
  key,
  id: 0,
  log,
  at: undefined,
  reading: undefined,
  first: undefined,
  end: undefined,
  ...ask,
});

Deno.test("parts of a log that is not watched are refused, one by one", async () => {
  const relay = startRelay(store);
  const client = await rawClient(relay.url);
  client.send(load({ at: 0 }));
  const { id, code } = await client.next("failed");
  assert.deepEqual([id, code], [0, "refused"]);
  client.send({ type: "watch", key });
  assert.deepEqual((await client.next("newest")).head?.blocks, log.blocks);
  client.send({ type: "unwatch", key });
  client.send(load({ id: 1, at: 0 }));
  assert.equal((await client.next("failed")).code, "refused");
  assert.equal(relay.registry.size, 1);
  await client.close();
  await relay.stop();
});

Deno.test("what cannot be answered has one code, and the conversation goes on", async () => {
  const relay = startRelay(store);
  const client = await rawClient(relay.url);
  client.send({ type: "watch", key });
  await client.next("newest");
  const reading = (fields: Record<string, unknown>) =>
    JSON.stringify({ kind: "value", root, path: [], ...fields });
  const cases: [string, string, Partial<Load>][] = [
    ["no log", "malformed", { log: undefined, at: 0 }],
    ["a longer log", "not_found", { log: { ...log, blocks: log.blocks + 1 }, at: 0 }],
    ["an epoch to come", "not_found", { log: { ...log, epoch: 1 }, at: 0 }],
    ["another root", "conflict", { log: { ...log, root: new Uint8Array(32) }, at: 0 }],
    ["a byte past the end", "not_found", { at: signed!.bytes }],
    ["blocks past the end", "not_found", { first: 0, end: log.blocks + 1 }],
    ["no blocks", "not_found", { first: 3, end: 3 }],
    ["a reading that is none", "malformed", { at: 0, reading: "[]" }],
    ["one that is no JSON", "malformed", { at: 0, reading: "{" }],
    ["a long path", "malformed", { at: 0, reading: reading({ path: Array(501).fill(0) }) }],
  ];
  for (const [name, code, ask] of cases) {
    client.send(load(ask));
    assert.equal((await client.next("failed")).code, code, name);
  }
  client.send({ type: "ping" });
  await client.next("pong");
  assert.equal(client.end, undefined);
  await client.close();
  await relay.stop();
});

Deno.test("a log that is watched and followed is left when it is neither", async () => {
  const left: string[] = [];
  const onLeave = (key: string) => void left.push(key);
  const relay = startRelay(store, { admit: () => undefined, onLeave });
  const client = await rawClient(relay.url);
  const settle = async () => {
    client.send({ type: "ping" });
    await client.next("pong");
  };
  client.send({ type: "watch", key });
  client.send({ type: "open", key, channel: 1, have: undefined });
  await client.next("opened");
  client.send({ type: "unwatch", key });
  await settle();
  assert.deepEqual(left, []);
  client.send({ type: "watch", key });
  await client.next("newest");
  client.send({ type: "close", key });
  await settle();
  assert.deepEqual(left, []);
  client.send({ type: "unwatch", key });
  await settle();
  assert.deepEqual(left, [key]);
  client.send({ type: "watch", key });
  await client.next("newest");
  await client.close();
  await relay.stop();
  assert.deepEqual(left, [key, key]);
});

Deno.test("more questions than may wait end the connection", async () => {
  const relay = startRelay(store);
  const client = await rawClient(relay.url);
  client.send({ type: "watch", key });
  for (let id = 0; id < 200; id++) client.send(load({ id, at: 0 }));
  await client.until(() => client.end !== undefined);
  assert.deepEqual(relay.broken, ["too_large"]);
  await client.close();
  await relay.stop();
});

Deno.test("a peer that nobody lets in hears why, and costs nothing", async () => {
  const relay = startRelay(store, { admit: () => "refused" });
  const client = await rawClient(relay.url);
  client.send({ type: "watch", key });
  client.send(load({ at: 0 }));
  const refusals = [await client.next("failed"), await client.next("failed")];
  assert.deepEqual(refusals.map(({ id, code }) => [id, code]), [[undefined, "refused"], [
    0,
    "refused",
  ]]);
  assert.equal(relay.registry.size, 0);
  await client.close();
  await relay.stop();
});
