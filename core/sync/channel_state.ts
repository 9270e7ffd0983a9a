/** What the machine of a channel remembers, what happens to it, and what it says to do. */

import type { Code } from "../errors.ts";
import type { SignedHead } from "../log/head.ts";
import type { Position, Run } from "../log/run.ts";
import type { Message } from "./messages.ts";

/** Where a channel is. */
export type Phase = "opening" | "live" | "comparing" | "fetching" | "apart" | "refused";

/** Everything that the machine remembers. */
export interface ChannelState {
  readonly phase: Phase;
  /** Whether this side asked for the log: it is the one that settles a fork. */
  readonly isOpener: boolean;
  /** Whether this side can sign a merge. */
  readonly canMerge: boolean;
  /** This side's log, with what it has of a newer head. */
  readonly own: Position;
  /** How many of these blocks its own head covers. */
  readonly ownHead: number;
  /** The peer's head, as far as it has told. */
  readonly peer: SignedHead | undefined;
  readonly sent: number | undefined;
  /** How many blocks the peer has durably. */
  readonly acked: number;
  /** Whether the peer asked for the log too: then it settles forks that it loses. */
  readonly peerOpens: boolean;
  /** How often this side had to look again since something got through. */
  readonly tries: number;
  /** While comparing: both logs are equal up to `low` and differ after `high`. */
  readonly low: number;
  readonly high: number;
  /** The roots that were asked for last. */
  readonly asked: readonly number[];
  /** How many blocks were here when comparing began. */
  readonly compared: number;
  /** Whether this side's branch was offered in place of the peer's, and that is not settled yet. */
  readonly offered: boolean;
  /** Why the peer does not take this side's blocks. */
  readonly refusal: { readonly code: Code; readonly message: string } | undefined;
}

/** Whether the peer has been sent everything that is here. */
export function isSent({ phase, sent, own, ownHead }: ChannelState): boolean {
  return phase === "live" && sent === ownHead && own.blocks === ownHead;
}

/** What happened. */
export type Input =
  | { readonly type: "start" }
  /** What this side goes by is another log: one of a later epoch that it has in part, or not that one. */
  | { readonly type: "looked"; readonly own: Position; readonly ownHead: number }
  /** The peer asks; `shares`: whether this log begins with what the peer has. */
  | { readonly type: "open"; readonly have: Position | undefined; readonly shares: boolean }
  /**
   * The peer's head came. `shared`: how many of this side's blocks the peer says that it has;
   * `prefix`: how many blocks the peer has if this log begins with all of them; `shown`: how many of this
   * side's blocks others may have. Only what is past them can give way unseen.
   */
  | {
    readonly type: "head";
    readonly head: SignedHead | undefined;
    readonly shared: number | undefined;
    readonly prefix: number | undefined;
    readonly shown: number;
    /** Whether the peer has something of an earlier epoch that did not get into this log. */
    readonly lacks?: boolean;
  }
  /** The peer's roots came, compared with this side's. */
  | {
    readonly type: "compared";
    readonly at: readonly number[];
    readonly same: readonly boolean[];
    readonly shown: number;
  }
  /** The peer's branch is to take the place of this one from block `from` on. */
  | { readonly type: "replace"; readonly from: number }
  /** What was held of the peer's branch is of no use. */
  | { readonly type: "dropped"; readonly code: Code; readonly message: string }
  | { readonly type: "want"; readonly from: number }
  | { readonly type: "run"; readonly run: Run }
  /** A run that this side took for the next one does not fit. */
  | { readonly type: "misfit"; readonly run: Run }
  /**
   * A run was stored, after which the peer has `peerBlocks`; this side has `own` now, maybe with writes
   * of its own that waited.
   */
  | {
    readonly type: "stored";
    readonly own: Position;
    readonly ownHead: number;
    readonly peerBlocks: number;
  }
  /** The peer's branch is whole, merged, and has taken this one's place. */
  | {
    readonly type: "replaced";
    readonly own: Position;
    readonly ownHead: number;
    readonly peerBlocks: number;
  }
  /** This side's head moved on, from `from` blocks. */
  | {
    readonly type: "advanced";
    readonly own: Position;
    readonly ownHead: number;
    readonly from: number;
    readonly fromPeer: boolean;
  }
  | { readonly type: "sent"; readonly to: number }
  | { readonly type: "ack"; readonly blocks: number }
  | {
    readonly type: "reject";
    readonly code: Code;
    readonly message: string;
    readonly head: SignedHead | undefined;
    /** Whether this side can go on from the peer's branch instead: it has not merged that yet. */
    readonly canYield?: boolean;
  };

/** What to do about it. */
export type Effect =
  | { readonly type: "open" }
  | { readonly type: "opened"; readonly shared: number | undefined }
  | { readonly type: "send"; readonly message: Message }
  | { readonly type: "askRoots"; readonly at: readonly number[] }
  /** Send blocks from `sent` on, as far as the window allows. */
  | { readonly type: "pump" }
  | { readonly type: "store"; readonly run: Run }
  /**
   * Hold what the peer has from this block on, which `isAsked` for or comes by itself; it takes this log's
   * place when it is whole.
   */
  | { readonly type: "fetch"; readonly from: number; readonly isAsked: boolean }
  | { readonly type: "hold"; readonly run: Run }
  /** The peer's head is not what this side thought: look whether this log begins with it. */
  | { readonly type: "inspect"; readonly head: SignedHead }
  | { readonly type: "refuse"; readonly code: Code; readonly message: string };

/** The state after, and what to do. */
export type Step = readonly [ChannelState, readonly Effect[]];
