/** Repos that are followed because another one names them, from the peer's home repo on. */

import type { Key } from "../identity/key.ts";
import { StreamoError } from "../errors.ts";
import { throwUncaught } from "../events.ts";
import type { Repo } from "../repo/repo.ts";
import { type Follow, followLinks } from "./follow_links.ts";
import type { SubscribeOptions } from "./session_options.ts";

/** Repos that are followed at a time: whoever writes one of them decides what it names. */
const FOLLOWED_MAX = 1_000;
/** Steps from the home repo to the farthest one. */
const DEPTH_MAX = 8;

/** What a {@link Following} needs of its session. */
export interface Followed {
  subscribe(key: Key, options: SubscribeOptions): Promise<Repo>;
  unsubscribe(key: Key, options: SubscribeOptions): void;
}

interface Node {
  depth: number;
  /** What the repo names. */
  keys: ReadonlySet<Key>;
  /** Undefined until it is open. */
  repo: Repo | undefined;
  /** Something changed since it was looked at last. */
  isStale: boolean;
  isLooking: boolean;
  stop: () => void;
}

/** Keeps following what is to be followed. */
export class Following {
  readonly #session: Followed;
  readonly #pick: Follow;
  readonly #onError: (key: Key, error: StreamoError) => void;
  readonly #nodes = new Map<Key, Node>();
  #home: Key | undefined;

  /** Follows nothing before it is told where to begin. `onError` hears of repos that do not open. */
  constructor(
    session: Followed,
    pick: Follow | "links",
    onError: (key: Key, error: StreamoError) => void,
  ) {
    this.#session = session;
    this.#pick = pick === "links" ? followLinks : pick;
    this.#onError = onError;
  }

  /** Begins at `home`; without one, lets go of everything. */
  start(home: Key | undefined): void {
    this.#home = home;
    this.#adjust();
  }

  /** Follows what can be reached from home, nearest first, and nothing else. */
  #adjust(): void {
    const wanted = this.#reach();
    for (const [key, node] of this.#nodes) {
      if (wanted.has(key)) continue;
      node.stop();
      this.#nodes.delete(key);
      this.#session.unsubscribe(key, { owner: this });
    }
    for (const [key, depth] of wanted) {
      const node = this.#nodes.get(key);
      if (node === undefined) this.#begin(key, depth);
      else if (node.depth !== depth) {
        node.depth = depth;
        this.#look(key, node);
      }
    }
  }

  #reach(): Map<Key, number> {
    const wanted = new Map<Key, number>();
    if (this.#home !== undefined) wanted.set(this.#home, 0);
    // Grows while it is gone through: what is named last comes last.
    for (const [key, depth] of wanted) {
      if (depth >= DEPTH_MAX) break;
      for (const next of this.#nodes.get(key)?.keys ?? []) {
        if (wanted.size >= FOLLOWED_MAX) return wanted;
        if (!wanted.has(next)) wanted.set(next, depth + 1);
      }
    }
    return wanted;
  }

  #begin(key: Key, depth: number): void {
    const node: Node = {
      depth,
      keys: new Set(),
      repo: undefined,
      isStale: false,
      isLooking: false,
      stop: () => {},
    };
    this.#nodes.set(key, node);
    const isWanted = () => this.#nodes.get(key) === node;
    this.#session.subscribe(key, { owner: this }).then((repo) => {
      if (!isWanted()) {
        // Nobody wanted it any more before it was open.
        if (!this.#nodes.has(key)) this.#session.unsubscribe(key, { owner: this });
        return;
      }
      const look = () => this.#look(key, node);
      const stops = [repo.on("change", look), repo.on("replaced", look)];
      node.stop = () => stops.forEach((stop) => stop());
      node.repo = repo;
      look();
    }).catch((error) => isWanted() && this.#tell(key, error));
  }

  /** A repo that cannot be read is its author's mistake; anything else one of this program. */
  #tell(key: Key, error: unknown): void {
    if (error instanceof StreamoError) this.#onError(key, error);
    else throwUncaught(error);
  }

  async #look(key: Key, node: Node): Promise<void> {
    node.isStale = true;
    if (node.isLooking || node.repo === undefined) return;
    node.isLooking = true;
    const { repo } = node;
    while (node.isStale && this.#nodes.get(key) === node) {
      node.isStale = false;
      const keys = new Set<Key>();
      const subscribe = (named: Key) => void (keys.size < FOLLOWED_MAX && keys.add(named));
      try {
        await repo.read(() => this.#pick(repo, subscribe, node.depth));
        node.keys = keys;
      } catch (error) {
        // What it named before stays followed.
        this.#tell(key, error);
      }
      this.#adjust();
    }
    node.isLooking = false;
  }
}
