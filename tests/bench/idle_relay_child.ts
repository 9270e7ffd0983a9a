/**
 * `idle_relay_child.ts DATABASE`: a relay over a database; `raw`: a WebSocket server that does nothing.
 * Prints its address; at /memory it tells what it uses.
 */

import { Registry } from "../../core/repo/registry.ts";
import { createRelay } from "../../relay/app.ts";
import { KvStore } from "../../relay/kv_store.ts";
import { serveSync } from "../../relay/sync.ts";

const [database] = Deno.args;

/** Bytes that are in use. What the heap holds in reserve, for whatever comes next, is not. */
function memory(): Response {
  const { gc } = globalThis as unknown as { gc: () => void };
  gc();
  const { heapUsed, heapTotal, external, rss } = Deno.memoryUsage();
  return Response.json({ total: rss - heapTotal + heapUsed, objects: heapUsed + external });
}

async function answers(): Promise<Deno.ServeHandler> {
  if (database === "raw") {
    const sockets = new Set<WebSocket>();
    return (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      sockets.add(socket);
      return response;
    };
  }
  const registry = new Registry({ store: await KvStore.open(await Deno.openKv(database)) });
  const relay = createRelay({ registry, onSocket: serveSync({ registry }) });
  return (request, info) => relay.fetch(request, info as Deno.ServeHandlerInfo);
}

const answer = await answers();
const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
const server = Deno.serve(options, (request, info) => {
  return new URL(request.url).pathname === "/memory" ? memory() : answer(request, info);
});
console.log(`127.0.0.1:${(server.addr as Deno.NetAddr).port}`);
