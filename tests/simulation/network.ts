/** Who can reach whom, and how well. */

import type { Chance } from "./chance.ts";
import { Connection } from "./connection.ts";
import type { Life } from "./life.ts";
import type { Mangler } from "./mangler.ts";
import type { SimSocket } from "./sim_socket.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** Somebody who takes connections. */
export interface Host {
  readonly name: string;
  /** The process that runs now; undefined while there is none. */
  readonly life: Life | undefined;
  readonly accept: (socket: SimSocket) => void;
  /** See {@link Connection}: a host that lies. */
  readonly tamper?: (
    socket: () => SimSocket,
  ) => (data: string | Uint8Array) => readonly (string | Uint8Array)[];
}

/** What a network is made of. */
export interface NetworkOptions {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly trace: Trace;
  /** Most milliseconds of one way. */
  readonly latencyMs: number;
  readonly bytesPerMs: number;
  readonly mangler: Mangler | undefined;
  /** Hears with which codes sides close connections. */
  readonly onCode: (who: string, code: number, reason: string) => void;
}

/** All connections of a run. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #hosts = new Map<string, Host>();
  #connections: { readonly from: string; readonly to: string; readonly wire: Connection }[] = [];
  /** Names on one side of the partition. */
  #island: ReadonlySet<string> = new Set();
  #count = 0;
  #peakBytes = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** The connections that are not over. */
  get connections(): readonly Connection[] {
    for (const { wire } of this.#connections) {
      this.#peakBytes = Math.max(this.#peakBytes, wire.peakBytes);
    }
    this.#connections = this.#connections.filter(({ wire }) => !wire.isOver);
    return this.#connections.map(({ wire }) => wire);
  }

  /** The most bytes that ever waited on one connection. */
  get peakBytes(): number {
    return Math.max(this.#peakBytes, ...this.connections.map((wire) => wire.peakBytes));
  }

  /** Makes a host known by its name. */
  add(host: Host): void {
    this.#hosts.set(host.name, host);
  }

  /** The socket of process `life` on device `from` to the host of `url`; open later, or never. */
  connect(from: string, life: Life, url: string): WebSocket {
    const { timeline, chance, trace, latencyMs, bytesPerMs, mangler, onCode } = this.#options;
    const to = new URL(url).hostname;
    const host = this.#hosts.get(to)!;
    const name = `${from}-${to}#${++this.#count}`;
    const wire: Connection = new Connection([life, host.life ?? life], {
      timeline,
      chance,
      name,
      latencyMs,
      bytesPerMs,
      mangler,
      note: (who, what) => trace.note(who, what),
      tamper: host.tamper?.(() => wire.sockets[1]),
    }, (code, reason) => onCode(name, code, reason));
    const accepted = host.life;
    this.#connections.push({ from, to, wire });
    wire.block(this.#isApart(from, to));
    life.after(chance.skewed(latencyMs, latencyMs * 3), () => {
      // Behind a partition nobody answers: whoever asks gives up by itself.
      if (wire.isBlocked) return;
      if (accepted === undefined || accepted.isOver || host.life !== accepted) {
        return wire.end(0, 1006, "failed");
      }
      trace.note(name, "open");
      host.accept(wire.sockets[1]);
      wire.open();
    });
    return wire.sockets[0].asWebSocket;
  }

  /** Cuts the named ones off from all others. What they have sent arrives when they are back. */
  partition(island: ReadonlySet<string>): void {
    this.#island = island;
    for (const { from, to, wire } of this.#connections) wire.block(this.#isApart(from, to));
  }

  /** A process has died: its connections break, and the other side may hear of it. */
  died(life: Life): void {
    for (const wire of this.connections) {
      const side = wire.sockets[0].life === life
        ? 1
        : wire.sockets[1].life === life
        ? 0
        : undefined;
      if (side === undefined) continue;
      wire.break(this.#options.chance.is(0.7) ? [side] : []);
    }
  }

  /** Breaks all connections, and both sides of each hear of it. */
  breakAll(): void {
    for (const wire of this.connections) wire.break([0, 1]);
  }

  /** Breaks one connection, if there is one. */
  breakOne(): void {
    const { chance, trace } = this.#options;
    const whole = this.connections.filter((wire) => !wire.isBroken);
    if (whole.length === 0) return;
    const wire = chance.of(whole);
    const told = chance.of([[0, 1], [0, 1], [0], [1], []] as const);
    trace.note(wire.options.name, `breaks, told: ${told}`);
    wire.break(told);
  }

  #isApart(from: string, to: string): boolean {
    return this.#island.has(from) !== this.#island.has(to);
  }
}
