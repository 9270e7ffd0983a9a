/** Relays over one database are one relay: what is pushed to one reaches the clients of all. */

import { systemTimer, type Timer } from "../core/platform.ts";
import type { Registry } from "../core/repo/registry.ts";

/** Before a watch that broke is begun again. */
const PAUSE_MS = 1_000;

/** What {@link watchStore} needs. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Hears why a watch broke. */
  readonly onError: (error: unknown) => void;
  readonly timer?: Timer;
}

/** Follows what other processes write to the registry's store, until `signal`. */
export async function watchStore(
  registry: Registry,
  { signal, onError, timer = systemTimer }: WatchOptions,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await registry.watch(signal);
    } catch (error) {
      onError(error);
    }
    await new Promise<void>((resolve) => {
      const stop = timer(resolve, PAUSE_MS);
      signal.addEventListener("abort", () => {
        stop();
        resolve();
      }, { once: true });
    });
  }
}
