/** A relay in memory with repos to ask for: for tests of HTTP without sockets. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { Repo } from "../../core/repo/repo.ts";
import type { Key } from "../../core/identity/key.ts";
import { createRelay, type Relay, type RelayOptions } from "../../relay/app.ts";
import { signerOf } from "./people.ts";

/** What a test asks of a relay. */
export interface RelayWorld {
  readonly relay: Relay;
  readonly store: Store;
  readonly registry: Registry;
  /** Stores `value` as the newest state of a person's repo; gives the repo. */
  write(person: string, value: unknown): Promise<Repo>;
  /** Asks for `url`, which may begin with a slash. */
  get(url: string, headers?: Record<string, string>, method?: string): Promise<Response>;
}

/** A relay over `store`, whose home is the repo of "home" (which is stored by the test, or not). */
export async function relayWorld(
  options: Partial<RelayOptions> = {},
  store: Store = new MemoryStore(),
): Promise<RelayWorld> {
  const registry = new Registry({ store });
  const home = await keyOf("home");
  const onError = (error: unknown): void => {
    throw error;
  };
  const relay = createRelay({ registry, home, onError, ...options });
  const writers = new Map<string, Repo>();
  return {
    relay,
    store,
    registry,
    async write(person, value) {
      const repo = writers.get(person) ?? await Repo.open(store, await signerOf(person));
      writers.set(person, repo);
      repo.set(value);
      await repo.flush();
      return repo;
    },
    get: async (url, headers = {}, method = "GET") =>
      await relay.fetch(new Request(new URL(url, "http://relay.test"), { headers, method })),
  };
}

/** The key of a person. */
export async function keyOf(person: string): Promise<Key> {
  return (await signerOf(person)).key;
}

/** `length` bytes that do not compress and differ from place to place. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
