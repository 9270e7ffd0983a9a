/** Relays that feed from each other, over real sockets, with what they send each other counted. */

import type { Key } from "../../core/identity/key.ts";
import type { Signer } from "../../core/identity/signer.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import { Upstreams, type UpstreamsOptions } from "../../core/sync/upstreams.ts";
import { SUBPROTOCOL, webSocketTransport } from "../../core/sync/websocket_transport.ts";
import { createRelay } from "../../relay/app.ts";
import { serveSync } from "../../relay/sync.ts";
import { untilNews } from "./until_news.ts";

/** A relay with everything that a relay process has. */
export interface ChainRelay {
  readonly url: string;
  readonly port: number;
  readonly store: Store;
  readonly registry: Registry;
  readonly upstreams: Upstreams;
  /** Bytes of blocks sent, to whomever. */
  readonly sentBytes: () => number;
  get(path: string): Promise<Response>;
  stop(): Promise<void>;
}

/** How a {@link ChainRelay} is started. */
export interface ChainOptions extends Partial<Omit<UpstreamsOptions, "origins" | "registry">> {
  readonly store?: Store;
  /** A free one by default. */
  readonly port?: number;
}

/** Starts a relay that is fed from `origins`. */
export async function startChainRelay(
  origins: readonly string[] = [],
  { store = new MemoryStore(), port = 0, ...options }: ChainOptions = {},
): Promise<ChainRelay> {
  const registry = new Registry({ store });
  let sentBytes = 0;
  const count = (socket: WebSocket): WebSocket => {
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      if (typeof data !== "string") sentBytes += (data as Uint8Array).length;
      send(data);
    };
    return socket;
  };
  const upstreams = await Upstreams.open({
    registry,
    origins,
    session: {
      openTransport: (url) => webSocketTransport(count(new WebSocket(url, SUBPROTOCOL))),
    },
    ...options,
  });
  const serve = serveSync({ registry, upstreams });
  const relay = createRelay({
    registry,
    upstreams,
    onSocket: (socket, info) => serve(count(socket), info),
  });
  const server = Deno.serve({ port, hostname: "127.0.0.1", onListen: () => {} }, relay.fetch);
  const { port: own } = server.addr;
  return {
    url: `ws://127.0.0.1:${own}/sync`,
    port: own,
    store,
    registry,
    upstreams,
    sentBytes: () => sentBytes,
    get: (path) => fetch(`http://127.0.0.1:${own}${path}`),
    async stop() {
      upstreams.close();
      relay.close();
      await server.shutdown();
    },
  };
}

/** A device that follows one repo at a relay; with a signer, it writes. */
export interface ChainDevice {
  readonly repo: Repo;
  readonly session: Session;
  readonly rejected: string[];
  /** Resolves when `test` holds, looked at whenever something happens. */
  until(test: () => boolean): Promise<void>;
}

/** Connects a device. */
export async function joinChain(url: string, who: Signer | Key): Promise<ChainDevice> {
  const registry = new Registry({ store: new MemoryStore() });
  const isSigner = typeof who !== "string";
  const session = connect(registry, url, { signers: isSigner ? [who] : [] });
  const rejected: string[] = [];
  session.on("rejected", ({ code, message }) => rejected.push(`${code}: ${message}`));
  const repo = await session.subscribe(isSigner ? who.key : who);
  return {
    repo,
    session,
    rejected,
    until: (test) => untilNews([repo, session], test),
  };
}
