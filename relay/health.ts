/** `/healthz` and `/.well-known/streamo`: what a relay says about itself. */

import type { Key } from "../core/identity/key.ts";
import type { Store } from "../core/log/store.ts";
import type { Clock } from "../core/platform.ts";
import type { OriginReport } from "./origins.ts";

/** Keys are counted up to here: a health check must stay cheap. */
const MAX_COUNTED = 10_000;
/** How long a report stands. */
const REPORT_MS = 2_000;

/** What `/healthz` says. */
export interface Health {
  readonly status: "ok" | "failing";
  readonly home: Key | null;
  readonly store: {
    /** Where things are kept, in words. */
    readonly name: string;
    /** Keys stored; with `atLeast`, this many and more. */
    readonly keys: number;
    readonly atLeast: boolean;
    /** What whoever runs the relay should know: that a restart forgets everything, say. */
    readonly warnings: readonly string[];
    /** Why the store cannot be read; only when it fails. */
    readonly error?: string;
  };
  readonly connections: number;
  readonly eventStreams: number;
  readonly openRepos: number;
  /** The relays that this one is fed from. */
  readonly origins: readonly OriginReport[];
  readonly startedAt: string;
}

/** Where things are kept. */
export interface Storage {
  /** In words for people, such as "memory" or "Deno KV (local file)". */
  readonly name: string;
  /** What whoever runs the relay should know. */
  readonly warnings?: readonly string[];
}

/** What a report is made of. */
export interface HealthOptions {
  readonly store: Store;
  readonly storage: Storage;
  readonly home: Key | undefined;
  readonly clock: Clock;
  /** Numbers of this moment. */
  readonly counts: () => Pick<Health, "connections" | "eventStreams" | "openRepos" | "origins">;
}

/** Looks whether the store can be read, at most every two seconds. */
export class HealthCheck {
  readonly #options: HealthOptions;
  readonly #startedAt: number;
  #checkedAt = -Infinity;
  #store: Promise<Health["store"]> | undefined;

  /** Counts its age from now. */
  constructor(options: HealthOptions) {
    this.#options = options;
    this.#startedAt = options.clock();
  }

  /** The state now. */
  async report(): Promise<Health> {
    const { clock, home, counts } = this.#options;
    const age = clock() - this.#checkedAt;
    // A clock that steps back must not freeze the report.
    if (this.#store === undefined || age >= REPORT_MS || age < 0) {
      this.#checkedAt = clock();
      this.#store = this.#probe();
    }
    const store = await this.#store;
    return {
      status: store.error === undefined ? "ok" : "failing",
      home: home ?? null,
      store,
      ...counts(),
      startedAt: new Date(this.#startedAt).toISOString(),
    };
  }

  async #probe(): Promise<Health["store"]> {
    const { store, storage, home } = this.#options;
    const { name, warnings = [] } = storage;
    let keys = 0;
    try {
      if (home !== undefined) await store.head(home);
      for await (const _key of store.keys()) if (++keys >= MAX_COUNTED) break;
      return { name, keys, atLeast: keys >= MAX_COUNTED, warnings };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { name, keys, atLeast: true, warnings, error: message };
    }
  }
}
