/** A relay: a disk that stays, and processes that come and go. */

import { Registry } from "../../core/repo/registry.ts";
import { Conversation } from "../../core/sync/conversation.ts";
import { webSocketTransport } from "../../core/sync/websocket_transport.ts";
import type { Chance } from "./chance.ts";
import { Disk } from "./disk.ts";
import type { Liar } from "./liar.ts";
import { Life } from "./life.ts";
import type { Host } from "./network.ts";
import type { Scene } from "./scene.ts";
import type { SimSocket } from "./sim_socket.ts";

/** See the head of this file. */
export class Relay implements Host {
  readonly name: string;
  readonly disk: Disk;
  readonly chance: Chance;
  /** Lies to everybody who connects; undefined for an honest one. */
  readonly liar: Liar | undefined;
  life: Life | undefined;
  clockOffMs = 0;
  readonly #scene: Scene;
  #accept: (socket: SimSocket) => void = () => {};
  #starts = 0;

  constructor(scene: Scene, name: string, isSync: boolean, liar?: Liar) {
    this.#scene = scene;
    this.name = name;
    this.liar = liar;
    this.chance = scene.chance(name);
    const inspect: Disk["inspect"] = (key, blocks, next) =>
      scene.inspector.append(key, blocks, next);
    this.disk = new Disk(scene.timeline, this.chance, inspect, isSync);
    scene.network.add(this);
    scene.disks.set(name, this.disk);
  }

  /** What changes what the relay sends. */
  get tamper(): Host["tamper"] {
    return this.liar && ((socket) => this.liar!.on(socket));
  }

  /** Starts a process. */
  start(): void {
    if (this.life !== undefined) return;
    const { timeline, crypto } = this.#scene;
    const life = new Life(`${this.name}!${++this.#starts}`, timeline);
    this.life = life;
    const registry = new Registry({
      store: this.disk.open(life),
      crypto,
      clock: () => this.#scene.clockMs + this.clockOffMs,
      timer: life.timer,
    });
    this.#accept = (socket) => {
      new Conversation({
        registry,
        crypto,
        timer: life.timer,
        randomBytes: (length) => this.chance.bytes(length),
        transport: webSocketTransport(socket.asWebSocket),
        software: "simulation",
        host: this.name,
        admit: () => undefined,
      });
    };
    this.#scene.trace.note(this.name, "starts");
  }

  /** Holds a conversation over a socket of this process. */
  accept(socket: SimSocket): void {
    this.#accept(socket);
  }

  /** The process dies. */
  crash(): void {
    const { life } = this;
    if (life === undefined) return;
    this.#scene.trace.note(this.name, "crashes");
    life.end();
    this.life = undefined;
    this.#scene.network.died(life);
  }
}
