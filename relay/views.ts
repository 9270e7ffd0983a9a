/** Repos as the relay reads them: only what their durable, signed heads cover. */

import type { RepoOptions } from "../core/repo/options.ts";
import { Repo } from "../core/repo/repo.ts";
import type { Snapshot } from "../core/repo/snapshot.ts";
import type { Key } from "../core/identity/key.ts";
import { sameHead, type VerifiedHead } from "../core/log/head.ts";
import type { Store } from "../core/log/store.ts";

/** Blocks, nodes and values that one view keeps at hand. */
const VIEW_CACHE_BYTES = 4 * 2 ** 20;

/** A repo as of one head; it does not change any more. */
export interface View {
  readonly key: Key;
  readonly head: VerifiedHead;
  readonly repo: Repo;
  readonly snapshot: Snapshot;
}

/** What {@link Views} are made of. */
export interface ViewsOptions {
  readonly store: Store;
  /** Repos kept open; the one that was not asked for the longest is closed first. */
  readonly maxViews: number;
  readonly crypto?: RepoOptions["crypto"];
}

/**
 * Views by key, reopened when the store has another head. They are not the registry's repos: those
 * may hold writes that nobody has signed yet, and do not see what another process appends.
 */
export class Views {
  readonly #options: ViewsOptions;
  /** Last used last. */
  readonly #views = new Map<Key, { readonly head: VerifiedHead; readonly view: Promise<View> }>();

  /** No views yet. */
  constructor(options: ViewsOptions) {
    this.#options = options;
  }

  /** How many repos are open. */
  get size(): number {
    return this.#views.size;
  }

  /** The view of `key` as of now, or undefined if nobody stored it: asking creates nothing. */
  async open(key: Key): Promise<View | undefined> {
    const head = (await this.#options.store.head(key))?.head;
    const held = this.#views.get(key);
    this.#views.delete(key);
    if (head === undefined) return undefined;
    const entry = held !== undefined && sameHead(held.head, head)
      ? held
      : { head, view: this.#read(key) };
    this.#views.set(key, entry);
    for (const oldest of this.#views.keys()) {
      if (this.#views.size <= this.#options.maxViews) break;
      this.#views.delete(oldest);
    }
    try {
      return await entry.view;
    } catch (error) {
      // A view that did not open is tried again at the next request.
      if (this.#views.get(key) === entry) this.#views.delete(key);
      throw error;
    }
  }

  async #read(key: Key): Promise<View> {
    const { store, crypto } = this.#options;
    const repo = await Repo.open(store, key, { crypto, cacheBytes: VIEW_CACHE_BYTES });
    return { key, head: repo.head!, repo, snapshot: repo.snapshot };
  }
}

/**
 * A strong tag for what is at `address`: the same for as long as the content is. The hash of its block
 * from there on is in it because the address alone may come to mean something else, where a fork is
 * settled and another device's blocks take the place of these.
 */
export async function addressTag({ key, head, repo }: View, address: number): Promise<string> {
  const bytes = await repo.read(() => repo.log.at(address));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return `${key}.${head.epoch}.${address}.${hash.subarray(0, 8).toHex()}`;
}
