/** The entry for `deno serve` and Deno Deploy: a relay told by STREAMO_* variables only. */

import { Registry } from "../core/repo/registry.ts";
import { Upstreams } from "../core/sync/upstreams.ts";
import { createRelay, type Relay } from "./app.ts";
import { dial } from "./dial.ts";
import { openDefaultStore } from "./open_store.ts";
import { parseOptions } from "./options.ts";
import { watchStore } from "./watch_store.ts";
import { serveSync } from "./sync.ts";

let starting: Promise<Relay> | undefined;

/** Answers requests; the store is opened at the first one. */
const handler: {
  fetch(request: Request, info?: Deno.ServeHandlerInfo): Promise<Response>;
} = {
  async fetch(request, info) {
    if (starting === undefined) {
      starting = start();
      // A store that did not open is tried again at the next request.
      starting.catch(() => starting = undefined);
    }
    return (await starting).fetch(request, info);
  },
};

export default handler;

async function start(): Promise<Relay> {
  const options = parseOptions([], (name) => Deno.env.get(name));
  if ("help" in options) throw new TypeError("no arguments gave a help text");
  const { store, storage, isShared } = await openDefaultStore(options);
  const { home, name, hosts, origins, feeds } = options;
  const registry = new Registry({ store });
  const closing = new AbortController();
  const { signal } = closing;
  const onError = (error: unknown) => console.error("relay: unexpected:", error);
  if (isShared) void watchStore(registry, { signal, onError });
  const session = { openTransport: dial };
  const upstreams = await Upstreams.open({ registry, origins, feeds, session, onError });
  const onSocket = serveSync({ registry, home, hosts, upstreams });
  const relay = createRelay({ registry, home, name, storage, onError, onSocket, upstreams });
  // Deploy stops processes with SIGINT: clients are told to connect again.
  Deno.addSignalListener("SIGINT", () => {
    closing.abort();
    relay.close();
    upstreams.close();
    store.close().finally(() => Deno.exit(0));
  });
  return relay;
}
