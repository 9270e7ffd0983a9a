/** Multicast DNS on every interface of this machine, also on those that come later. */

import { networkInterfaces } from "node:os";
import multicastDns from "multicast-dns";
import type { DnsRecord } from "./announcement.ts";

/** New interfaces are looked for this often. */
const LOOK_MS = 10_000;

/** The part of `multicast-dns` that is used; it brings no types. */
interface Socket {
  on(name: "ready", listener: () => void): void;
  on(name: "error" | "warning", listener: (error: Error) => void): void;
  on(name: "query" | "response", listener: (packet: Packet, from: Sender) => void): void;
  query(questions: readonly DnsRecord[], done: (error?: Error | null) => void): void;
  respond(answers: readonly DnsRecord[], done: (error?: Error | null) => void): void;
  destroy(done: () => void): void;
}

interface Packet {
  readonly questions?: readonly DnsRecord[];
  readonly answers?: readonly DnsRecord[];
  readonly additionals?: readonly DnsRecord[];
}

interface Sender {
  readonly address: string;
}

/** Who hears what. */
export interface MulticastEvents {
  /** Somebody asks. */
  readonly onQuery: (questions: readonly DnsRecord[]) => void;
  /** Somebody answers, or announces. */
  readonly onRecords: (records: readonly DnsRecord[], address: string) => void;
  /** It works on an interface more; there it is to be announced. */
  readonly onInterface: () => void;
  /** It does not work on any interface. Called once. */
  readonly onNone: (reason: string) => void;
}

/** The IPv4 addresses of this machine. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.filter(({ family }) => family === "IPv4").map(({ address }) => address);
}

const open = multicastDns as (options: object) => Socket;

/** A socket for each IPv4 interface: what is sent from one leaves by that one. */
export class Multicast {
  readonly #events: MulticastEvents;
  readonly #addresses: () => readonly string[];
  readonly #sockets = new Map<string, Socket>();
  readonly #failed = new Map<string, string>();
  readonly #interval: ReturnType<typeof setInterval>;
  #isTold = false;

  /** Opens what there is; `addresses`: those of this machine. */
  constructor(events: MulticastEvents, addresses: () => readonly string[] = ownAddresses) {
    this.#events = events;
    this.#addresses = addresses;
    this.#interval = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  /** Asks on all interfaces. */
  query(name: string): void {
    for (const [address, socket] of this.#sockets) {
      socket.query([{ name, type: "PTR" }], (error) => this.#sent(address, error));
    }
  }

  /** Tells on all interfaces. */
  respond(records: readonly DnsRecord[]): Promise<unknown> {
    const sent = [...this.#sockets].map(([address, socket]) =>
      new Promise<void>((resolve) =>
        socket.respond(records, (error) => {
          this.#sent(address, error);
          resolve();
        })
      )
    );
    return Promise.all(sent);
  }

  /** Closes all sockets. */
  async close(): Promise<void> {
    clearInterval(this.#interval);
    this.#isTold = true;
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.destroy(done))));
  }

  #look(): void {
    const here = new Set(this.#addresses());
    for (const [address, socket] of this.#sockets) {
      if (here.has(address)) continue;
      this.#sockets.delete(address);
      socket.destroy(() => undefined);
    }
    for (const address of here) if (!this.#sockets.has(address)) this.#open(address);
    if (here.size === 0) this.#none("there is no network interface");
  }

  #open(address: string): void {
    const socket = open({ interface: address, bind: "0.0.0.0" });
    this.#sockets.set(address, socket);
    // One socket hears what came by other interfaces too: saying it twice does no harm.
    socket.on("query", ({ questions = [] }) => this.#events.onQuery(questions));
    socket.on("response", ({ answers = [], additionals = [] }, from) => {
      this.#events.onRecords([...answers, ...additionals], from.address);
    });
    socket.on("ready", () => this.#events.onInterface());
    // What others send is not always a packet: that is a warning, and no fault of this interface.
    socket.on("warning", () => undefined);
    socket.on("error", (error) => this.#sent(address, error));
  }

  /** An interface on which nothing can be sent is one without multicast. */
  #sent(address: string, error: Error | null | undefined): void {
    if (!error) return void this.#failed.delete(address);
    this.#failed.set(address, error.message);
    if ([...this.#sockets.keys()].every((address) => this.#failed.has(address))) {
      this.#none(error.message);
    }
  }

  #none(reason: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#events.onNone(reason);
  }
}
