/**
 * Connections to relays from a process. Deno's own WebSocket client leaves Nagle's algorithm on and writes
 * the header of a message alone: what has more than 1 KiB waits 40 ms for the receiver's delayed
 * acknowledgement (Deno 2.9.6). The `ws` package turns it off, as browsers do.
 */

import WebSocketClient from "ws";
import type { Transport } from "../core/sync/transport.ts";
import { SUBPROTOCOL, webSocketTransport } from "../core/sync/websocket_transport.ts";

/** For `openTransport` of a session: connects to the WebSocket at `url` without delays. */
export function dial(url: string): Transport {
  const options = {
    perMessageDeflate: false,
    generateMask: isSeenOnTheWay(url) ? undefined : noMask,
  };
  const socket = new WebSocketClient(url, [SUBPROTOCOL], options);
  return webSocketTransport(socket as unknown as WebSocket);
}

/**
 * Whether somebody between here and the relay sees the bytes. Masks keep a proxy that does not know WebSockets from
 * taking what is sent for requests (RFC 6455 section 10.3), and cost half of a large upload: under TLS,
 * and on this machine, there is no such proxy.
 */
function isSeenOnTheWay(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== "wss:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** A mask of zeros, as it comes, changes nothing: `ws` then sends the bytes as they are, without a copy. */
function noMask(): void {}
