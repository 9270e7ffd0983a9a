/** A device: a disk that stays, and processes that come and go, each with a registry and sessions. */

import type { Key } from "../../core/identity/key.ts";
import { Signer } from "../../core/identity/signer.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import { webSocketTransport } from "../../core/sync/websocket_transport.ts";
import type { Chance } from "./chance.ts";
import { Disk } from "./disk.ts";
import { Guard } from "./guard.ts";
import { Life } from "./life.ts";
import type { Author, Scene } from "./scene.ts";
import { Shown } from "./shown.ts";
import type { Write } from "./truth.ts";

/** Codes that blame the other side: never among honest peers. */
const BLAMING = new Set(["malformed", "bad_signature", "bad_block", "wrong_key", "too_large"]);

/** How a device is set up. */
export interface DeviceOptions {
  readonly name: string;
  /** Who writes on it; undefined for one that only reads. */
  readonly author: Author | undefined;
  /** Names of the relays that it knows. */
  readonly relays: readonly string[];
  readonly isSync: boolean;
  /** Whether it may compact its log: of devices that do so at once some writes may lose (DECISIONS 30). */
  readonly isCompacting: boolean;
  /** Whether what relays say may not be so, or not come as they have said it. */
  readonly isDeceived: boolean;
}

/** See the head of this file. */
export class Device {
  readonly name: string;
  readonly options: DeviceOptions;
  readonly disk: Disk;
  readonly chance: Chance;
  readonly #scene: Scene;
  life: Life | undefined;
  /** The disk is gone too. */
  isLost = false;
  /** How far the clock is off, in milliseconds. */
  clockOffMs = 0;
  sessions: Session[] = [];
  readonly repos = new Map<Key, Repo>();
  /** Work that goes on: reading from a slow disk may hold it up. */
  pending = 0;
  /** Compactions that are going on. */
  compactions = 0;
  /** How many writes were made before this process. */
  #writesBefore = 0;
  #starts = 0;

  constructor(scene: Scene, options: DeviceOptions) {
    this.#scene = scene;
    this.name = options.name;
    this.options = options;
    this.chance = scene.chance(options.name);
    const inspect: Disk["inspect"] = (key, blocks, next) =>
      scene.inspector.append(key, blocks, next);
    this.disk = new Disk(scene.timeline, this.chance, inspect, options.isSync);
  }

  /** Starts a process. */
  start(): void {
    if (this.isLost || this.life !== undefined) return;
    const { author, relays } = this.options;
    const { timeline, crypto, network } = this.#scene;
    const life = new Life(`${this.name}!${++this.#starts}`, timeline);
    this.life = life;
    this.#writesBefore = author?.truth.count(this.name) ?? 0;
    const guard = author && new Guard(author.signingKey, (what) => this.#fault(what));
    const signer = author && guard && new Signer(author.name, guard);
    const registry = new Registry({
      store: this.disk.open(life, (key, { head }) => {
        if (key === author?.key && head !== undefined) guard?.stored(head);
      }),
      crypto,
      clock: () => this.#scene.clockMs + this.clockOffMs,
      timer: life.timer,
    });
    this.sessions = relays.map((relay) =>
      connect(registry, `ws://${relay}/sync`, {
        signers: signer ? [signer] : [],
        timer: life.timer,
        random: () => this.chance.fraction(),
        randomBytes: (length) => this.chance.bytes(length),
        openTransport: (url) => webSocketTransport(network.connect(this.name, life, url)),
      })
    );
    for (const session of this.sessions) this.#listen(session);
    for (const { key } of this.#scene.authors) this.#subscribe(life, key, guard);
    this.note("starts");
  }

  /** The process dies. */
  crash(): void {
    const { life } = this;
    if (life === undefined) return;
    this.note("crashes");
    life.end();
    this.#scene.network.died(life);
    this.#forget();
  }

  /** The process ends in good order, when everything written is durable. */
  async close(): Promise<void> {
    const { life } = this;
    if (life === undefined) return;
    await this.flush();
    if (this.life !== life) return;
    this.note("closes");
    for (const session of this.sessions) session.close();
    life.end();
    this.#forget();
  }

  /** The device and all that is on it are gone. */
  lose(): void {
    this.crash();
    this.isLost = true;
    this.note("is lost");
  }

  /** The repo that is written here, if it is open. */
  get own(): Repo | undefined {
    const { author } = this.options;
    return author && this.repos.get(author.key);
  }

  /** Makes durable what was written here. */
  async flush(): Promise<void> {
    const { own, options: { author } } = this;
    if (own === undefined || author === undefined) return;
    const held = author.truth.held(this.name, this.#writesBefore);
    try {
      await own.flush();
      for (const standing of held) standing.isDurable = true;
    } catch (error) {
      this.#scene.expected(this.name, "flush", error);
    }
  }

  /** Waits until one relay says that it has everything. */
  async land(session: Session): Promise<void> {
    const { own, options: { author } } = this;
    if (own === undefined || author === undefined) return;
    const held = author.truth.held(this.name, this.#writesBefore);
    try {
      await session.landed(own);
      await this.#checkLanded(session, own);
      for (const standing of held) standing.isSecured = standing.isDurable = true;
      this.note(`landed ${held.length} writes`);
    } catch (error) {
      this.#scene.expected(this.name, "landed", error);
    }
  }

  /** Something was written here. */
  wrote(writes: readonly Write[]): void {
    for (const { id, kind, place } of writes) {
      this.note(`writes ${id} ${kind} ${place}`);
    }
  }

  /** Something that was tried here did not work. */
  failed(what: string, error: unknown): void {
    this.#scene.expected(this.name, what, error);
  }

  /** Notes what happens here. */
  note(what: string): void {
    this.#scene.trace.note(this.name, what);
  }

  #forget(): void {
    // How far a compaction got that was cut off is not known.
    if (this.compactions > 0) {
      this.options.author?.truth.forgetBefore(this.name, Infinity, new Set());
    }
    this.compactions = this.pending = 0;
    this.life = undefined;
    this.sessions = [];
    this.repos.clear();
  }

  /** What an honest relay has acknowledged is on its disk in that very moment. */
  async #checkLanded({ url, status }: Session, { key, log }: Repo): Promise<void> {
    const acked = status.repos.find((repo) => repo.key === key)?.acked ?? 0;
    if (acked === 0 || this.options.isDeceived) return;
    const disk = this.#scene.disks.get(new URL(url).hostname)!;
    const held = await disk.kept.head(key);
    // Another device has gone over to a later epoch since, with all that was acknowledged.
    if (held !== undefined && held.epoch > log.epoch) return;
    if (held === undefined || held.length < acked) {
      this.#fault(`${acked} blocks have landed where ${held?.length ?? 0} are`);
    }
  }

  #fault(what: string): void {
    this.#scene.fault(this.name, what);
  }

  #listen(session: Session): void {
    session.on("rejected", ({ code, message }) => {
      const isBlame = BLAMING.has(code) && !this.options.isDeceived;
      if (isBlame) this.#fault(`an honest relay is blamed: ${code}: ${message}`);
      else this.note(`rejected: ${code}: ${message}`);
    });
  }

  async #subscribe(life: Life, key: Key, guard: Guard | undefined): Promise<void> {
    try {
      const repos = await Promise.all(this.sessions.map((session) => session.subscribe(key)));
      if (life.isOver) return;
      const repo = repos[0];
      this.repos.set(key, repo);
      this.#follow(repo, guard);
    } catch (error) {
      this.#scene.expected(this.name, "subscribe", error);
    }
  }

  #follow(repo: Repo, guard: Guard | undefined): void {
    const { truth } = this.#scene.authors.find(({ key }) => key === repo.key)!;
    const shown = new Shown(truth);
    const { life } = this;
    repo.on("failed", (error) => {
      this.#scene.expected(this.name, "failed", error);
      life?.after(this.chance.integer(500, 5000), () => this.flush());
    });
    repo.on("error", (error) => this.#scene.uncaught(this.name, error));
    if (repo.signer !== undefined) {
      repo.on("replaced", ({ sharedBytes }) => {
        this.note(`goes on from another log, after ${sharedBytes} bytes`);
        guard?.replaced();
      });
    }
    repo.on("change", ({ isLocal }) => {
      if (!isLocal) this.#check(repo, shown);
    });
    this.#check(repo, shown);
  }

  async #check(repo: Repo, shown: Shown): Promise<void> {
    try {
      const { snapshot } = repo;
      for (const fault of shown.faults(await repo.read(() => snapshot.get()))) this.#fault(fault);
      const events = await repo.read(() => repo.events({ last: 10 }));
      const values = events.map(({ value }) => value);
      for (const fault of shown.eventFaults(values)) this.#fault(fault);
    } catch (error) {
      // The log may be replaced while it is read.
      this.#scene.expected(this.name, "reading", error);
    }
  }
}
