/**
 * Tabs of one origin that share what they read and write. One of them leads: it holds the connections to
 * relays, and the others hold a conversation with it, so that what one tab writes is in all of them at
 * once, offline too. When the leading tab is closed or crashes, another one leads.
 *
 * Who leads is who holds a Web Lock, and each tab holds one of its own for as long as it lives: the browser
 * frees them whatever becomes of the tab. Pairs of tabs talk over a `BroadcastChannel` that only they open.
 */

import { Emitter } from "../core/events.ts";
import type { Key } from "../core/identity/key.ts";
import { late } from "../core/late.ts";
import type { Registry } from "../core/repo/registry.ts";
import type { Repo } from "../core/repo/repo.ts";
import type { Conversation } from "../core/sync/conversation.ts";
import { Session } from "../core/sync/session.ts";
import type { SessionOptions } from "../core/sync/session_options.ts";
import type { SessionStatus } from "../core/sync/session_status.ts";
import type { Transport } from "../core/sync/transport.ts";
import type { Upstreams } from "../core/sync/upstreams.ts";
import { isKnock, type Knock, TabLine } from "./tab_line.ts";

/** What {@link Tabs} are made of; only the registry has no default. */
export interface TabsOptions {
  /** The repos of this tab. */
  readonly registry: Registry;
  /** Tabs that give the same name are together; "streamo" by default. */
  readonly name?: string;
  /** The relays that the leading tab stays connected to. */
  readonly origins?: readonly string[];
  /** How sessions are held: with which signers, say. */
  readonly session?: Omit<SessionOptions, "relay" | "openTransport" | "admit" | "onLeave">;
}

/** Who leads, and what it, or this tab, is connected to. */
export interface TabsStatus {
  /** Whether this tab leads. */
  readonly isLeader: boolean;
  /** To relays where this tab leads, else to the leading tab. */
  readonly sessions: readonly SessionStatus[];
}

const loadModules = late(() =>
  Promise.all([
    import("../core/sync/conversation.ts"),
    import("../core/sync/port_transport.ts"),
    import("../core/sync/upstreams.ts"),
  ])
);

type Modules = readonly [
  typeof import("../core/sync/conversation.ts"),
  typeof import("../core/sync/port_transport.ts"),
  typeof import("../core/sync/upstreams.ts"),
];

/** Said to all tabs. */
type News = Knock | { readonly lead: string };

/** See the head of this file. */
export class Tabs {
  /** This tab's name among the others. */
  readonly id: string = crypto.randomUUID();
  readonly #options: TabsOptions;
  readonly #modules: Modules;
  readonly #name: string;
  readonly #news: BroadcastChannel;
  readonly #events = new Emitter<{ status: TabsStatus }>();
  readonly #repos = new Map<Key, Repo>();
  readonly #guests = new Set<Conversation>();
  readonly #closing = new AbortController();
  /** Resolves at the end: locks are held until then. */
  readonly #closed = Promise.withResolvers<void>();
  /** Resolves when another tab begins to lead. */
  #change = Promise.withResolvers<void>();
  #upstreams: Upstreams | undefined;
  #session: Session | undefined;

  private constructor(options: TabsOptions, modules: Modules) {
    this.#options = options;
    this.#modules = modules;
    this.#name = `streamo-tabs:${options.name ?? "streamo"}`;
    this.#news = new BroadcastChannel(this.#name);
    this.#news.addEventListener("message", ({ data }) => this.#onNews(data));
  }

  /** Joins the other tabs, or leads them if there are none. */
  static async open(options: TabsOptions): Promise<Tabs> {
    const tabs = new Tabs(options, await loadModules());
    await tabs.#hold(tabs.#nameOf(tabs.id), {}, () => Promise.resolve());
    const lead = () => tabs.#lead();
    if (await tabs.#hold(tabs.#name, { ifAvailable: true }, lead)) return tabs;
    tabs.#follow();
    tabs.#hold(tabs.#name, { signal: tabs.#closing.signal }, lead).catch((error) => {
      if (!tabs.#closing.signal.aborted) throw error;
    });
    return tabs;
  }

  /** Who leads, and what is connected. */
  get status(): TabsStatus {
    return {
      isLeader: this.#upstreams !== undefined,
      sessions: this.#sessions.map(({ status }) => status),
    };
  }

  /** Calls `listener` on every change of the status; the result stops it. */
  on(name: "status", listener: (status: TabsStatus) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Opens a repo and keeps it equal with the other tabs' and the relays'. */
  async subscribe(key: Key): Promise<Repo> {
    const { registry, session } = this.#options;
    const known = this.#repos.get(key);
    if (known !== undefined) return known;
    const repo = await registry.open(session?.signers?.find((one) => one.key === key) ?? key);
    if (this.#repos.has(key) || this.#closing.signal.aborted) registry.release(key);
    else {
      this.#repos.set(key, repo);
      await this.#ask(key);
    }
    return repo;
  }

  /** Stops following a repo. */
  unsubscribe(key: Key): void {
    if (!this.#repos.delete(key)) return;
    this.#upstreams?.leave(this, key);
    this.#session?.unsubscribe(key);
    this.#options.registry.release(key);
  }

  /**
   * Resolves when the relays have all of `repo` durably, where this tab leads; where it follows, when the
   * leading tab has, which passes it on.
   */
  async landed(repo: Repo): Promise<void> {
    if (repo.signer !== undefined) await repo.flush();
    await Promise.all(this.#sessions.map((session) => session.landed(repo)));
  }

  /** Leaves the other tabs; what a closed tab does by itself. */
  close(): void {
    this.#closing.abort();
    for (const guest of this.#guests) guest.end(1000, "closed");
    this.#session?.close();
    this.#upstreams?.close();
    this.#news.close();
    for (const key of this.#repos.keys()) this.#options.registry.release(key);
    this.#repos.clear();
    this.#closed.resolve();
  }

  get #sessions(): readonly Session[] {
    return this.#upstreams?.sessions ?? (this.#session === undefined ? [] : [this.#session]);
  }

  #nameOf(tab: string): string {
    return `${this.#name}/${tab}`;
  }

  /** Holds a lock until the end; whether it was granted, once `begin` is done. */
  #hold(name: string, options: LockOptions, begin: () => Promise<void>): Promise<boolean> {
    return new Promise((resolve, reject) => {
      navigator.locks.request(name, options, async (lock) => {
        if (lock !== null) await begin();
        resolve(lock !== null);
        if (lock !== null) await this.#closed.promise;
      }).catch(reject);
    });
  }

  async #lead(): Promise<void> {
    const { registry, origins = [], session } = this.#options;
    const [, , { Upstreams }] = this.#modules;
    const upstreams = await Upstreams.open({ registry, origins, session });
    if (this.#closing.signal.aborted) return upstreams.close();
    this.#session?.close();
    this.#session = undefined;
    this.#upstreams = upstreams;
    for (const session of upstreams.sessions) session.on("status", () => this.#tell());
    for (const key of this.#repos.keys()) void this.#ask(key);
    this.#news.postMessage({ lead: this.id } satisfies News);
    this.#tell();
  }

  #follow(): void {
    const { registry, session } = this.#options;
    const openTransport = () => this.#knock();
    this.#session = new Session(registry, "another tab", { ...session, openTransport });
    this.#session.on("status", () => this.#tell());
  }

  async #ask(key: Key): Promise<void> {
    // Relays answer when they do: a subscription does not wait for them.
    if (this.#upstreams !== undefined) void this.#upstreams.use(this, key);
    else await this.#session?.subscribe(key);
  }

  /** A line to whichever tab leads. */
  #knock(): Transport {
    const [, { portTransport }] = this.#modules;
    const line = new TabLine(this.#nameOf(crypto.randomUUID()));
    this.#news.postMessage({ knock: line.name, tab: this.id } satisfies News);
    return portTransport(line, { gone: this.#change.promise });
  }

  #onNews(news: unknown): void {
    if (isKnock(news)) return this.#answer(news);
    const change = this.#change;
    this.#change = Promise.withResolvers();
    change.resolve();
  }

  /** Holds a conversation with a tab for as long as that holds its lock. */
  #answer({ knock, tab }: Knock): void {
    const upstreams = this.#upstreams;
    if (upstreams === undefined || this.#closing.signal.aborted) return;
    const [{ Conversation }, { portTransport }] = this.#modules;
    const ended = new AbortController();
    const { signal } = ended;
    const gone = navigator.locks.request(this.#nameOf(tab), { signal }, () => undefined);
    const channel = new BroadcastChannel(knock);
    const user = {};
    const guest = new Conversation({
      registry: this.#options.registry,
      transport: portTransport(channel, { gone }),
      software: "streamo tab",
      admit: (key, via) => upstreams.use(user, key, via),
      onLeave: (key) => upstreams.leave(user, key),
      onEnd: () => {
        this.#guests.delete(guest);
        ended.abort();
      },
    });
    this.#guests.add(guest);
    channel.postMessage(TabLine.OPEN);
  }

  #tell(): void {
    if (!this.#closing.signal.aborted) this.#events.emit("status", this.status);
  }
}
