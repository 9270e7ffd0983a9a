/** Relays that do not keep to the rules: one between a client and a true relay, one from a script. */

import type { Run } from "../../core/log/run.ts";
import { encodeFrame } from "../../core/sync/frame.ts";
import { encodeMessage, type Message } from "../../core/sync/messages.ts";
import { SUBPROTOCOL } from "../../core/sync/websocket_transport.ts";
import { type Heard, heardOf } from "./heard.ts";
import { hello } from "./hello.ts";

/** What goes over a connection. */
export type Data = string | Uint8Array;

/** Gives what is passed on instead of `data`. */
export type Tamper = (data: Data) => Data | readonly Data[];

/** Stands between clients and a relay. */
export interface Proxy {
  readonly url: string;
  /** What happens to everything that the relay sends. */
  tamper: Tamper;
  /** Breaks all connections. */
  drop(): void;
  stop(): Promise<void>;
}

/** Starts a proxy in front of the relay at `url`. */
export function startProxy(url: string): Proxy {
  const sockets = new Set<WebSocket>();
  const open = (client: WebSocket) => {
    const relay = new WebSocket(url, SUBPROTOCOL);
    const waiting: Data[] = [];
    for (const socket of [client, relay]) {
      socket.binaryType = "arraybuffer";
      sockets.add(socket);
      socket.addEventListener("close", () => {
        sockets.delete(socket);
        client.close();
        relay.close();
      });
    }
    client.addEventListener("message", ({ data }) => {
      if (relay.readyState === relay.CONNECTING) waiting.push(data);
      else if (relay.readyState === relay.OPEN) relay.send(data);
    });
    relay.addEventListener("open", () => waiting.forEach((data) => relay.send(data as string)));
    relay.addEventListener("message", ({ data }) => {
      const changed = proxy.tamper(typeof data === "string" ? data : new Uint8Array(data));
      for (const part of Array.isArray(changed) ? changed : [changed]) {
        if (client.readyState === client.OPEN) client.send(part);
      }
    });
  };
  const server = serve(open);
  const proxy: Proxy = {
    url: server.url,
    tamper: (data) => data,
    drop: () => sockets.forEach((socket) => socket.close()),
    async stop() {
      proxy.drop();
      await server.stop();
    },
  };
  return proxy;
}

/** One client of a {@link startScript} relay. */
export interface Caller {
  /** Everything that it has sent. */
  readonly heard: Heard[];
  send(data: Message | Data): void;
  sendRun(channel: number, run: Run): void;
}

/** What a scripted relay says to everything that it hears; it says hello by itself. */
export type Script = (heard: Caller["heard"][number], caller: Caller) => void;

/** A relay that says what a script says. */
export interface ScriptedRelay {
  readonly url: string;
  script: Script;
  readonly callers: Caller[];
  /** Resolves when `test` holds, looked at whenever something is heard. */
  until(test: () => boolean): Promise<void>;
  drop(): void;
  stop(): Promise<void>;
}

/** Starts a relay that follows `script`. */
export function startScript(script: Script): ScriptedRelay {
  const sockets = new Set<WebSocket>();
  const server = serve((socket) => {
    socket.binaryType = "arraybuffer";
    sockets.add(socket);
    const send = (data: Data) => {
      if (socket.readyState === socket.OPEN) socket.send(data as string);
    };
    const caller: Caller = {
      heard: [],
      send: (data) =>
        send(typeof data === "string" || data instanceof Uint8Array ? data : encodeMessage(data)),
      sendRun: (channel, run) => send(encodeFrame(channel, run)),
    };
    relay.callers.push(caller);
    socket.addEventListener(
      "open",
      () => caller.send(hello("script")),
    );
    socket.addEventListener("message", ({ data }) => {
      const heard = heardOf(data);
      caller.heard.push(heard);
      relay.script(heard, caller);
      for (const look of looks) look();
    });
    socket.addEventListener("close", () => {
      sockets.delete(socket);
      for (const look of looks) look();
    });
  });
  const looks = new Set<() => void>();
  const until = (test: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!test()) return;
        looks.delete(look);
        resolve();
      };
      looks.add(look);
      look();
    });
  const relay: ScriptedRelay = {
    url: server.url,
    script,
    callers: [],
    until,
    drop: () => sockets.forEach((socket) => socket.close()),
    async stop() {
      relay.drop();
      await until(() => sockets.size === 0);
      await server.stop();
    },
  };
  return relay;
}

function serve(open: (socket: WebSocket) => void): { url: string; stop(): Promise<void> } {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
      open(socket);
      return response;
    },
  );
  const { port } = server.addr as Deno.NetAddr;
  return { url: `ws://127.0.0.1:${port}/sync`, stop: () => server.shutdown() };
}
