/**
 * One connection: delivers whole messages in order, as a WebSocket does, as far as it delivers and nobody
 * mangles them. It may
 * break with messages on their way lost on one side or both, it may swallow everything and tell nobody,
 * and what it has taken may arrive long after one side has given it up.
 */

import type { Chance } from "./chance.ts";
import type { Life } from "./life.ts";
import type { Mangler } from "./mangler.ts";
import { SimSocket, type Wire } from "./sim_socket.ts";
import type { Timeline } from "./timeline.ts";

/** What a connection is made of. */
export interface ConnectionOptions {
  readonly timeline: Timeline;
  readonly chance: Chance;
  /** Names for the trace. */
  readonly name: string;
  readonly latencyMs: number;
  readonly bytesPerMs: number;
  /** Sees what either side sends; gives what is sent instead. */
  readonly mangler: Mangler | undefined;
  /** Sees what the answering side sends; gives what is sent instead. */
  readonly tamper?: (data: string | Uint8Array) => readonly (string | Uint8Array)[];
  readonly note: (who: string, what: string) => void;
}

/** Sides by number: 0 has asked for the connection, 1 has accepted it. */
type Side = 0 | 1;

/** An end that hears nothing for so long gives up, as servers do. */
const IDLE_MS = 120_000;

/** One way of a connection. */
class Way implements Wire {
  readonly #connection: Connection;
  readonly #from: Side;
  /** Number of the next message; those from `lostFrom` on do not arrive. */
  #sent = 0;
  lostFrom = Infinity;
  arrived = 0;
  #freeAt = 0;
  #lastArrival = 0;
  waitingBytes = 0;
  /** The most that ever waited. */
  peakBytes = 0;
  /** What has come this far, in order: held up while the way is blocked. */
  readonly #arrivals: (() => void)[] = [];
  readonly #mangle: ReturnType<Mangler["way"]> | undefined;

  constructor(connection: Connection, from: Side) {
    this.#connection = connection;
    this.#from = from;
    this.#mangle = connection.options.mangler?.way();
  }

  get sent(): number {
    return this.#sent;
  }

  send(data: string | Uint8Array): void {
    const { tamper } = this.#connection.options;
    for (const sent of this.#from === 1 && tamper ? tamper(data) : [data]) {
      for (const passed of this.#mangle?.(sent) ?? [sent]) this.#send(passed);
    }
  }

  #send(sent: string | Uint8Array): void {
    const { options } = this.#connection;
    const { timeline } = options;
    const bytes = sent.length;
    const number = this.#sent++;
    this.waitingBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.waitingBytes);
    this.#freeAt = Math.max(this.#freeAt, timeline.now) + bytes / options.bytesPerMs;
    timeline.after(this.#freeAt - timeline.now, () => this.waitingBytes -= bytes);
    const what = typeof sent === "string" ? sent.slice(0, 200) : `frame of ${bytes}`;
    this.#arrive(number, () => {
      this.arrived = number + 1;
      this.#connection.deliver(this.#to, sent, what);
    });
  }

  close(code: number, reason: string): void {
    const { options } = this.#connection;
    options.note(options.name, `side ${this.#from} closes: ${code} ${reason}`);
    this.#connection.onClosing(code, reason);
    this.#arrive(this.#sent++, () => this.#connection.end(this.#to, code, reason));
  }

  /** Tells the far side that the connection is gone, after what still comes. */
  breakOff(): void {
    this.#arrive(-1, () => this.#connection.end(this.#to, 1006, ""));
  }

  /** What was held up arrives now. */
  release(): void {
    if (this.#arrivals.length > 0) this.#hand();
  }

  /** One message a turn, as the platform does. */
  #hand(): void {
    if (this.#connection.isBlocked) return;
    this.#arrivals.shift()?.();
    if (this.#arrivals.length > 0) this.#connection.options.timeline.after(0, () => this.#hand());
  }

  get #to(): Side {
    return this.#from === 0 ? 1 : 0;
  }

  #arrive(number: number, work: () => void): void {
    const { timeline, chance, latencyMs } = this.#connection.options;
    const delay = chance.skewed(latencyMs / 2, latencyMs * 2);
    const arrival = Math.max(this.#freeAt, timeline.now) + delay;
    this.#lastArrival = Math.max(this.#lastArrival + 0.001, arrival);
    timeline.after(this.#lastArrival - timeline.now, () => {
      if (number >= this.lostFrom) return;
      if (this.#arrivals.push(work) === 1) this.#hand();
    });
  }
}

/** See the head of this file. */
export class Connection {
  readonly options: ConnectionOptions;
  readonly sockets: readonly [SimSocket, SimSocket];
  readonly #ways: readonly [Way, Way];
  readonly #onCode: (code: number, reason: string) => void;
  #isBlocked = false;
  #heardAt = 0;
  #isBroken = false;

  /** Not open yet; `onCode` hears with which codes its sides close it. */
  constructor(
    lives: readonly [Life, Life],
    options: ConnectionOptions,
    onCode: (code: number, reason: string) => void,
  ) {
    this.options = options;
    this.#onCode = onCode;
    this.#ways = [new Way(this, 0), new Way(this, 1)];
    this.sockets = [
      new SimSocket(lives[0], this.#ways[0]),
      new SimSocket(lives[1], this.#ways[1]),
    ];
  }

  /** Whether both of its ends have gone. */
  get isOver(): boolean {
    return this.sockets.every(({ readyState, life }) => readyState === 3 || life.isOver);
  }

  /** Whether what arrives waits. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether it was cut, or swallows what is sent. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** The most bytes that ever waited to be sent, on the side where most did. */
  get peakBytes(): number {
    return Math.max(...this.#ways.map(({ peakBytes }) => peakBytes));
  }

  /** Both ends are open from now on. */
  open(): void {
    // The answering side first: what the asking side says at once finds it listening.
    for (const side of [1, 0] as const) this.sockets[side].opened();
    this.#heardAt = this.options.timeline.now;
    this.#watch();
  }

  /** Holds up what arrives from now on, or lets it through. */
  block(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    if (!isBlocked) { for (const way of this.#ways) way.release(); }
  }

  /**
   * Breaks: of what is on its way in either direction some is lost, from one message on. Sides in
   * `told` hear of it.
   */
  break(told: readonly Side[]): void {
    this.#isBroken = true;
    for (const side of [0, 1] as const) {
      const way = this.#ways[side === 0 ? 1 : 0];
      way.lostFrom = Math.min(way.lostFrom, this.options.chance.integer(way.arrived, way.sent));
      if (told.includes(side)) way.breakOff();
    }
  }

  /** A message arrives. */
  deliver(side: Side, data: string | Uint8Array, what: string): void {
    const socket = this.sockets[side];
    if (socket.readyState !== 1 || socket.life.isOver) return;
    if (side === 1) this.#heardAt = this.options.timeline.now;
    this.options.note(this.options.name, `${side === 1 ? ">" : "<"} ${what}`);
    socket.receive(data);
  }

  /** The end arrives at one side. */
  end(side: Side, code: number, reason: string): void {
    this.sockets[side].closed(code, reason);
  }

  /** A side closes it. */
  onClosing(code: number, reason: string): void {
    this.#onCode(code, reason);
  }

  #watch(): void {
    const { timeline } = this.options;
    const socket = this.sockets[1];
    timeline.after(Math.max(1, this.#heardAt + IDLE_MS - timeline.now), () => {
      if (socket.readyState === 3 || socket.life.isOver) return;
      if (timeline.now - this.#heardAt < IDLE_MS) return this.#watch();
      this.break([]);
      socket.closed(1006, "nothing heard");
    });
  }
}
