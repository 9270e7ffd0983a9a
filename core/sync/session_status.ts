/** What a session tells: its state, and what happens. */

import type { Value } from "../codec/value.ts";
import type { Code } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { RepoEvents } from "../repo/repo_events.ts";
import type { Phase } from "./channel_state.ts";
import type { Announcement } from "./messages.ts";

/** What was refused, or why. */
export interface Refused {
  /** For programs. */
  readonly code: Code;
  /** For people. */
  readonly message: string;
}

/** What is known of one repo on the other side. */
export interface RepoStatus {
  /** Whose repo. */
  readonly key: Key;
  /** Where the two sides are; `away` without a connection. */
  readonly phase: Phase | "away";
  /** Blocks of this side's head. */
  readonly blocks: number;
  /** Blocks of the peer's head, as far as it has told. */
  readonly peerBlocks: number;
  /** How many of them the peer has durably. */
  readonly acked: number;
  /** Why the peer does not take them. */
  readonly refusal: Refused | undefined;
}

/** The state of the connection. */
export interface SessionStatus {
  /** `away` between two tries. */
  readonly state: "connecting" | "online" | "away" | "closed";
  /** The address of the WebSocket. */
  readonly url: string;
  /** Why it is not online; empty if it is. */
  readonly reason: string;
  /** Milliseconds until the next try, while away. */
  readonly retryMs: number | undefined;
  /** Every repo that the session follows. */
  readonly repos: readonly RepoStatus[];
}

/** The events of a session. */
export type SessionEvents = {
  /** Something of the status changed. */
  status: SessionStatus;
  /** The peer refused something, or was caught at something: named by its code. */
  rejected: Refused & {
    readonly key: Key | undefined;
    /** Whether a rule was broken, which has ended the connection. */
    readonly isBreach: boolean;
  };
  /** Another device's log took the place of a repo's own; what was written here was merged into it. */
  merged: { readonly key: Key } & RepoEvents["merged"];
  /** The key has signed two branches, and a repo that cannot be written here went over to the one that wins. */
  forked: { readonly key: Key } & RepoEvents["forked"];
  /** Somebody names a repo under a topic that is of interest here. */
  announced: { readonly topic: string } & Announcement;
  /** Nobody names it there any more. */
  withdrawn: { readonly topic: string } & Announcement;
  /** Somebody has cast something; `by` is a key that the relay says the speaker has shown to hold. */
  cast: { readonly topic: string; readonly data: Value; readonly by: Key | undefined };
};
