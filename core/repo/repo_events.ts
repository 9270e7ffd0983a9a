/** What a repo tells. */

import { Emitter, throwUncaught } from "../events.ts";
import type { Advance } from "../log/advance.ts";
import type { VerifiedHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import type { LogRecord } from "./record.ts";
import type { Snapshot } from "./snapshot.ts";

/** A branch has taken the place of another. */
export interface ForkedEvent {
  /** The head that was here. */
  readonly lost: VerifiedHead;
  /** The head that is here now. */
  readonly won: VerifiedHead;
  /**
   * Shows anyone that the key has signed two branches: see `verifyFork` in `@streamo/streamo/sources`.
   * Undefined if another process over this store has moved over, and what lost is not here any more.
   */
  readonly proof: Uint8Array | undefined;
}

/** The events of a repo. */
export type RepoEvents = {
  /**
   * There is a new record, written here (then not durable yet) or received; `before` is the state
   * that it follows.
   */
  change: { readonly record: LogRecord; readonly before: Snapshot; readonly isLocal: boolean };
  /** The log is durably longer. */
  advance: Advance;
  /** Another device's log took the place of this one; what was written here was merged into it. */
  merged: { readonly record: LogRecord; readonly replaced: VerifiedHead | undefined };
  /**
   * The log lost against another branch of its key, which has taken its place. Both heads are signed:
   * the key has two branches. What was only here is kept aside until its writer has merged it.
   */
  forked: ForkedEvent;
  /** @ignore So many branches wait for a writer now. */
  asides: number;
  /** From this address on the log was replaced: what was known of addresses there is void. */
  replaced: { readonly sharedBytes: number };
  /** Writes could not be stored; they are kept and tried again at the next flush. */
  failed: unknown;
  /** A listener threw this. Where nobody listens to `error` it is an uncaught error. */
  error: unknown;
};

/** Tells through `emitter` what `log` tells; the result stops it. */
export function passOn(log: Log, emitter: Emitter<RepoEvents>): () => void {
  return log.events.on("advance", (event) => emitter.emit("advance", event));
}

/** An emitter whose listeners' mistakes reach neither writers nor peers. */
export function repoEmitter(): Emitter<RepoEvents> {
  const emitter: Emitter<RepoEvents> = new Emitter((error, name) => {
    if (name === "error" || !emitter.has("error")) throwUncaught(error);
    else emitter.emit("error", error);
  });
  return emitter;
}
