/** The open repos of a process. */

import { type Link, pathText, type Value } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { defaultCrypto } from "../identity/default_crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import type { Advance } from "../log/advance.ts";
import type { BlockSource } from "../log/source.ts";
import type { OnRefused } from "../log/sources.ts";
import type { Store } from "../log/store.ts";
import type { RepoOptions } from "./options.ts";
import { Repo } from "./repo.ts";

/** Repos that nobody uses any more and that stay open, in case somebody comes back. */
const IDLE_MAX = 32;

/** What a {@link Registry} is made of. */
export interface RegistryOptions extends RepoOptions {
  /** Where all its repos are kept. */
  readonly store: Store;
}

/**
 * The log of a key moved on: by `advance` where this process knows, else another one has written to
 * the store.
 * @ignore
 */
export type OnMoved = (key: Key, advance: Advance | undefined) => void;

interface Entry {
  readonly opening: Promise<Repo>;
  users: number;
}

/** Opens every repo once: whoever asks for a key gets the same {@link Repo}. */
export class Registry {
  /** Where all repos are kept. */
  readonly store: Store;
  /** What hashes and verifies. */
  readonly crypto: Crypto;
  readonly #options: RepoOptions;
  readonly #entries = new Map<Key, Entry>();
  /** Keys without users, the longest idle first. */
  readonly #idle = new Set<Key>();
  readonly #listeners = new Set<OnMoved>();

  /** An empty registry over a store. */
  constructor(options: RegistryOptions) {
    this.store = options.store;
    this.crypto = options.crypto ?? defaultCrypto();
    this.#options = { ...options, crypto: this.crypto };
  }

  /** How many repos are open. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The repo of a key, writable if a signer is given. Every call is to be followed by one of
   * {@link release}, or the repo stays open. TypeError when a repo that is open to read is asked for
   * with its signer: open it with the signer first.
   */
  async open(who: Signer | Key): Promise<Repo> {
    const key = typeof who === "string" ? who : who.key;
    const entry = this.#entries.get(key) ?? this.#start(key, who);
    entry.users++;
    this.#idle.delete(key);
    const repo = await entry.opening;
    if (typeof who !== "string" && repo.signer === undefined) {
      this.release(key);
      throw new TypeError(`the repo ${key} is open already, without its signer`);
    }
    return repo;
  }

  /** Says that a user of {@link open} is done: a repo without users may be closed. */
  release(key: Key): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || --entry.users > 0) return;
    this.#idle.add(key);
    for (const oldest of this.#idle) {
      if (this.#idle.size <= IDLE_MAX) break;
      this.#idle.delete(oldest);
      this.#entries.delete(oldest);
    }
  }

  /**
   * Calls `listener` whenever a log moves on or a branch is kept aside, of repos that are open or, as far
   * as {@link watch} is told, in the store; the result stops it.
   * @ignore
   */
  onMoved(listener: OnMoved): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** {@link open}, then `use`, then {@link release}. */
  async with<T>(who: Signer | Key, use: (repo: Repo) => T | Promise<T>): Promise<T> {
    const repo = await this.open(who);
    try {
      return await use(repo);
    } finally {
      this.release(repo.key);
    }
  }

  /**
   * The value that a link points to, at its record if it names one. `not_found` if the repo is not held
   * here, has no such record (any more), or nothing at the path.
   */
  resolve({ key, seq, path }: Link): Promise<Value> {
    return this.with(key, (repo) =>
      repo.read(() => {
        const { snapshot, lastRecord } = repo;
        const record = seq === undefined ? lastRecord : repo.recordAt(seq);
        const state = seq === undefined ? snapshot : record?.seq === seq && repo.at(record);
        if (record === undefined || !state || !state.has(...path)) {
          const at = seq === undefined ? "" : ` at record ${seq}`;
          const message = `cannot resolve a link to ${
            pathText(path)
          } of ${key}${at}: it is not here`;
          throw new StreamoError("not_found", message, { key, seq, path });
        }
        return state.get(...path);
      }));
  }

  /** A repo to read, over {@link store} and `source`: the caller's own, not what {@link open} gives. */
  read(key: Key, source: BlockSource, onRefused?: OnRefused): Promise<Repo> {
    return Repo.open(this.store, key, { ...this.#options, source, onRefused });
  }

  /**
   * Follows what other processes write to the same store, where the store can tell, until `signal`.
   * Errors of the store's watch reject it: then watch again.
   */
  async watch(signal: AbortSignal): Promise<void> {
    if (this.store.watch === undefined) return;
    for await (const key of this.store.watch(signal)) {
      const repo = await this.#entries.get(key)?.opening;
      if (repo === undefined) this.#moved(key, undefined);
      else await repo.refresh();
    }
  }

  #start(key: Key, who: Signer | Key): Entry {
    const entry: Entry = { opening: this.#read(key, who), users: 0 };
    this.#entries.set(key, entry);
    // A repo that did not open (damaged, say) is tried again at the next call.
    entry.opening.catch(() => this.#entries.delete(key));
    return entry;
  }

  async #read(key: Key, who: Signer | Key): Promise<Repo> {
    const repo = await Repo.open(this.store, who, this.#options);
    repo.on("advance", (advance) => this.#moved(key, advance));
    // Who could merge a branch that was kept aside must hear of it, though the log stands still.
    repo.on("asides", (count) => count > 0 && this.#moved(key, undefined));
    return repo;
  }

  #moved(key: Key, advance: Advance | undefined): void {
    for (const listener of this.#listeners) listener(key, advance);
  }
}
