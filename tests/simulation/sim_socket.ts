/** What a process sees of a connection: the part of a WebSocket that transports use. */

import type { Life } from "./life.ts";

type Listener = { handleEvent(event: Record<string, unknown>): void };

/** The other side of a socket: whoever carries its messages. */
export interface Wire {
  /** Takes a message to send. */
  send(data: string | Uint8Array): void;
  /** Takes the end. */
  close(code: number, reason: string): void;
  /** Bytes that are not on their way yet. */
  readonly waitingBytes: number;
}

/** One end of a connection. Passed off as a WebSocket by {@link asWebSocket}. */
export class SimSocket {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSED = 3;
  readonly life: Life;
  binaryType = "arraybuffer";
  readyState = 0;
  readonly #wire: Wire;
  readonly #listeners = new Map<string, Listener[]>();

  constructor(life: Life, wire: Wire) {
    this.life = life;
    this.#wire = wire;
  }

  /** What its process may use. */
  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }

  get bufferedAmount(): number {
    return this.#wire.waitingBytes;
  }

  addEventListener(name: string, listener: Listener): void {
    const listeners = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...listeners, listener]);
  }

  send(data: string | Uint8Array): void {
    if (this.readyState === this.OPEN) {
      this.#wire.send(typeof data === "string" ? data : data.slice());
    }
  }

  close(code = 1000, reason = ""): void {
    if (this.readyState === this.CLOSED) return;
    this.readyState = this.CLOSED;
    this.#wire.close(code, reason);
  }

  /** The connection is there. */
  opened(): void {
    if (this.readyState !== this.CONNECTING || this.life.isOver) return;
    this.readyState = this.OPEN;
    this.#tell("open", {});
  }

  /** A message has come. */
  receive(data: string | Uint8Array): void {
    if (this.readyState !== this.OPEN || this.life.isOver) return;
    this.#tell("message", { data: typeof data === "string" ? data : data.buffer });
  }

  /** The connection is gone. */
  closed(code: number, reason: string): void {
    if (this.readyState === this.CLOSED || this.life.isOver) return;
    this.readyState = this.CLOSED;
    if (reason === "failed") this.#tell("error", { message: "failed" });
    this.#tell("close", { code, reason });
  }

  #tell(name: string, event: Record<string, unknown>): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      listener.handleEvent({ type: name, ...event });
    }
  }
}
