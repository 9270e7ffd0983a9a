/** Devices of one key on a local network: each finds the others and holds one connection with each. */

import type { Signer } from "../../core/identity/signer.ts";
import type { Registry } from "../../core/repo/registry.ts";
import { Conversation } from "../../core/sync/conversation.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import { webSocketTransport } from "../../core/sync/websocket_transport.ts";
import { dial } from "../../relay/dial.ts";
import { UsageError } from "../../relay/exit_codes.ts";
import { errorResponse } from "../../relay/http/errors.ts";
import { Sockets } from "../../relay/socket.ts";
import { HELLO_MS } from "../../relay/sync.ts";
import { messageOf } from "../news.ts";
import { Discovery } from "./discovery.ts";
import { lanSecret, sealedTransport } from "./sealed.ts";

/** Connections that others may open; strangers are sent away within seconds. */
const SOCKETS_MAX = 64;
/** The side that is not to connect does so if the other one has not in this time: a firewall, say. */
const TURN_MS = 5_000;

/** What a {@link Lan} needs. */
export interface LanOptions {
  readonly registry: Registry;
  readonly signer: Signer;
  /** Where to listen; 0 takes a free port. */
  readonly port: number;
  /** A session with another device begins. */
  readonly onSession: (session: Session) => void;
  /** Something to tell people. */
  readonly onNews: (line: string) => void;
}

/** Another device of the key. */
interface Peer {
  readonly name: string;
  /** Where it was heard, last heard last. */
  addresses: Set<string>;
  session: Session | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** See the head of this file. */
export class Lan implements AsyncDisposable {
  /** What this device is called here; another name after each start. */
  readonly name: string;
  readonly #options: LanOptions;
  readonly #secret: Uint8Array;
  readonly #sockets: Sockets;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #discovery: Discovery;
  readonly #peers = new Map<string, Peer>();
  /** Devices that have connected to this one. */
  readonly #guests = new Map<string, Conversation>();
  #isClosed = false;

  private constructor(options: LanOptions, secret: Uint8Array) {
    this.#options = options;
    this.#secret = secret;
    this.name = [...crypto.getRandomValues(new Uint8Array(8))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.#sockets = new Sockets((socket) => this.#serve(socket), SOCKETS_MAX);
    this.#server = listen(options.port, (request, info) => this.#answer(request, info));
    this.#discovery = new Discovery({
      secret,
      name: this.name,
      port: this.port,
      onFound: (name, address, port) => this.#found(name, `${address}:${port}`),
      onGone: (name) => this.#gone(name),
      onNone: (reason) => {
        options.onNews(`lan: no multicast on this network, so no device is found: ${reason}`);
      },
    });
  }

  /** Listens, announces this device and looks for others. UsageError if the port is not free. */
  static async open(options: LanOptions): Promise<Lan> {
    return new Lan(options, await lanSecret(options.signer));
  }

  /** Where it listens. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** Says goodbye and ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#discovery.close();
    for (const name of [...this.#peers.keys()]) this.#gone(name);
    this.#sockets.close();
    await this.#server.shutdown();
  }

  #answer(request: Request, info: Deno.ServeHandlerInfo): Response {
    try {
      if (new URL(request.url).pathname === "/sync") return this.#sockets.upgrade(request, info);
      return new Response("not here\n", { status: 404 });
    } catch (error) {
      return errorResponse(request, error);
    }
  }

  #serve(socket: WebSocket): void {
    const { registry, signer: { key } } = this.#options;
    let name: string | undefined;
    const conversation = new Conversation({
      registry,
      transport: sealedTransport(webSocketTransport(socket), this.#secret, false),
      software: "streamo cli",
      relay: this.name,
      helloMs: HELLO_MS,
      admit: (asked) => asked === key ? undefined : "refused",
      onHello: ({ relay }) => {
        name = relay;
        if (name === undefined) return;
        this.#guests.set(name, conversation);
        this.#options.onNews("lan: another device of this key has connected");
        // Both have connected to each other: the connection of the smaller name stays.
        if (name < this.name) this.#hangUp(name);
      },
      onEnd: () => {
        if (name === undefined || this.#guests.get(name) !== conversation) return;
        this.#guests.delete(name);
        if (this.#isClosed) return;
        this.#options.onNews("lan: a device that had connected is gone");
        this.#turn(name);
      },
    });
  }

  #found(name: string, address: string): void {
    let peer = this.#peers.get(name);
    if (peer === undefined) {
      peer = { name, addresses: new Set(), session: undefined, timer: undefined };
      this.#peers.set(name, peer);
      this.#options.onNews(`lan: found another device of this key at ${address}`);
    }
    peer.addresses.delete(address);
    peer.addresses.add(address);
    this.#turn(name);
  }

  /** Connects to a device, at once or later, unless there is a connection. */
  #turn(name: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined || peer.session !== undefined || peer.timer !== undefined) return;
    if (this.#guests.has(name)) return;
    peer.timer = setTimeout(() => {
      peer.timer = undefined;
      if (!this.#guests.has(name)) this.#call(peer);
    }, this.name < name ? 0 : TURN_MS);
  }

  #call(peer: Peer): void {
    const { registry, signer, onSession, onNews } = this.#options;
    const [first] = peer.addresses;
    const session = connect(registry, `ws://${first}/sync`, {
      signers: [signer],
      software: "streamo cli",
      relay: this.name,
      openTransport: () => {
        // Each try takes another address, the one that was heard last first.
        const address = [...peer.addresses].at(-1)!;
        peer.addresses.delete(address);
        peer.addresses = new Set([address, ...peer.addresses]);
        return sealedTransport(dial(`ws://${address}/sync`), this.#secret, true);
      },
    });
    peer.session = session;
    onSession(session);
    session.subscribe(signer.key).catch((error) => {
      if (session.status.state !== "closed") onNews(`lan: ${messageOf(error)}`);
    });
  }

  #hangUp(name: string): void {
    const peer = this.#peers.get(name);
    clearTimeout(peer?.timer);
    peer?.session?.close();
    if (peer !== undefined) peer.session = peer.timer = undefined;
  }

  #gone(name: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    if (peer.session !== undefined && !this.#isClosed) {
      this.#options.onNews(`lan: the device at ${peer.session.url} is gone`);
    }
    this.#hangUp(name);
    this.#peers.delete(name);
  }
}

function listen(
  port: number,
  answer: (request: Request, info: Deno.ServeHandlerInfo) => Response,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ port, hostname: "0.0.0.0", onListen: () => undefined }, answer);
  } catch (error) {
    throw new UsageError(`cannot listen for --lan on port ${port}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
