/** Repos as signals: what is read inside a cell, a component or an `effect` is read again after changes. */

import {
  type LogRecord,
  MissingBlock,
  type Path,
  type Range,
  type Repo,
  type Session,
  type SessionStatus,
  type Snapshot,
  type Step,
  type Value,
  type VerifiedHead,
} from "../mod.ts";
import { type ReadonlySignal, signal } from "./signal.ts";

/** The live view of a repo; one per repo, whoever asks. */
export function live(repo: Repo): Live {
  let view = views.get(repo);
  if (view === undefined) views.set(repo, view = new Live(repo));
  return view;
}

const views = new WeakMap<Repo, Live>();

/** See {@link live}. */
export class Live {
  /** What is read. */
  readonly repo: Repo;
  /** Counts what makes another read worth it: changes, new heads, and blocks that have arrived. */
  readonly #version = signal(0);
  #failure: { readonly error: unknown } | undefined;

  /** Use {@link live}: views of one repo share their signal. */
  constructor(repo: Repo) {
    this.repo = repo;
    repo.on("change", () => this.#bump());
    repo.on("advance", () => this.#bump());
  }

  /** The value at the path, decoded and frozen; unchanged values stay `===`. */
  get(...path: Step[]): Value {
    return this.read((repo) => repo.get(...path));
  }

  /** Whether there is a value at the path. */
  has(...path: Step[]): boolean {
    return this.read((repo) => repo.has(...path)) ?? false;
  }

  /** Keys of the map at `path`, in order. */
  keys(path?: Path, range?: Range): string[] {
    return this.read((repo) => [...repo.keys(path, range)]) ?? [];
  }

  /** Entries, elements or bytes at the path. */
  size(...path: Step[]): number {
    return this.read((repo) => repo.size(...path)) ?? 0;
  }

  /** The newest `count` records, newest first. */
  history(count: number): LogRecord[] {
    return this.read((repo) => {
      const records: LogRecord[] = [];
      for (const record of repo.history()) {
        if (records.push(record) >= count) break;
      }
      return records;
    }) ?? [];
  }

  /** The newest durable head. */
  get head(): VerifiedHead | undefined {
    return this.read((repo) => repo.head);
  }

  /**
   * What `work` reads of the repo, tracked. Undefined where a block is not at hand: it is fetched, and
   * then this counts as a change. Throws if it is not to be had.
   */
  read<T>(work: (repo: Repo) => T): T | undefined {
    // Read for the tracking alone.
    void this.#version.value;
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return work(this.repo);
    } catch (error) {
      if (!(error instanceof MissingBlock)) throw error;
      error.load().then(() => this.#bump(), (error) => this.#bump({ error }));
      return undefined;
    }
  }

  /** For other frameworks (`useSyncExternalStore` and the like): tells of changes until called off. */
  subscribe = (listener: () => void): () => void => this.repo.on("change", listener);

  /** For other frameworks: the newest state, the same object until it changes. */
  getSnapshot = (): Snapshot => this.repo.snapshot;

  #bump(failure?: { readonly error: unknown }): void {
    this.#failure = failure;
    this.#version.value = this.#version.peek() + 1;
  }
}

/** The status of a session as a signal. */
export function liveStatus(session: Session): ReadonlySignal<SessionStatus> {
  const status = signal(session.status);
  session.on("status", (next) => status.value = next);
  return status;
}
