/** Clients that do not keep to the rules: one that says anything, one that does not even read. */

import { concat } from "../../core/bytes.ts";
import type { Run } from "../../core/log/run.ts";
import { encodeFrame } from "../../core/sync/frame.ts";
import { decodeMessage, encodeMessage, type Message } from "../../core/sync/messages.ts";
import { type Heard, heardOf } from "./heard.ts";
import { hello } from "./hello.ts";
import { SUBPROTOCOL } from "../../core/sync/websocket_transport.ts";

/** A client over a real WebSocket. */
export interface RawClient {
  /** Everything that the relay has said. */
  readonly heard: Heard[];
  /** How the relay ended the connection; undefined while it is open. */
  readonly end: { readonly code: number; readonly reason: string } | undefined;
  send(data: Message | string | Uint8Array): void;
  sendRun(run: Run): void;
  /** Resolves when `test` holds, looked at whenever something is heard. */
  until(test: () => boolean): Promise<void>;
  /** Resolves to the next message of this type; those before it are forgotten. */
  next<Type extends Message["type"]>(type: Type): Promise<Extract<Message, { type: Type }>>;
  close(): Promise<void>;
}

/** The channel that {@link RawClient.sendRun} sends on. */
export const RAW_CHANNEL = 7;

/** Connects, and says hello unless `silent`. */
export async function rawClient(url: string, { silent = false } = {}): Promise<RawClient> {
  const socket = new WebSocket(url, SUBPROTOCOL);
  socket.binaryType = "arraybuffer";
  const looks = new Set<() => void>();
  const look = () => [...looks].forEach((one) => one());
  let end: RawClient["end"];
  const closed = new Promise<void>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => {
      end = { code, reason };
      look();
      resolve();
    });
  });
  const client: RawClient = {
    heard: [],
    get end() {
      return end;
    },
    send(data) {
      if (socket.readyState !== socket.OPEN) return;
      const isRaw = typeof data === "string" || data instanceof Uint8Array;
      socket.send(isRaw ? data as string : encodeMessage(data));
    },
    sendRun: (run) => client.send(encodeFrame(RAW_CHANNEL, run)),
    until: (test) =>
      new Promise((resolve) => {
        const one = () => {
          if (!test()) return;
          looks.delete(one);
          resolve();
        };
        looks.add(one);
        one();
      }),
    async next(type) {
      await client.until(() => client.heard.some((message) => message.type === type));
      const at = client.heard.findIndex((message) => message.type === type);
      return client.heard.splice(0, at + 1).at(-1) as never;
    },
    async close() {
      socket.close();
      await closed;
    },
  };
  socket.addEventListener("message", ({ data }) => {
    client.heard.push(heardOf(data));
    look();
  });
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  if (!silent) client.send(hello("raw"));
  return client;
}

/** A WebSocket on a bare TCP connection, which sends and does not read; asks for any `host`. */
export async function deafClient(port: number, host = "127.0.0.1"): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = [
    "GET /sync HTTP/1.1",
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
  ];
  await connection.write(new TextEncoder().encode(request.join("\r\n") + "\r\n\r\n"));
  // The answer's first bytes: from then on frames are understood.
  await connection.read(new Uint8Array(16));
  return connection;
}

/** A text frame as clients send it (RFC 6455 section 5.2), masked with zeros. */
export function textFrame(message: Message): Uint8Array {
  const text = new TextEncoder().encode(encodeMessage(message));
  const length = text.length < 126
    ? [0x80 | text.length]
    : [0x80 | 126, text.length >> 8, text.length & 0xff];
  return new Uint8Array([0x81, ...length, 0, 0, 0, 0, ...text]);
}

/** The messages on a bare connection: frames as servers send them, without a mask. */
export async function* textFrames(connection: Deno.TcpConn): AsyncGenerator<Message> {
  const chunk = new Uint8Array(65_536);
  let bytes = new Uint8Array();
  for (let isOpen = true; isOpen;) {
    const count = await connection.read(chunk);
    isOpen = count !== null;
    bytes = concat([bytes, chunk.subarray(0, count ?? 0)]);
    // The answer to the request, if it is still there, ends with an empty line.
    const head = bytes.indexOf(0x81);
    if (head > 0) bytes = bytes.slice(head);
    for (;;) {
      const isLong = bytes[1] === 126;
      const start = isLong ? 4 : 2;
      const length = isLong ? bytes[2] * 256 + bytes[3] : bytes[1];
      if (!(bytes.length >= start + length) || bytes[0] !== 0x81) break;
      yield decodeMessage(new TextDecoder().decode(bytes.subarray(start, start + length)));
      bytes = bytes.slice(start + length);
    }
  }
}

/** Reads what waits, answers the relay's close frame, and closes: then nothing of it is left there. */
export async function hangUp(connection: Deno.TcpConn): Promise<void> {
  const bytes = new Uint8Array(65_536);
  try {
    await connection.write(new Uint8Array([0x88, 0x80, 0, 0, 0, 0]));
    while (await connection.read(bytes) !== null) continue;
  } catch (error) {
    // The relay was faster.
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    if (!(error instanceof BrokenPipe || error instanceof ConnectionReset)) throw error;
  } finally {
    connection.close();
  }
}
