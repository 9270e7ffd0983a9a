/** Connections that count what goes through them. */

import { decodeListFrame } from "../../core/sync/lists.ts";
import { decodeMessage } from "../../core/sync/messages.ts";
import type { Transport } from "../../core/sync/transport.ts";
import { SUBPROTOCOL, webSocketTransport } from "../../core/sync/websocket_transport.ts";

/** What went through a client's WebSockets, both ways. */
export class Traffic {
  /** Bytes of all messages, with their headers (RFC 6455 section 5.2). */
  bytes = 0;
  /** How many there were of each kind: types of messages and of frames. */
  kinds: Record<string, number> = {};
  /** Opens WebSockets that count here. */
  readonly openTransport = (url: string): Transport => {
    const inner = webSocketTransport(new WebSocket(url, SUBPROTOCOL));
    const outer: Transport = {
      send: (data) => {
        // What clients send has a mask.
        this.#count(data, 4);
        this.sent++;
        inner.send(data);
      },
      get bufferedBytes() {
        return inner.bufferedBytes;
      },
      close: (code, reason) => inner.close(code, reason),
      onMessage: () => {},
      onClose: () => {},
    };
    inner.onMessage = (data) => {
      this.#count(data, 0);
      outer.onMessage(data);
    };
    inner.onClose = (reason) => outer.onClose(reason);
    this.drop = () => inner.close(4000, "broken");
    return outer;
  };

  /** How many messages the client has sent, ever. */
  sent = 0;
  /** Breaks the connection that was opened last. */
  drop: () => void = () => {};
  readonly #looks = new Set<() => void>();

  /** Resolves when `test` holds, looked at after every message. */
  until(test: (kinds: Traffic["kinds"]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!test(this.kinds)) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  /** Begins anew. */
  clear(): void {
    this.bytes = 0;
    this.kinds = {};
  }

  #count(data: string | Uint8Array, maskBytes: number): void {
    const kind = typeof data === "string"
      ? decodeMessage(data).type
      : decodeListFrame(data)?.type ?? "blocks";
    this.kinds[kind] = (this.kinds[kind] ?? 0) + 1;
    this.bytes += headerBytes(data.length) + maskBytes + data.length;
    for (const look of this.#looks) look();
  }
}

function headerBytes(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}
