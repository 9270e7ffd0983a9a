/** Who opens a connection and never says who it is. */

import assert from "node:assert/strict";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { systemTimer, type Timer } from "../../core/platform.ts";
import { Registry } from "../../core/repo/registry.ts";
import { Sockets } from "../../relay/socket.ts";
import { HELLO_MS, serveSync } from "../../relay/sync.ts";
import { rawClient } from "../suites/hostile_client.ts";

Deno.test("a relay ends a connection on which nobody says hello in time, and no other", async () => {
  const waits = new Set<() => void>();
  const timer: Timer = (callback, delayMs) => {
    if (delayMs !== HELLO_MS) return systemTimer(callback, delayMs);
    waits.add(callback);
    return () => void waits.delete(callback);
  };
  const registry = new Registry({ store: new MemoryStore() });
  const sockets = new Sockets(serveSync({ registry, timer }), 10);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request, info) => sockets.upgrade(request, info),
  );
  const url = `ws://127.0.0.1:${server.addr.port}/sync`;
  const silent = await rawClient(url, { silent: true });
  const greeting = await rawClient(url);
  const gone = await rawClient(url, { silent: true });
  greeting.send({ type: "ping" });
  await greeting.next("pong");
  await gone.close();
  for (const callback of waits) callback();
  await silent.until(() => silent.end !== undefined);
  assert.equal(silent.end?.code, 4002);
  assert.match(silent.end.reason, /^refused: no hello/);
  greeting.send({ type: "ping" });
  await greeting.next("pong");
  assert.equal(sockets.size, 1);
  await greeting.close();
  await server.shutdown();
});
