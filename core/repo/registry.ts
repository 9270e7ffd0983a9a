/** The open repos of a process. */

import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import type { Store } from "../log/store.ts";
import { Repo, type RepoOptions } from "./repo.ts";

/** What a {@link Registry} is made of. */
export interface RegistryOptions extends RepoOptions {
  readonly store: Store;
}

/** Opens every repo once: whoever asks for a key gets the same {@link Repo}. */
export class Registry {
  readonly store: Store;
  readonly #options: RepoOptions;
  readonly #repos = new Map<Key, Promise<Repo>>();

  /** An empty registry over `store`. */
  constructor(options: RegistryOptions) {
    this.store = options.store;
    this.#options = options;
  }

  /**
   * The repo of a key, writable if a signer is given. TypeError when a repo that is open to read is
   * asked for with its signer: open it with the signer first.
   */
  async open(who: Signer | Key): Promise<Repo> {
    const key = typeof who === "string" ? who : who.key;
    let opening = this.#repos.get(key);
    if (opening === undefined) {
      opening = Repo.open(this.store, who, this.#options);
      this.#repos.set(key, opening);
      // A repo that did not open (damaged, say) is tried again at the next call.
      opening.catch(() => this.#repos.delete(key));
    }
    const repo = await opening;
    if (typeof who !== "string" && repo.signer === undefined) {
      throw new TypeError(`the repo ${key} is open already, without its signer`);
    }
    return repo;
  }

  /** The open repos. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Repo> {
    for (const repo of [...this.#repos.values()]) yield await repo;
  }

  /** Forgets an open repo, so that its memory is freed; the next {@link open} reads it again. */
  release(key: Key): void {
    this.#repos.delete(key);
  }
}
