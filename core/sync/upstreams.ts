/**
 * Relays that this process stays connected to: logs that somebody uses here are asked for there, what is
 * written here goes there, and what they have comes here.
 *
 * Relays may feed from each other in circles. Each says in `open` by way of which relays it asks; nobody
 * asks a relay on whose behalf it would ask. So what nobody but relays uses is let go everywhere.
 */

import type { Code } from "../errors.ts";
import { throwUncaught } from "../events.ts";
import type { Key } from "../identity/key.ts";
import { type Random, systemRandom, systemTimer, type Timer } from "../platform.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import { Serial } from "../serial.ts";
import { connect, type Session } from "./session.ts";
import type { SessionOptions } from "./session_options.ts";
import type { TopicLimits } from "./topic_limits.ts";
import { Topics } from "./topics.ts";
import { leavesTo, VIA_MAX, wayTo } from "./via.ts";

/** Logs that are asked for upstream at a time: what one connection may follow. */
const KEYS_MAX = 10_000;
/** Nobody waits longer for what a relay has. */
const WAIT_MS = 3_000;
/** A log that nobody uses is let go after so long: who comes back soon has what is new at once. */
const IDLE_MS = 60_000;
/** A relay that lied about a log is asked again after so long. */
const BREACH_MS = 60_000;

/** What {@link Upstreams} are made of; only the first two have no default. */
export interface UpstreamsOptions {
  /** The repos of this process. */
  readonly registry: Registry;
  /** The relays: addresses. */
  readonly origins: readonly string[];
  /** Logs that are always followed. */
  readonly feeds?: readonly Key[];
  /** How the sessions are held. */
  readonly session?: Omit<SessionOptions, "relay" | "topics" | "timer">;
  /** What the topics of this process take. */
  readonly topics?: Partial<TopicLimits>;
  /** Logs that are asked for at a time; 10,000 by default. */
  readonly maxKeys?: number;
  /** Milliseconds that a log nobody uses is still followed; 60,000 by default. */
  readonly idleMs?: number;
  /** Hears of a log that cannot be followed because it does not open; uncaught by default. */
  readonly onError?: (error: unknown) => void;
  /** The platform's timer by default. */
  readonly timer?: Timer;
  /** Makes this process's name; the platform's by default. */
  readonly random?: Random;
}

interface Use {
  /** Who uses the log, and by way of which relays. */
  readonly users: Map<object, readonly string[]>;
  readonly serial: Serial;
  /** Relays that lied about it. */
  readonly liars: Set<Session>;
  /** Resolves when the relays have answered. */
  readonly answered: PromiseWithResolvers<void>;
  repo: Repo | undefined;
  stopIdle: () => void;
}

/** See the head of this file. */
export class Upstreams {
  /** What this process is called in `via`; another one after each start. */
  readonly name: string;
  /** What is said under topics here, and goes there and comes from there. */
  readonly topics: Topics;
  /** One for each relay. */
  readonly sessions: readonly Session[];
  readonly #options: UpstreamsOptions;
  readonly #timer: Timer;
  /** In the order in which they began to be idle, as far as they are. */
  readonly #uses = new Map<Key, Use>();
  readonly #stops = new Set<() => void>();
  #isClosed = false;

  private constructor(options: UpstreamsOptions) {
    const { random = systemRandom, timer = systemTimer, registry, origins } = options;
    this.#options = options;
    this.#timer = timer;
    this.topics = new Topics({ random, timer, limits: options.topics });
    this.name = this.topics.name;
    const session = { ...options.session, timer, relay: this.name, topics: this.topics };
    this.sessions = origins.map((url) => connect(registry, url, session));
    for (const session of this.sessions) this.#listen(session);
  }

  /** Starts to connect, and to follow the feeds. */
  static async open(options: UpstreamsOptions): Promise<Upstreams> {
    const upstreams = new Upstreams(options);
    const opening = (options.feeds ?? []).map((key) => upstreams.#start(upstreams, key, []));
    await Promise.all(opening);
    return upstreams;
  }

  /** How many logs are asked for. */
  get size(): number {
    return this.#uses.size;
  }

  /**
   * `user` uses a log, for others by way of the relays `via` (as before if these are not given), until {@link leave}. Resolves when the relays
   * that can be reached have told what they have, soon in any case; with a code if they will not be asked.
   */
  async use(user: object, key: Key, via?: readonly string[]): Promise<Code | undefined> {
    if (this.sessions.length === 0 || this.#isClosed) return undefined;
    via ??= this.#uses.get(key)?.users.get(user) ?? [];
    if (via.length > VIA_MAX) return "refused";
    const known = this.#uses.get(key);
    if (known === undefined && !this.#makeRoom()) return "refused";
    await this.#start(user, key, via);
    // Relays in a circle, each with somebody who asks, would wait for each other.
    if (known === undefined || via.length === 0) await this.#uses.get(key)?.answered.promise;
    return undefined;
  }

  /** `user` asks by way of other relays from now on. */
  change(user: object, key: Key, via: readonly string[]): void {
    const users = this.#uses.get(key)?.users;
    if (users?.has(user) !== true || users.get(user)!.join() === via.join()) return;
    users.set(user, via);
    this.#readjust(key);
  }

  /** `user` does not use a log any more. */
  leave(user: object, key: Key): void {
    const use = this.#uses.get(key);
    if (use === undefined || !use.users.delete(user)) return;
    if (use.users.size > 0) return this.#readjust(key);
    // Who asks for what nobody has leaves nothing behind.
    if (use.repo?.head === undefined) this.#forget(key);
    else this.#idle(key, use);
  }

  /** Looks whether the relays have news of a log that is only read now: {@link use}, then {@link leave}. */
  async look(key: Key): Promise<void> {
    const known = this.#uses.get(key);
    if (known !== undefined) {
      if (known.users.size === 0) this.#idle(key, known);
      return await known.answered.promise;
    }
    const user = {};
    try {
      await this.use(user, key);
    } finally {
      this.leave(user, key);
    }
  }

  /** Ends all sessions. */
  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#uses.clear();
    for (const session of this.sessions) session.close();
  }

  async #start(user: object, key: Key, via: readonly string[]): Promise<void> {
    const known = this.#uses.get(key);
    const use = known ?? {
      users: new Map(),
      serial: new Serial(),
      liars: new Set<Session>(),
      answered: Promise.withResolvers<void>(),
      repo: undefined,
      stopIdle: () => {},
    };
    use.stopIdle();
    use.users.set(user, via);
    this.#uses.set(key, use);
    try {
      await this.#adjust(key);
    } catch (error) {
      // A repo that does not open: whoever asked is told.
      use.answered.resolve();
      this.leave(user, key);
      throw error;
    }
    if (known === undefined) this.#answers(key).then(use.answered.resolve);
  }

  #readjust(key: Key): void {
    const { onError = throwUncaught } = this.#options;
    this.#adjust(key).catch((error) => this.#isClosed || onError(error));
  }

  #idle(key: Key, use: Use): void {
    use.stopIdle();
    // Last used last: the others are let go first where there is no room.
    this.#uses.delete(key);
    this.#uses.set(key, use);
    use.stopIdle = this.#later(() => this.#forget(key), this.#options.idleMs ?? IDLE_MS);
  }

  /** Asks those relays that are to be asked, and no others. */
  #adjust(key: Key): Promise<void> {
    const use = this.#uses.get(key)!;
    return use.serial.run(async () => {
      for (const session of this.sessions) {
        const via = this.#via(session, key);
        if (via === undefined) session.unsubscribe(key);
        else use.repo = await session.subscribe(key, { via });
        if (!this.#uses.has(key)) session.unsubscribe(key);
      }
    });
  }

  /** By way of which relays one is to be asked; undefined if it is not to be asked. */
  #via(session: Session, key: Key): readonly string[] | undefined {
    const use = this.#uses.get(key);
    const { peer = "" } = session;
    if (use === undefined || use.liars.has(session) || peer === this.name) return undefined;
    const all = [...use.users.values()];
    if (all.length === 0) return [this.name];
    return leavesTo(peer, all, this.name) ? undefined : wayTo(all, peer, this.name);
  }

  #answers(key: Key): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.#later(resolve, WAIT_MS);
      const done = (): void => {
        stop();
        resolve();
      };
      const asked = this.sessions.map((session) => this.#answer(session, key));
      for (const answer of asked) answer.then((isThere) => isThere && done());
      Promise.all(asked).then(done);
    });
  }

  /** Whether a relay had something; undefined if it is away, or is not asked any more. */
  #answer(session: Session, key: Key): Promise<boolean | undefined> {
    const repo = this.#uses.get(key)?.repo;
    if (repo === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const stop = session.on("status", () => look());
      const look = (): void => void (session.status.state === "away" && done(undefined));
      const done = (answer: boolean | undefined): void => {
        stop();
        resolve(answer);
      };
      session.synced(repo).then(() => done(repo.head !== undefined), () => done(undefined));
      look();
    });
  }

  /** Whether there is room for one log more. */
  #makeRoom(): boolean {
    const { maxKeys = KEYS_MAX } = this.#options;
    if (this.#uses.size < maxKeys) return true;
    for (const [key, { users }] of this.#uses) {
      if (users.size > 0) continue;
      this.#forget(key);
      return true;
    }
    return false;
  }

  #forget(key: Key): void {
    const use = this.#uses.get(key);
    if (use === undefined || use.users.size > 0) return;
    use.stopIdle();
    this.#uses.delete(key);
    for (const session of this.sessions) session.unsubscribe(key);
  }

  #listen(session: Session): void {
    let { peer } = session;
    session.on("status", ({ state }) => {
      if (state !== "online" || session.peer === peer) return;
      peer = session.peer;
      for (const key of this.#uses.keys()) this.#readjust(key);
    });
    session.on("rejected", ({ key, isBreach }) => {
      const use = key && this.#uses.get(key);
      // Where it is the only one, nothing else suffers from it.
      if (!isBreach || use === undefined || this.#uses.size === 1) return;
      use.liars.add(session);
      const adjust = () => this.#uses.get(key!) === use && this.#readjust(key!);
      adjust();
      this.#later(() => {
        use.liars.delete(session);
        adjust();
      }, BREACH_MS);
    });
  }

  #later(work: () => void, delayMs: number): () => void {
    const stop = (): void => {
      stopTimer();
      this.#stops.delete(stop);
    };
    const stopTimer = this.#timer(() => {
      this.#stops.delete(stop);
      work();
    }, delayMs);
    this.#stops.add(stop);
    return stop;
  }
}
