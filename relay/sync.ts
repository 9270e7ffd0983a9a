/** Sync for the sockets of a relay. */

import type { Key } from "../core/identity/key.ts";
import type { Registry } from "../core/repo/registry.ts";
import type { Timer } from "../core/platform.ts";
import { Conversation } from "../core/sync/conversation.ts";
import type { Upstreams } from "../core/sync/upstreams.ts";
import type { TopicLimits } from "../core/sync/topic_limits.ts";
import { Topics } from "../core/sync/topics.ts";
import { webSocketTransport } from "../core/sync/websocket_transport.ts";
import { ownHost } from "./own_host.ts";
import type { OnSocket } from "./socket.ts";

/** How long a client may take to say hello: until then it is nobody, and in the place of somebody. */
export const HELLO_MS = 30_000;

/** What a relay says of itself to its peers. */
export interface SyncOptions {
  /** The repos that are passed on. */
  readonly registry: Registry;
  /** The repo to look at first. */
  readonly home?: Key;
  /** Name and version of the software. */
  readonly software?: string;
  /** Where what clients use is asked for as well. */
  readonly upstreams?: Upstreams;
  /**
   * Names, with ports, by which clients reach this relay: who they are can be shown there only. Without
   * them it is this machine's, for clients on this machine.
   */
  readonly hosts?: readonly string[];
  /** What peers may be interested in, announce and cast; that of `upstreams` where there are some. */
  readonly topics?: Partial<TopicLimits>;
  /** Waits for peers; the platform's by default. */
  readonly timer?: Timer;
  /** Called whenever a peer comes or goes, with the number of them. */
  readonly onPeers?: (count: number) => void;
}

/** Holds a conversation over every socket: serves any repo by its key, takes what its key signed. */
export function serveSync(options: SyncOptions): OnSocket {
  const { registry, home, software = "streamo", upstreams, hosts, timer, onPeers } = options;
  const topics = upstreams?.topics ?? new Topics({ limits: options.topics });
  let peers = 0;
  const count = (change: number) => onPeers?.(peers += change);
  const onEnd = () => count(-1);
  return (socket, info) => {
    const client = {};
    count(1);
    new Conversation({
      registry,
      transport: webSocketTransport(socket),
      software,
      home,
      relay: topics.name,
      admit: (key, via) => upstreams?.use(client, key, via),
      onVia: (key, via) => upstreams?.change(client, key, via),
      onLeave: (key) => upstreams?.leave(client, key),
      host: ownHost(info, hosts),
      topics,
      helloMs: HELLO_MS,
      timer,
      onEnd,
    });
  };
}
