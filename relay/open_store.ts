/** The store that a relay is started with. */

import { MemoryStore } from "../core/log/memory_store.ts";
import type { Store } from "../core/log/store.ts";
import type { Storage } from "./health.ts";
import type { MainOptions } from "./options.ts";

/** A store, and what to say about it. */
export interface OpenedStore {
  readonly store: Store;
  readonly storage: Storage;
}

/** Opens what the options name. */
// deno-lint-ignore require-await -- databases are opened asynchronously
export async function openStore(
  _options: Pick<MainOptions, "dataDir" | "kv">,
): Promise<OpenedStore> {
  const warnings = ["nothing is kept: everything is forgotten when the relay stops"];
  return { store: new MemoryStore(), storage: { name: "memory", warnings } };
}
