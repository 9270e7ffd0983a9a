/** A relay with a page that runs what a test gives it. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { serveSync } from "../../relay/sync.ts";
import { relayWorld } from "../suites/relay_world.ts";

/** Serves `script`, a module of the home repo's only page, and calls `use` with the page's address. */
export async function withPage(
  script: string,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const store = new MemoryStore();
  const registry = new Registry({ store });
  const world = await relayWorld({ registry, onSocket: serveSync({ registry }) }, store);
  const page = `<!doctype html><title>test</title><main>old</main><script type="module">
    import { connect, MemoryStore, Registry, Repo, Signer } from "@streamo/streamo";
    import { computed, h, live, liveObject, mount, signal } from "@streamo/streamo/web";
    ${script}
    document.documentElement.dataset.ready = "yes";
  </script>`;
  await world.write("home", { "index.html": page });
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const server = Deno.serve(options, world.relay.fetch);
  try {
    await use(`http://localhost:${server.addr.port}/`);
  } finally {
    world.relay.close();
    await server.shutdown();
  }
}
