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
  const socket = new WebSocketClient(url, [SUBPROTOCOL], { perMessageDeflate: false });
  return webSocketTransport(socket as unknown as WebSocket);
}
