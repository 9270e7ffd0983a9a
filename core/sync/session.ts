/** A lasting connection to a relay or peer: comes back when it breaks, and goes on from what both have. */

import { type Code, StreamoError } from "../errors.ts";
import { Emitter } from "../events.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import { late } from "../late.ts";
import { type Random, systemRandom, systemSocket, systemTimer, type Timer } from "../platform.ts";
import type { Registry } from "../repo/registry.ts";
import type { Repo } from "../repo/repo.ts";
import type { Channel } from "./channel.ts";
import type { Phase } from "./channel_state.ts";
import type { Conversation, ConversationOptions } from "./conversation.ts";
import { relayUrl } from "./relay_url.ts";
import type { Transport } from "./transport.ts";

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;
/** A quiet connection is asked for a sign of life this often, and given up after one such time more. */
const PING_MS = 20_000;
/** RFC 6455 leaves 4000 to 4999 to applications; browsers may not send other codes. */
const NO_ANSWER = 4001;

/** How a session is held; everything has a default. */
export interface SessionOptions {
  /** Signers of the repos that are written here. */
  readonly signers?: readonly Signer[];
  /** Name and version of the software, for people. */
  readonly software?: string;
  /** Waits before the next try; the platform's by default. */
  readonly timer?: Timer;
  /** Spreads tries over time; the platform's by default. */
  readonly random?: Random;
  /** Opens connections; by default the platform's WebSocket to the address of a relay. */
  readonly openTransport?: (url: string) => Transport;
  /** What this side is called in `via`, if it is a relay: see {@link Upstreams}. */
  readonly relay?: string;
  /** Whether the peer may have, and push to, other logs; a code refuses it. Nothing by default. */
  readonly admit?: ConversationOptions["admit"];
  /** The peer does not use a log any more that it was admitted to. */
  readonly onLeave?: ConversationOptions["onLeave"];
}

/** What is known of one repo on the other side. */
export interface RepoStatus {
  /** Whose repo. */
  readonly key: Key;
  /** Where the two sides are; `away` without a connection. */
  readonly phase: Phase | "away";
  /** Blocks of this side's head. */
  readonly blocks: number;
  /** Blocks of the peer's head, as far as it has told. */
  readonly peerBlocks: number;
  /** How many of them the peer has durably. */
  readonly acked: number;
  /** Why the peer does not take them. */
  readonly refusal: { readonly code: Code; readonly message: string } | undefined;
}

/** The state of the connection. */
export interface SessionStatus {
  /** `away` between two tries. */
  readonly state: "connecting" | "online" | "away" | "closed";
  /** The address of the WebSocket. */
  readonly url: string;
  /** Why it is not online; empty if it is. */
  readonly reason: string;
  /** Milliseconds until the next try, while away. */
  readonly retryMs: number | undefined;
  /** Every repo that the session follows. */
  readonly repos: readonly RepoStatus[];
}

/** The events of a session. */
export type SessionEvents = {
  /** Something of the status changed. */
  status: SessionStatus;
  /** The peer refused something, or was caught at something: named by its code. */
  rejected: {
    readonly key: Key | undefined;
    readonly code: Code;
    readonly message: string;
    /** Whether a rule was broken, which has ended the connection. */
    readonly isBreach: boolean;
  };
};

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
  readonly #via = new Map<Key, readonly string[]>();
  readonly #refusals = new Map<Key, string>();
  /** What the peer said last of each repo. */
  readonly #acked = new Map<Key, { readonly epoch: number; readonly blocks: number }>();
  /** What waits for news of a repo. */
  readonly #looks = new Map<Key, Set<() => void>>();
  #isTelling = false;
  #conversation: Conversation | undefined;
  #state: SessionStatus["state"] = "connecting";
  #reason = "";
  #retryMs: number | undefined;
  #failures = 0;
  #home: Key | undefined;
  #peer: string | undefined;
  #stopTimer: () => void = () => {};

  /** Starts to connect. */
  constructor(registry: Registry, url: string, options: SessionOptions = {}) {
    this.url = options.openTransport === undefined ? relayUrl(url) : url;
    this.#registry = registry;
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
    this.#random = options.random ?? systemRandom;
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
    const repos = () => [...this.#repos.values()].map((repo) => this.#repoStatus(repo));
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
   * Opens a repo and keeps it equal with the peer's, as soon and as long as there is a connection; for
   * others, by way of the relays `via`.
   */
  async subscribe(key: Key, via?: readonly string[]): Promise<Repo> {
    const known = this.#repos.get(key);
    if (known !== undefined) {
      this.#ask(known, via);
      return known;
    }
    const signer = this.#options.signers?.find((signer) => signer.key === key);
    const repo = await this.#registry.open(signer ?? key);
    // Somebody may have asked for it, or closed the session, meanwhile.
    const isKnown = this.#repos.has(key);
    if (isKnown || this.#state === "closed") this.#registry.release(key);
    if (isKnown) return repo;
    if (this.#state === "closed") {
      throw new StreamoError("closed", `cannot follow ${key}: the session is closed`);
    }
    this.#repos.set(key, repo);
    if (via !== undefined) this.#via.set(key, via);
    if (this.#state === "online") this.#conversation?.open(repo, via);
    return repo;
  }

  /** Stops following a repo. */
  unsubscribe(key: Key): void {
    if (!this.#repos.delete(key)) return;
    this.#via.delete(key);
    this.#conversation?.close(key);
    this.#registry.release(key);
    this.#tell(key);
  }

  /** Resolves when the peer has all of `repo` durably; rejects with the code of its refusal. */
  async landed(repo: Repo): Promise<void> {
    if (repo.signer !== undefined) await repo.flush();
    await this.#until(
      ({ phase, blocks, acked }) => phase !== "away" && phase !== "opening" && acked >= blocks,
      repo.key,
    );
  }

  /** Resolves when this side has what the peer's head covers. */
  synced(repo: Repo): Promise<void> {
    return this.#until((_status, channel) => {
      const state = channel?.state;
      if (state?.phase !== "live") return false;
      const { own, ownHead, peer } = state;
      if (peer === undefined || peer.epoch < own.epoch) return true;
      return peer.epoch === own.epoch && ownHead >= peer.blocks;
    }, repo.key);
  }

  /** Ends the session. */
  close(): void {
    this.#stopTimer();
    this.#setState("closed", "closed here");
    this.#conversation?.end(1000, "closed");
    this.#conversation = undefined;
    for (const key of this.#repos.keys()) this.#registry.release(key);
    this.#repos.clear();
  }

  async #connect(): Promise<void> {
    this.#setState("connecting", this.#reason);
    try {
      const modules = await late(() =>
        Promise.all([import("./conversation.ts"), import("./websocket_transport.ts")])
      );
      if (this.#state === "connecting") this.#converse(...modules);
    } catch (error) {
      this.#away((error as Error).message);
    }
  }

  #converse(
    { Conversation }: typeof import("./conversation.ts"),
    { SUBPROTOCOL, webSocketTransport }: typeof import("./websocket_transport.ts"),
  ): void {
    let wasOnline = false;
    const { openTransport, software = "streamo", relay, admit, onLeave } = this.#options;
    const conversation = new Conversation({
      registry: this.#registry,
      transport: openTransport === undefined
        ? webSocketTransport(systemSocket(this.url, SUBPROTOCOL))
        : openTransport(this.url),
      software,
      relay,
      admit,
      onLeave,
      timer: this.#timer,
      onHello: ({ home, relay }) => {
        wasOnline = true;
        this.#home = home;
        this.#peer = relay;
        this.#online();
      },
      onStatus: (channel) => this.#onChannel(channel),
      onEnd: (reason, error, key) => {
        if (this.#conversation !== conversation) return;
        if (error !== undefined) this.#reject(key, error.code, error.message, true);
        // A peer that breaks the rules is not asked again at once just because it says hello.
        else if (wasOnline) this.#failures = 0;
        this.#away(reason);
      },
    });
    this.#conversation = conversation;
    this.#watch(conversation);
  }

  #online(): void {
    this.#setState("online", "");
    const direct: Repo[] = [];
    for (const [key, repo] of this.#repos) {
      const via = this.#via.get(key);
      if (via === undefined) direct.push(repo);
      else this.#conversation?.open(repo, via);
    }
    this.#conversation?.openAll(direct);
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
    const most = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    // Half of it at random: clients of a relay that restarts must not all come at once.
    this.#retryMs = Math.round(most * (0.5 + this.#random() / 2));
    this.#stopTimer();
    this.#stopTimer = this.#timer(() => {
      this.#retryMs = undefined;
      this.#connect();
    }, this.#retryMs);
    this.#setState("away", reason);
  }

  /** Gives up a connection that does not even answer. */
  #watch(conversation: Conversation): void {
    const heard = conversation.heard;
    this.#stopTimer();
    this.#stopTimer = this.#timer(() => {
      if (this.#conversation !== conversation) return;
      if (conversation.heard > heard) return this.#watch(conversation);
      conversation.ping();
      this.#stopTimer = this.#timer(() => {
        if (this.#conversation !== conversation) return;
        if (conversation.heard > heard) this.#watch(conversation);
        else conversation.end(NO_ANSWER, "no answer");
      }, PING_MS);
    }, PING_MS);
  }

  #onChannel({ repo, state }: Channel): void {
    const { own: { epoch }, acked: blocks } = state;
    if (state.phase !== "opening") this.#acked.set(repo.key, { epoch, blocks });
    const text = state.refusal === undefined ? "" : state.refusal.code + state.refusal.message;
    const isNew = (this.#refusals.get(repo.key) ?? "") !== text;
    this.#refusals.set(repo.key, text);
    if (isNew && state.refusal !== undefined) {
      this.#reject(repo.key, state.refusal.code, state.refusal.message);
    }
    this.#tell(repo.key);
  }

  #reject(key: Key | undefined, code: Code, message: string, isBreach = false): void {
    this.#events.emit("rejected", { key, code, message, isBreach });
  }

  #setState(state: SessionStatus["state"], reason: string): void {
    this.#state = state;
    this.#reason = reason;
    for (const key of [...this.#looks.keys()]) this.#tell(key);
    this.#events.emit("status", this.status);
  }

  /** News of one repo. A status lists all of them: one for all news of a moment, or it takes long. */
  #tell(key: Key): void {
    for (const look of [...this.#looks.get(key) ?? []]) look();
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      if (this.#events.has("status")) this.#events.emit("status", this.status);
    });
  }

  #repoStatus(repo: Repo): RepoStatus {
    const state = this.#conversation?.channels.get(repo.key)?.state;
    // What was acknowledged stays so while the peer is away.
    const known = this.#acked.get(repo.key);
    // Blocks of an epoch before are none of this one.
    const isSame = (epoch?: number) => epoch === repo.log.epoch;
    const remembered = isSame(known?.epoch) ? Math.min(known!.blocks, repo.head?.blocks ?? 0) : 0;
    const acked = isSame(state?.own.epoch) ? state!.acked : 0;
    return {
      key: repo.key,
      phase: state?.phase ?? "away",
      blocks: repo.head?.blocks ?? 0,
      peerBlocks: state?.peer?.blocks ?? 0,
      acked: state === undefined || state.phase === "opening" ? remembered : acked,
      refusal: state?.refusal,
    };
  }

  /** Looked at again whenever something about the repo of `key` changes. */
  #until(
    isReached: (status: RepoStatus, channel: Channel | undefined) => boolean,
    key: Key,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const repo = this.#repos.get(key);
        const status = repo && this.#repoStatus(repo);
        const error = this.#state === "closed" || status === undefined
          ? new StreamoError("closed", `the session does not follow ${key} any more`)
          : status.refusal && new StreamoError(status.refusal.code, status.refusal.message);
        if (error !== undefined) reject(error);
        else if (isReached(status!, this.#conversation?.channels.get(key))) resolve();
        else return;
        looks.delete(look);
        if (looks.size === 0) this.#looks.delete(key);
      };
      const looks = this.#looks.get(key) ?? new Set();
      this.#looks.set(key, looks.add(look));
      look();
    });
  }
}
