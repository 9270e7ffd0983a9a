/** The smallest relay: a registry behind real WebSockets, nothing else. */

import { Conversation } from "../../core/sync/conversation.ts";
import { SUBPROTOCOL, webSocketTransport } from "../../core/sync/websocket_transport.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Store } from "../../core/log/store.ts";
import type { Key } from "../../core/identity/key.ts";

/** A running relay. */
export interface TestRelay {
  readonly url: string;
  readonly port: number;
  readonly registry: Registry;
  readonly conversations: Set<Conversation>;
  stop(): Promise<void>;
}

/** Starts a relay over `store`; port 0 takes a free one. */
export function startRelay(store: Store, options: { port?: number; home?: Key } = {}): TestRelay {
  const registry = new Registry({ store });
  const conversations = new Set<Conversation>();
  const server = Deno.serve(
    { port: options.port ?? 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
      const conversation = new Conversation({
        registry,
        transport: webSocketTransport(socket),
        software: "test relay",
        home: options.home,
        admit: () => undefined,
        onEnd: () => conversations.delete(conversation),
      });
      conversations.add(conversation);
      return response;
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  return {
    url: `ws://127.0.0.1:${port}/sync`,
    port,
    registry,
    conversations,
    async stop() {
      for (const conversation of conversations) conversation.end(1012, "restarting");
      await server.shutdown();
    },
  };
}
