/** A WebSocket, of a client or a server, as a transport. */

import type { Transport } from "./transport.ts";

/** The WebSocket subprotocol: its number is raised when messages change. */
export const SUBPROTOCOL = "streamo.1";

/** `socket`, open or about to be; messages sent before it is open wait for it. */
export function webSocketTransport(socket: WebSocket): Transport {
  socket.binaryType = "arraybuffer";
  const waiting: (string | Uint8Array<ArrayBuffer>)[] = [];
  let ended = false;
  const end = (reason: string) => {
    if (ended) return;
    ended = true;
    transport.onClose(reason);
  };
  const transport: Transport = {
    onMessage: () => {},
    onClose: () => {},
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send(data) {
      const message = data as string | Uint8Array<ArrayBuffer>;
      if (socket.readyState === socket.CONNECTING) waiting.push(message);
      else if (socket.readyState === socket.OPEN) socket.send(message);
    },
    close(code = 1000, reason = "") {
      // A reason has at most 123 bytes of UTF-8: RFC 6455 section 5.5.
      socket.close(code, reason.slice(0, 40));
      end(reason);
    },
  };
  socket.addEventListener("open", () => {
    for (const message of waiting.splice(0)) socket.send(message);
  });
  socket.addEventListener("message", ({ data }) => {
    if (ended) return;
    transport.onMessage(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
  });
  socket.addEventListener("close", ({ reason, code }) => end(reason || `closed with code ${code}`));
  socket.addEventListener("error", (event) => {
    // Deno puts its own words before the reason; browsers give none.
    const message = (event as ErrorEvent).message?.replace(/^.*WebSocket: /, "");
    end(message ? `connection failed: ${message}` : "connection failed");
  });
  return transport;
}
