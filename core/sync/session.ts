/** A lasting connection to a relay or peer: comes back when it breaks, and goes on from what both have. */

import { StreamoError } from "../errors.ts";
import { Emitter } from "../events.ts";
import type { Key } from "../identity/key.ts";
import { type Random, systemRandom, systemTimer, type Timer } from "../platform.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import type { AskAgain } from "./ask_again.ts";
import type { Channel } from "./channel.ts";
import type { Conversation } from "./conversation.ts";
import type { Following } from "./follow.ts";
import { landing } from "./landing.ts";
import { loadParts } from "./load_parts.ts";
import { Lookouts } from "./lookouts.ts";
import type { Announcement, Refusal, TopicNews } from "./messages.ts";
import { relayUrl } from "./relay_url.ts";
import { type Acked, covers, repoStatus } from "./repo_status.ts";
import type { SessionOptions, SubscribeOptions } from "./session_options.ts";
import type { Refused, RepoStatus, SessionEvents, SessionStatus } from "./session_status.ts";
import type { SessionTopics } from "./session_topics.ts";
import { SparseSlot } from "./sparse_slot.ts";
import { checkTopic } from "./topic_name.ts";

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

/** Opens a session with the relay at `url`: `localhost:8080`, `https://example.org`, `wss://…/sync`. */
export function connect(registry: Registry, url: string, options?: SessionOptions): Session {
  return new Session(registry, url, options);
}

/** See {@link connect}. */
export class Session {
  /** The address of the WebSocket. */
  readonly url: string;
  readonly #registry: Registry;
  readonly #options: SessionOptions;
  readonly #timer: Timer;
  readonly #random: Random;
  readonly #events = new Emitter<SessionEvents>();
  readonly #repos = new Map<Key, Repo>();
  /** Who wants a repo, and how to stop listening to it. */
  readonly #uses = new Map<Key, { readonly owners: Set<unknown>; readonly stop: () => void }>();
  /** Loaded with what the first connection takes. */
  readonly #loading = Promise.withResolvers<SessionTopics>();
  #topics: SessionTopics | undefined;
  readonly #via = new Map<Key, readonly string[]>();
  readonly #refusals = new Map<Key, string>();
  /** What the peer said last of each repo. */
  readonly #acked = new Map<Key, Acked>();
  readonly #lookouts = new Lookouts();
  #isTelling = false;
  readonly #sparse: SparseSlot;
  #conversation: Conversation | undefined;
  #state: SessionStatus["state"] = "connecting";
  #reason = "not connected yet";
  #retryMs: number | undefined;
  #failures = 0;
  #home: Key | undefined;
  #following: Following | undefined;
  #peer: string | undefined;
  #stopRetry: () => void = () => {};
  #again: AskAgain | undefined;

  /** Starts to connect. */
  constructor(registry: Registry, url: string, options: SessionOptions = {}) {
    this.url = options.openTransport === undefined ? relayUrl(url) : url;
    this.#registry = registry;
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
    this.#random = options.random ?? systemRandom;
    this.#sparse = new SparseSlot({
      registry,
      name: this.url,
      onRefused: (key, error) => this.#reject(key, error),
      onStatus: (key) => this.#tell(key),
    });
    if (options.onAnnounce !== undefined) this.on("announced", options.onAnnounce);
    this.#connect();
  }

  /** The peer's home repo, once it has said hello. */
  get home(): Key | undefined {
    return this.#home;
  }

  /** What the peer is called in `via`, if it is a relay and has said hello. */
  get peer(): string | undefined {
    return this.#peer;
  }

  /** What this session is connected to, and what is not yet acknowledged. */
  get status(): SessionStatus {
    const { url } = this;
    const repos = () =>
      [...this.#repos.values()].map((repo) => this.#repoStatus(repo)).concat(this.#sparse.statuses);
    return {
      state: this.#state,
      url,
      reason: this.#reason,
      retryMs: this.#retryMs,
      // Looked up when somebody asks: a relay may follow thousands.
      get repos() {
        return repos();
      },
    };
  }

  /** Calls `listener` on every `name`; the result stops it. */
  on<Name extends keyof SessionEvents>(
    name: Name,
    listener: (event: SessionEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Opens a repo and keeps it equal with the peer's while there is a connection. With the mode `sparse`
   * it is to read only, and `load`, `read` and `readBytes` fetch what they need, or wait for the peer.
   */
  async subscribe(key: Key, { mode, via, owner = this }: SubscribeOptions = {}): Promise<Repo> {
    if (mode === "sparse") return await this.#sparse.open(key);
    const known = this.#repos.get(key);
    if (known !== undefined) {
      this.#uses.get(key)!.owners.add(owner);
      this.#ask(known, via);
      return known;
    }
    const signer = this.#options.signers?.find((signer) => signer.key === key);
    const repo = await this.#registry.open(signer ?? key);
    // Somebody may have asked for it, or closed the session, meanwhile.
    const isKnown = this.#repos.has(key);
    if (isKnown || this.#state === "closed") this.#registry.release(key);
    if (isKnown) {
      this.#uses.get(key)!.owners.add(owner);
      return repo;
    }
    if (this.#state === "closed") {
      throw new StreamoError("closed", `cannot follow ${key}: the session is closed`);
    }
    const stops = [
      repo.on("merged", (event) => this.#events.emit("merged", { key, ...event })),
      repo.on("forked", (event) => this.#events.emit("forked", { key, ...event })),
    ];
    this.#uses.set(key, { owners: new Set([owner]), stop: () => stops.forEach((stop) => stop()) });
    this.#repos.set(key, repo);
    repo.trunk.show(0, repo.log.epoch);
    if (via !== undefined) this.#via.set(key, via);
    if (this.#state === "online") this.#conversation?.open(repo, via);
    return repo;
  }

  /** Stops following a repo that was opened in this mode, unless another owner wants it. */
  unsubscribe(key: Key, { mode, owner = this }: SubscribeOptions = {}): void {
    if (mode === "sparse") return this.#sparse.leave(key);
    const use = this.#uses.get(key);
    if (use === undefined || !use.owners.delete(owner) || use.owners.size > 0) return;
    use.stop();
    for (const map of [this.#repos, this.#uses, this.#via, this.#refusals, this.#acked]) {
      map.delete(key);
    }
    this.#conversation?.close(key);
    this.#registry.release(key);
    this.#tell(key);
  }

  /**
   * Brings the repo to what the peer has of it now, and no further. `not_found` if neither side has
   * anything; waits for a connection if there is none.
   */
  async fetch(key: Key): Promise<Repo> {
    const { fetchOnce } = await loadParts(this.#options);
    return await fetchOnce(this, (isReached) => this.#until(isReached, key), key);
  }

  /** Asks for what is announced and cast under a topic; the result ends that. */
  interest(topic: string): () => void {
    checkTopic(topic);
    return this.#later((topics) => topics.interest(topic));
  }

  /** What is announced under a topic of interest, as far as the peer has told. */
  present(topic: string): readonly Announcement[] {
    return this.#topics?.present(topic) ?? [];
  }

  /**
   * Names a repo to whoever is interested in a topic; the result ends that. `by`: the key of one of
   * `signers`, to speak as its holder.
   */
  announce(key: Key, topic: string, { by }: { readonly by?: Key } = {}): () => void {
    checkTopic(topic);
    return this.#later((topics) => topics.announce(topic, { key, by }));
  }

  /**
   * Tells `data` to all others who are interested in a topic now; nobody keeps it, and without a
   * connection nobody hears it. A TypeError if it cannot be stored, `too_large` past 4 KiB.
   */
  cast(topic: string, data: unknown, { by }: { readonly by?: Key } = {}): void {
    checkTopic(topic);
    if (this.#state === "online") this.#conversation?.presence.cast(topic, data, by);
  }

  /** Resolves when the peer has durably what `repo` has now; rejects with the code of its refusal. */
  async landed(repo: Repo): Promise<void> {
    if (repo.signer !== undefined) await repo.flush();
    await landing(repo, (isReached) => this.#until(isReached, repo.key));
  }

  /** Resolves when this side has what the peer's head covers; of a sparse repo, that head. */
  synced(repo: Repo): Promise<void> {
    return this.#sparse.synced(repo) ?? this.#until((_status, channel) => {
      const state = channel?.state;
      return state?.phase === "live" && covers(state, state.peer);
    }, repo.key);
  }

  /** Ends the session. */
  close(): void {
    this.#stopRetry();
    this.#again?.close();
    this.#sparse.close();
    this.#setState("closed", "closed here");
    this.#conversation?.end(1000, "closed");
    this.#conversation = undefined;
    this.#following?.start(undefined);
    for (const [key, { stop }] of this.#uses) {
      stop();
      this.#registry.release(key);
    }
    this.#repos.clear();
    this.#uses.clear();
  }

  async #connect(): Promise<void> {
    this.#setState("connecting", this.#reason);
    try {
      const parts = await loadParts(this.#options);
      if (this.#state === "connecting") this.#converse(parts);
    } catch (error) {
      this.#away((error as Error).message);
    }
  }

  #converse(parts: typeof import("./session_parts.ts")): void {
    const { AskAgain, converse, topicsOf, followingOf } = parts;
    this.#again ??= new AskAgain(this.#timer, (repo) => {
      if (this.#repos.has(repo.key)) this.#conversation?.open(repo, this.#via.get(repo.key));
    });
    const topics = this.#topics ??= topicsOf({
      ask: (message) => this.#state === "online" && this.#conversation?.presence.ask(message),
      tell: (name, event) => this.#events.emit(name, event),
    });
    this.#loading.resolve(topics);
    const { follow } = this.#options;
    if (follow !== undefined) {
      this.#following ??= followingOf(this, follow, (key, error) => this.#reject(key, error));
    }
    let wasOnline = false;
    const conversation = converse(this.url, this.#options, {
      registry: this.#registry,
      timer: this.#timer,
      onHello: ({ home, relay }) => {
        wasOnline = true;
        this.#home = home;
        this.#peer = relay;
        this.#online(conversation);
      },
      onNews: (news) => this.#hear(news),
      onCast: (event) => topics.has(event.topic) && this.#events.emit("cast", event),
      onStatus: (channel) => this.#onChannel(channel),
      onEnd: (reason, error, key) => {
        if (this.#conversation !== conversation) return;
        if (error !== undefined) this.#reject(key, error, true);
        // A peer that breaks the rules is not asked again at once just because it says hello.
        else if (wasOnline) this.#failures = 0;
        this.#away(reason);
      },
    });
    this.#conversation = conversation;
  }

  /** Starts something as soon as topics are loaded; the result ends it. */
  #later(start: (topics: SessionTopics) => () => void): () => void {
    const started = this.#loading.promise.then(start);
    return () => void started.then((end) => end());
  }

  async #online(conversation: Conversation): Promise<void> {
    try {
      // First: what is asked for may depend on who asks.
      await conversation.presence.authenticate(this.#options.signers ?? []);
    } catch (error) {
      return conversation.end(1000, `cannot sign: ${(error as Error).message}`);
    }
    if (this.#conversation !== conversation) return;
    this.#setState("online", "");
    this.#topics!.renew();
    const direct: Repo[] = [];
    for (const [key, repo] of this.#repos) {
      const via = this.#via.get(key);
      if (via?.join() === this.#options.relay) direct.push(repo);
      else this.#conversation?.open(repo, via);
    }
    this.#conversation?.openAll(direct, this.#options.relay);
    this.#sparse.use(conversation.parts);
    this.#following?.start(this.#home);
  }

  /** Says by way of which relays it asks, if these are others than before. */
  #ask(repo: Repo, via: readonly string[] | undefined): void {
    if (this.#via.get(repo.key)?.join() === via?.join()) return;
    if (via === undefined) this.#via.delete(repo.key);
    else this.#via.set(repo.key, via);
    if (this.#state === "online") this.#conversation?.open(repo, via);
  }

  #away(reason: string): void {
    if (this.#state === "closed") return;
    this.#conversation = undefined;
    this.#sparse.use(undefined);
    const most = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    // Half of it at random: clients of a relay that restarts must not all come at once.
    this.#retryMs = Math.round(most * (0.5 + this.#random() / 2));
    this.#stopRetry();
    this.#stopRetry = this.#timer(() => {
      this.#retryMs = undefined;
      this.#connect();
    }, this.#retryMs);
    this.#setState("away", reason);
  }

  #hear(news: Exclude<TopicNews, { type: "heard" }> | Refusal): void {
    if (news.type !== "refuse") return this.#topics!.hear(news);
    const { of, code, key } = news;
    // Most relays do not need to know who asks; where one does, it refuses what is asked.
    if (of !== "auth" || code !== "unsupported") this.#reject(key, news);
  }

  #onChannel({ repo, state }: Channel): void {
    const { own: { epoch }, acked: blocks } = state;
    if (state.phase !== "opening") this.#acked.set(repo.key, { epoch, blocks });
    const text = state.refusal === undefined ? "" : state.refusal.code + state.refusal.message;
    const isNew = (this.#refusals.get(repo.key) ?? "") !== text;
    this.#refusals.set(repo.key, text);
    if (isNew && state.refusal !== undefined) {
      this.#reject(repo.key, state.refusal);
      this.#again!.refused(repo, state.refusal.code);
    }
    this.#tell(repo.key);
  }

  #reject(key: Key | undefined, { code, message }: Refused, isBreach = false): void {
    this.#events.emit("rejected", { key, code, message, isBreach });
  }

  #setState(state: SessionStatus["state"], reason: string): void {
    this.#state = state;
    this.#reason = reason;
    this.#lookouts.lookAll();
    this.#events.emit("status", this.status);
  }

  /** News of one repo. A status lists all of them: one for all news of a moment, or it takes long. */
  #tell(key: Key): void {
    this.#lookouts.look(key);
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      if (this.#events.has("status")) this.#events.emit("status", this.status);
    });
  }

  #repoStatus(repo: Repo): RepoStatus {
    const state = this.#conversation?.channels.get(repo.key)?.state;
    return repoStatus(repo, state, this.#acked.get(repo.key));
  }

  /** Resolves when `isReached`, looked at whenever something about the repo of `key` changes. */
  #until(
    isReached: (status: RepoStatus, channel: Channel | undefined) => boolean,
    key: Key,
  ): Promise<void> {
    return this.#lookouts.wait(key, () => {
      const repo = this.#repos.get(key);
      if (this.#state === "closed" || repo === undefined) {
        return new StreamoError("closed", `the session does not follow ${key} any more`);
      }
      const status = this.#repoStatus(repo);
      const { refusal } = status;
      if (refusal !== undefined) return new StreamoError(refusal.code, refusal.message);
      return isReached(status, this.#conversation?.channels.get(key));
    });
  }
}
