/** A WebSocket, of a client or a server, as a transport. */

import type { Transport } from "./transport.ts";

/** The WebSocket subprotocol: its number is raised when messages change. */
export const SUBPROTOCOL = "streamo.1";

/** `socket`, open or about to be; messages sent before it is open wait for it. */
export function webSocketTransport(socket: WebSocket): Transport {
  return new WebSocketTransport(socket);
}

function ignore(): void {}

/** Listens itself: relays hold many that are idle, and a closure for each event of each is not nothing. */
class WebSocketTransport implements Transport {
  onMessage: Transport["onMessage"] = ignore;
  onClose: Transport["onClose"] = ignore;
  readonly #socket: WebSocket;
  #waiting: (string | Uint8Array<ArrayBuffer>)[] | undefined;
  #hasEnded = false;

  constructor(socket: WebSocket) {
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", this, { once: true });
    for (const event of ["message", "close", "error"]) socket.addEventListener(event, this);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: string | Uint8Array): void {
    const message = data as string | Uint8Array<ArrayBuffer>;
    const { readyState, CONNECTING, OPEN } = this.#socket;
    if (readyState === CONNECTING) (this.#waiting ??= []).push(message);
    else if (readyState === OPEN) this.#socket.send(message);
  }

  close(code = 1000, reason = ""): void {
    // A reason has at most 123 bytes of UTF-8: RFC 6455 section 5.5.
    this.#socket.close(code, reason.slice(0, 40));
    this.#end(reason);
  }

  /** Called by the socket. */
  handleEvent(event: Event): void {
    if (event.type === "message") return this.#onData((event as MessageEvent).data);
    if (event.type === "open") return this.#onOpen();
    if (event.type === "close") {
      const { reason, code } = event as CloseEvent;
      return this.#end(reason || `closed with code ${code}`);
    }
    // Deno puts its own words before the reason; browsers give none.
    const message = (event as ErrorEvent).message?.replace(/^.*WebSocket: /, "");
    this.#end(message ? `connection failed: ${message}` : "connection failed");
  }

  #onOpen(): void {
    for (const message of this.#waiting ?? []) this.#socket.send(message);
    this.#waiting = undefined;
  }

  #onData(data: string | ArrayBuffer): void {
    if (!this.#hasEnded) this.onMessage(typeof data === "string" ? data : new Uint8Array(data));
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.onClose(reason);
  }
}
