/** A relay over a file store, with sync and HTTP; prints its port. */

import { FileStore } from "../../cli/file_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { createRelay } from "../../relay/app.ts";
import { serveSync } from "../../relay/sync.ts";

const registry = new Registry({ store: await FileStore.open(Deno.args[0]) });
const relay = createRelay({ registry, onSocket: serveSync({ registry }) });
const server = Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: () => {} },
  (request, info) => relay.fetch(request, info),
);
console.log(server.addr.port);
