/** The smallest relay: a registry behind real WebSockets, nothing else. */

import type { Code } from "../../core/errors.ts";
import { ownHost } from "../../relay/own_host.ts";
import { Conversation, type ConversationOptions } from "../../core/sync/conversation.ts";
import { Topics } from "../../core/sync/topics.ts";
import { SUBPROTOCOL, webSocketTransport } from "../../core/sync/websocket_transport.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Store } from "../../core/log/store.ts";

/** A running relay. */
export interface TestRelay {
  readonly url: string;
  readonly port: number;
  readonly registry: Registry;
  readonly topics: Topics;
  readonly conversations: Set<Conversation>;
  /** Codes of the rules that clients broke. */
  readonly broken: Code[];
  stop(): Promise<void>;
}

/** What a test may change of a relay. */
export interface TestRelayOptions
  extends Pick<ConversationOptions, "home" | "admit" | "onLeave" | "timer"> {
  readonly port?: number;
  readonly hosts?: readonly string[];
  /** Of what its topics are made; null: it has none. */
  readonly topics?: ConstructorParameters<typeof Topics>[0] | null;
}

/** Starts a relay over `store`; port 0 takes a free one. */
export function startRelay(store: Store, options: TestRelayOptions = {}): TestRelay {
  const registry = new Registry({ store });
  const conversations = new Set<Conversation>();
  const topics = new Topics(options.topics ?? {});
  const broken: Code[] = [];
  const closed: Promise<void>[] = [];
  const server = Deno.serve(
    { port: options.port ?? 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
      closed.push(new Promise((resolve) => socket.addEventListener("close", () => resolve())));
      const conversation = new Conversation({
        registry,
        transport: webSocketTransport(socket),
        software: "test relay",
        home: options.home,
        timer: options.timer,
        admit: (...asked) => options.admit?.(...asked),
        onLeave: options.onLeave,
        host: ownHost({ host: new URL(request.url).host, address: "127.0.0.1" }, options.hosts),
        topics: options.topics === null ? undefined : topics,
        onEnd: (_reason, error) => {
          conversations.delete(conversation);
          if (error !== undefined) broken.push(error.code);
        },
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
    topics,
    conversations,
    broken,
    async stop() {
      for (const conversation of conversations) conversation.end(1012, "restarting");
      await Promise.all(closed);
      await server.shutdown();
    },
  };
}
