import assert from "node:assert/strict";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { StreamoError } from "../../core/errors.ts";
import { STATUS_OF } from "../../relay/http/errors.ts";
import { CODES } from "../../core/errors.ts";
import { keyOf, relayWorld } from "../suites/relay_world.ts";

Deno.test("/healthz says what is stored where and who is connected", async () => {
  const storage = { name: "a test's memory", warnings: ["gone tomorrow"] };
  let now = Date.parse("2026-01-31T12:00:00Z");
  const { get, write } = await relayWorld({ storage, clock: () => now });
  const empty = await (await get("/healthz")).json();
  assert.deepEqual(empty, {
    status: "ok",
    home: await keyOf("home"),
    store: { name: "a test's memory", keys: 0, atLeast: false, warnings: ["gone tomorrow"] },
    connections: 0,
    eventStreams: 0,
    openRepos: 0,
    origins: [],
    startedAt: "2026-01-31T12:00:00.000Z",
  });
  await write("home", { "a.txt": "a" });
  await write("alice", 1);
  await (await get("/a.txt")).text();
  now += 10_000;
  const health = await (await get("/healthz")).json();
  assert.equal(health.store.keys, 2);
  assert.equal(health.openRepos, 1);
});

Deno.test("/healthz fails while the store does, and looks again", async () => {
  const store = new MemoryStore();
  let now = 0;
  const { get } = await relayWorld({ clock: () => now }, store);
  const { head } = store;
  store.head = () => Promise.reject(new StreamoError("storage", "the disk is on fire"));
  const failing = await get("/healthz");
  assert.equal(failing.status, 503);
  const { status, store: { error } } = await failing.json();
  assert.equal(status, "failing");
  assert.equal(error, "the disk is on fire");
  store.head = head;
  now += 10_000;
  assert.equal((await get("/healthz")).status, 200);
});

Deno.test("no more repos are kept open than allowed", async () => {
  const { get, write } = await relayWorld({ limits: { openRepos: 2 } });
  for (const person of ["a", "b", "c", "d"]) {
    await write(person, { person });
    const value = await (await get(`/streams/${await keyOf(person)}`)).json();
    assert.deepEqual(value, { person });
  }
  assert.equal((await (await get("/healthz")).json()).openRepos, 2);
});

Deno.test("/.well-known/streamo says how to reach the relay", async () => {
  const { get } = await relayWorld({ name: "our relay" });
  const about = await (await get("/.well-known/streamo")).json();
  assert.equal(about.name, "our relay");
  assert.equal(about.home, await keyOf("home"));
  assert.deepEqual(about.protocols, ["streamo.1"]);
  assert.equal(about.sync, "/sync");
});

Deno.test("every code has a status that says error", () => {
  for (const code of CODES) {
    assert.ok(STATUS_OF[code] >= 400 && STATUS_OF[code] < 600, code);
  }
});
