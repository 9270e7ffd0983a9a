/** Devices for tests of sync: a registry, a session and one person's repo. */

import type { Key } from "../../core/identity/key.ts";
import type { Signer } from "../../core/identity/signer.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { systemTimer } from "../../core/platform.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import type { SessionEvents } from "../../core/sync/session_status.ts";
import { untilNews } from "./until_news.ts";

/** One device of one person. */
export interface Device {
  readonly registry: Registry;
  readonly session: Session;
  readonly repo: Repo;
  readonly rejected: SessionEvents["rejected"][];
  /** How long it waited before it came back, each time. */
  readonly delays: number[];
}

/** How a device is set up. */
export interface DeviceOptions {
  readonly url: string;
  readonly signer?: Signer;
  readonly key: Key;
  readonly store?: Store;
  /** Runs before the device is connected. */
  readonly prepare?: (repo: Repo) => Promise<unknown> | unknown;
}

/** A device that follows a repo, and comes back sooner than in real life. */
export async function startDevice(options: DeviceOptions): Promise<Device> {
  const { url, signer, key, store = new MemoryStore(), prepare } = options;
  const registry = new Registry({ store });
  if (prepare !== undefined) await registry.with(signer ?? key, prepare);
  const delays: number[] = [];
  const session = connect(registry, url, {
    signers: signer ? [signer] : [],
    timer: (callback, delayMs) => {
      // Signs of life are asked for every 20 s: those stay as they are.
      if (delayMs >= 20_000) return systemTimer(callback, delayMs);
      delays.push(delayMs);
      return systemTimer(callback, delayMs / 50);
    },
    random: () => 1,
  });
  const rejected: SessionEvents["rejected"][] = [];
  session.on("rejected", (event) => rejected.push(event));
  const repo = await session.subscribe(key);
  return { registry, session, repo, rejected, delays };
}

/** Resolves when `test` holds, looked at whenever the repo or the session has something new. */
export function until({ repo, session }: Device, test: () => boolean): Promise<void> {
  return untilNews([repo, session], test);
}
