/** Runs a sync after every quiet moment that follows a change. */

import { StreamoError } from "../../core/errors.ts";
import { isFileError } from "./problem.ts";
import type { Report } from "./mirror.ts";

/** How {@link Mirror.watch} behaves. */
export interface WatchOptions {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called after every sync. */
  readonly onReport?: (report: Report) => void;
  /**
   * Called when a sync or the watcher fails with a coded error; the watch goes on. Without it the
   * watch ends with that error.
   */
  readonly onError?: (error: StreamoError) => void;
  /** A sync waits for this long without a change; 50 ms. */
  readonly quietMs?: number;
  /** But no longer than this; 1 s. */
  readonly maxQuietMs?: number;
  /** A sync without any known change, as watchers miss some; 60 s. */
  readonly rescanMs?: number;
  /** The same while the folder cannot be watched; 2 s, but ten times what a sync takes. */
  readonly unwatchedMs?: number;
}

/** What {@link watchFolder} needs besides. */
export interface WatchFolderOptions extends WatchOptions {
  /** The folder, absolute. */
  readonly root: string;
  /** Makes both sides equal. */
  readonly sync: () => Promise<Report>;
  /** Gets a function that stands for a change elsewhere. */
  readonly onWake: (wake: () => void) => void;
  /** Whether a change of this absolute path can concern the mirror. */
  readonly matters: (path: string) => boolean;
}

/** Watches until the signal. */
export async function watchFolder(options: WatchFolderOptions): Promise<void> {
  const { signal, quietMs = 50, maxQuietMs = 1000, rescanMs = 60_000, unwatchedMs = 2000 } =
    options;
  const bell = new Bell(signal);
  options.onWake(() => bell.ring());
  const fail = (error: unknown): void => {
    if (!(error instanceof StreamoError) || options.onError === undefined) throw error;
    options.onError(error);
  };
  let events = watchEvents(options, bell);
  let toldOf: string | undefined;
  try {
    while (!signal.aborted) {
      const start = performance.now();
      // From here on a change counts for the next sync, however long this one takes.
      bell.clear();
      let pending = false;
      try {
        const report = await options.sync();
        pending = report.pending;
        options.onReport?.(report);
        if (events.failed) {
          await events.close();
          events = watchEvents(options, bell);
          // What changed while nobody watched.
          pending = true;
        }
      } catch (error) {
        fail(error);
        // A folder that went away and comes back is another one to the watcher.
        events.failed = true;
      }
      // One unreadable folder inside is enough: that is told once, and need not end anything.
      if (events.error !== undefined && events.error.message !== toldOf) fail(events.error);
      toldOf = events.error?.message;
      const pollMs = Math.max(unwatchedMs, 10 * (performance.now() - start));
      const waitMs = events.failed ? pollMs : pending ? maxQuietMs : rescanMs;
      await bell.wait(Math.min(waitMs, rescanMs));
      await bell.quiet(quietMs, maxQuietMs);
    }
  } finally {
    options.onWake(() => undefined);
    await events.close();
  }
}

interface Events {
  /** Whether it must be started again. */
  failed: boolean;
  /** Why it failed, if it did so by itself. */
  error: StreamoError | undefined;
  close(): Promise<void>;
}

/** Rings the bell at every change that matters. */
function watchEvents({ root, matters }: WatchFolderOptions, bell: Bell): Events {
  const events: Events = { failed: false, error: undefined, close: () => Promise.resolve() };
  const fail = (error: unknown): void => {
    if (!isFileError(error)) throw error;
    const message =
      `cannot watch "${root}", changes are looked for now and then instead: ${error.message}`;
    events.error = new StreamoError("storage", message, {}, { cause: error });
    events.failed = true;
  };
  let watcher: Deno.FsWatcher;
  try {
    watcher = Deno.watchFs(root, { recursive: true });
  } catch (error) {
    fail(error);
    return events;
  }
  let closed = false;
  const pump = (async () => {
    for await (const { kind, paths, flag } of watcher) {
      if (kind === "access") continue;
      if (flag === "rescan" || paths.length === 0 || paths.some(matters)) bell.ring();
    }
    closed = true;
  })().catch((error) => {
    closed = true;
    fail(error);
    bell.ring();
  });
  events.close = async () => {
    if (!closed) watcher.close();
    await pump;
  };
  return events;
}

/** Remembers that it was rung, and wakes whoever waits. */
class Bell {
  #rung = false;
  #wake: () => void = () => undefined;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  clear(): void {
    this.#rung = false;
  }

  /** True once it is rung, false after `ms` or at the end of the watch. */
  async wait(ms: number): Promise<boolean> {
    if (this.#rung || this.#signal.aborted) return this.#rung;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    const stop = (): void => resolve();
    this.#signal.addEventListener("abort", stop);
    await promise;
    this.#signal.removeEventListener("abort", stop);
    clearTimeout(timer);
    return this.#rung;
  }

  /** Waits until nothing rings for `ms`, but no longer than `maxMs`. */
  async quiet(ms: number, maxMs: number): Promise<void> {
    const deadline = performance.now() + maxMs;
    do this.clear(); while (performance.now() < deadline && await this.wait(ms));
  }
}
