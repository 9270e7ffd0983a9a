/** The store that a relay is started with: Deno KV, in a file, on a server, or the platform's own. */

import { join } from "node:path";
import type { Store } from "../core/log/store.ts";
import { UsageError } from "./exit_codes.ts";
import type { Storage } from "./health.ts";
import { KvStore } from "./kv_store.ts";
import type { MainOptions } from "./options.ts";

/** A store, and what to say about it. */
export interface OpenedStore {
  readonly store: Store;
  /** What anybody may know. */
  readonly storage: Storage;
  /** Whether other processes may write to it. */
  readonly isShared: boolean;
  /** Path or address, for whoever runs the relay. */
  readonly place: string;
}

/** When a relay first used this database. */
const FIRST_START = ["relay", "first start"];

/** Opens what the options name; a file in the data folder if they name no database. UsageError. */
export async function openStore(
  { dataDir, kv }: Pick<MainOptions, "dataDir" | "kv">,
): Promise<OpenedStore> {
  if (kv !== undefined && /^https?:\/\//.test(kv)) {
    const database = await openKv(kv);
    return opened(database, "Deno KV (server)", kv, true);
  }
  const path = kv ?? join(dataDir, "relay.kv");
  if (kv === undefined) await makeFolder(dataDir);
  return opened(await openKv(path), "Deno KV (local file)", path, false);
}

/**
 * The same for platforms that have a database of their own, such as Deno Deploy. There, a database that
 * nobody assigned to the program works and forgets everything: only its age can tell.
 */
export async function openDefaultStore(
  options: Pick<MainOptions, "dataDir" | "kv">,
): Promise<OpenedStore> {
  if (options.kv !== undefined) return await openStore(options);
  const kv = await openKv(undefined);
  const first = await kv.get<string>(FIRST_START);
  if (first.value === null) await kv.set(FIRST_START, new Date().toISOString());
  const warnings = first.value === null
    ? ["the database was new when this process started; if it always is, none is assigned"]
    : [];
  return await opened(kv, "Deno KV (platform)", "the platform's Deno KV", true, warnings);
}

async function opened(
  kv: Deno.Kv,
  name: string,
  place: string,
  isShared: boolean,
  warnings: readonly string[] = [],
): Promise<OpenedStore> {
  return { store: await KvStore.open(kv), storage: { name, warnings }, isShared, place };
}

async function openKv(where: string | undefined): Promise<Deno.Kv> {
  try {
    return await Deno.openKv(where);
  } catch (error) {
    throw cannot(`open the database "${where ?? "of the platform"}"`, error);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw cannot(`make the data folder "${folder}"`, error);
  }
}

function cannot(what: string, cause: unknown): UsageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UsageError(`cannot ${what}: ${reason}`, { cause });
}
