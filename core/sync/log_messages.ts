/** Control messages about one log. */

import type { Code } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { SignedHead } from "../log/head.ts";
import type { Position } from "../log/run.ts";

/** A branch that lost against the log of its key. */
export interface OfferedBranch {
  /** Covers all of it. */
  readonly head: SignedHead;
  /** How many blocks it has in common with the log of whoever keeps it. */
  readonly from: number;
}

/** What is said about one log. */
export type LogMessage =
  /**
   * "I want this log, and have this of it." Blocks that I send for it carry `channel`. A relay that
   * asks for others says by way of which relays, itself the last one.
   */
  | {
    readonly type: "open";
    readonly key: Key;
    readonly channel: number;
    readonly have: Position | undefined;
    readonly via?: readonly string[];
  }
  /**
   * "This is my head; blocks that I send carry `channel`." `shared` is how many blocks both have in
   * common, where that is known: then the blocks after it follow without being asked for.
   */
  | {
    readonly type: "opened";
    readonly key: Key;
    readonly channel: number;
    readonly head: SignedHead | undefined;
    /** Blocks past the head that are here from an upload that broke off. */
    readonly staged: Position | undefined;
    readonly shared: number | undefined;
  }
  /** "What are your roots over so many blocks?" */
  | { readonly type: "roots"; readonly key: Key; readonly at: readonly number[] }
  /** The answer; undefined where the log is shorter. */
  | {
    readonly type: "rooted";
    readonly key: Key;
    readonly at: readonly number[];
    readonly roots: readonly (Uint8Array | undefined)[];
  }
  /**
   * "Send your blocks from this one on"; with `aside`, the root of a branch that the peer keeps: one frame
   * of that.
   */
  | {
    readonly type: "want";
    readonly key: Key;
    readonly from: number;
    readonly aside?: Uint8Array;
  }
  /** "My blocks that follow take the place of yours from this one on." */
  | { readonly type: "replace"; readonly key: Key; readonly from: number }
  /** "I keep these branches of the log: whoever can sign may merge them." */
  | { readonly type: "aside"; readonly key: Key; readonly branches: readonly OfferedBranch[] }
  /** "I have this many of your blocks of this epoch, durably"; with `held` only beside my own log, for now. */
  | {
    readonly type: "ack";
    readonly key: Key;
    readonly epoch: number;
    readonly blocks: number;
    readonly held?: boolean;
  }
  /** "I do not take this"; with a head where the sender should look at it. */
  | {
    readonly type: "reject";
    readonly key: Key;
    readonly code: Code;
    readonly message: string;
    readonly head: SignedHead | undefined;
  }
  /** "I do not want this log any more." */
  | { readonly type: "close"; readonly key: Key };

const ABOUT_LOGS: ReadonlySet<string> = new Set<LogMessage["type"]>(
  ["open", "opened", "roots", "rooted", "want", "replace", "aside", "ack", "reject", "close"],
);

/** Whether `message` is about one log. */
export function isAboutLog(message: { readonly type: string }): message is LogMessage {
  return ABOUT_LOGS.has(message.type);
}
