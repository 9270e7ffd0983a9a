/** `/sync`: takes WebSockets and hands them to whoever speaks the protocol. */

import { StreamoError } from "../core/errors.ts";
import { faultResponse } from "./http/errors.ts";

/** The WebSocket subprotocol. */
export const SUBPROTOCOL = "streamo.1";
/** Close code for a relay that goes away and comes back. */
const SERVICE_RESTART = 1012;

/** Where a socket came from. */
export interface SocketInfo {
  /** Host name and port that the client asked for: what its `auth` is bound to. */
  readonly host: string;
  /** The web page's origin; undefined for programs. */
  readonly origin: string | undefined;
  /** The peer's IP address, as far as the platform knows it. */
  readonly address: string | undefined;
  /** Aborts when the relay closes. */
  readonly signal: AbortSignal;
}

/** Takes over a socket, which is not open yet: listen for `open`. */
export type OnSocket = (socket: WebSocket, info: SocketInfo) => void;

/** The open sockets of a relay. */
export class Sockets {
  readonly #onSocket: OnSocket | undefined;
  readonly #maxSockets: number;
  readonly #open = new Set<WebSocket>();
  readonly #closing = new AbortController();
  readonly #onClose = ({ target }: Event): void => void this.#open.delete(target as WebSocket);

  /** Without `onSocket`, `/sync` answers `unsupported`. */
  constructor(onSocket: OnSocket | undefined, maxSockets: number) {
    this.#onSocket = onSocket;
    this.#maxSockets = maxSockets;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Answers a request for `/sync`. */
  upgrade(request: Request, info?: Deno.ServeHandlerInfo): Response {
    const onSocket = this.#onSocket;
    if (onSocket === undefined) {
      throw new StreamoError("unsupported", "this relay does not sync");
    }
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      const headers = { upgrade: "websocket", connection: "upgrade" };
      return faultResponse(request, 426, "unsupported", "/sync takes WebSockets only", headers);
    }
    const offered = request.headers.get("sec-websocket-protocol")?.split(",") ?? [];
    if (!offered.some((name) => name.trim() === SUBPROTOCOL)) {
      const message = `/sync speaks the WebSocket subprotocol "${SUBPROTOCOL}" only`;
      return faultResponse(request, 400, "unsupported", message);
    }
    if (this.#closing.signal.aborted) {
      throw new StreamoError("closed", "this relay is shutting down; connect again");
    }
    if (this.#open.size >= this.#maxSockets) {
      throw new StreamoError("refused", `this relay has ${this.#maxSockets} connections already`);
    }
    // Taken now: after the upgrade the request cannot be read any more.
    const socketInfo = {
      host: new URL(request.url).host,
      origin: request.headers.get("origin") ?? undefined,
      address: addressOf(info),
      signal: this.#closing.signal,
    };
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
    this.#open.add(socket);
    socket.addEventListener("close", this.#onClose);
    onSocket(socket, socketInfo);
    return response;
  }

  /** Closes every socket with 1012, which tells clients to connect again. */
  close(): void {
    this.#closing.abort();
    for (const socket of this.#open) {
      const close = (): void => socket.close(SERVICE_RESTART, "restarting");
      if (socket.readyState === WebSocket.CONNECTING) socket.addEventListener("open", close);
      else if (socket.readyState === WebSocket.OPEN) close();
    }
  }
}

function addressOf(info: Deno.ServeHandlerInfo | undefined): string | undefined {
  const address = info?.remoteAddr;
  return address !== undefined && "hostname" in address ? address.hostname : undefined;
}
