/** A worker that serves alice's repo over the port that it is given, and writes to it. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { Conversation } from "../../core/sync/conversation.ts";
import { portTransport } from "../../core/sync/port_transport.ts";
import { signerOf } from "./people.ts";

addEventListener("message", async ({ ports: [port] }) => {
  const registry = new Registry({ store: new MemoryStore() });
  const repo = await registry.open(await signerOf("alice"));
  repo.set("worker", { film: new Uint8Array(1_500_000).fill(3) });
  new Conversation({
    registry,
    transport: portTransport(port),
    software: "worker",
    admit: () => undefined,
  });
});
