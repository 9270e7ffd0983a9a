/**
 * Message ports as transports: between a page and a worker or a frame, and between tabs. A port does not
 * tell when the other side is gone: each end says so when it closes, and whoever can know of a crash by
 * other means (a Web Lock that is free again, a worker's `error`) says `gone`.
 */

import type { Transport } from "./transport.ts";

/**
 * What a transport needs of a `MessagePort`, or of a `BroadcastChannel` that only two have. (A `Worker` is
 * none: what it says before somebody listens is lost. Give it one end of a `MessageChannel`.)
 */
export interface Port {
  /** What is in `transfer` is handed over, not copied. A `BroadcastChannel` copies. */
  postMessage(message: unknown, transfer?: Transferable[]): void;
  /** Hears what comes. */
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent) => void): void;
  /** Lets messages come, where that is needed. */
  start?(): void;
  /** Gives the port up. */
  close(): void;
}

/** How a port is used. */
export interface PortOptions {
  /** Settles when the other side is known to be gone. */
  readonly gone?: Promise<unknown>;
}

/** Said by an end that closes. */
interface Goodbye {
  readonly end: string;
}

/** `port` as a transport. Nobody else may post to it. */
export function portTransport(port: Port, { gone }: PortOptions = {}): Transport {
  let ended = false;
  const end = (reason: string): void => {
    if (ended) return;
    ended = true;
    port.close();
    transport.onClose(reason);
  };
  const transport: Transport = {
    onMessage: () => {},
    onClose: () => {},
    // Ports do not tell; what is unacknowledged is bounded by the window of each channel.
    bufferedBytes: 0,
    send(data) {
      if (ended) return;
      if (typeof data === "string") return port.postMessage(data);
      // A view would be cloned with all of the buffer behind it, and one frame may go to many peers.
      const bytes = data.slice();
      port.postMessage(bytes, [bytes.buffer]);
    },
    close(_code, reason = "closed") {
      if (ended) return;
      port.postMessage({ end: reason } satisfies Goodbye);
      end(reason);
    },
  };
  port.addEventListener("message", ({ data }) => {
    if (ended) return;
    if (typeof data === "string" || data instanceof Uint8Array) transport.onMessage(data);
    else end(isGoodbye(data) ? data.end : "a message that is neither text nor bytes");
  });
  port.addEventListener("messageerror", () => end("a message that cannot be read"));
  const left = (): void => end("the other side is gone");
  gone?.then(left, left);
  port.start?.();
  return transport;
}

function isGoodbye(data: unknown): data is Goodbye {
  return typeof data === "object" && data !== null && "end" in data && typeof data.end === "string";
}
