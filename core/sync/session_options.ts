/** How a session is held. */

import type { Signer } from "../identity/signer.ts";
import type { Random, RandomBytes, Timer } from "../platform.ts";
import type { ConversationOptions } from "./conversation.ts";
import type { Follow } from "./follow_links.ts";
import type { SessionEvents } from "./session_status.ts";
import type { Transport } from "./transport.ts";

/** How a repo is followed. */
export interface SubscribeOptions {
  /** All of it is stored here (the default), or blocks are fetched as they are read. */
  readonly mode?: "whole" | "sparse";
  /** For others: the relays by way of which they ask, see {@link Upstreams}. */
  readonly via?: readonly string[];
  /** Who keeps it, until it is given up by the same; the session by default. */
  readonly owner?: unknown;
}

/** How a session is held; everything has a default. */
export interface SessionOptions {
  /** Signers of the repos that are written here. */
  readonly signers?: readonly Signer[];
  /** Name and version of the software, for people. */
  readonly software?: string;
  /** Waits before the next try; the platform's by default. */
  readonly timer?: Timer;
  /** Spreads tries over time; the platform's by default. */
  readonly random?: Random;
  /** Makes challenges; the platform's by default. */
  readonly randomBytes?: RandomBytes;
  /** Opens connections; by default the platform's WebSocket to the address of a relay. */
  readonly openTransport?: (url: string) => Transport;
  /** Name and port of the peer, to which claims are bound: of the WebSocket's address by default. */
  readonly host?: string;
  /**
   * Says what to follow because of what is in the peer's home repo, and in what is followed already;
   * "links": what links in their values point to, two steps from home.
   */
  readonly follow?: Follow | "links";
  /** Hears of every announcement under a topic of interest: the same as `on("announced", ...)`. */
  readonly onAnnounce?: (event: SessionEvents["announced"]) => void;
  /** What this side is called in `via`, if it is a relay: see {@link Upstreams}. */
  readonly relay?: string;
  /** The topics of this process, if it is a relay: what is said under them goes there and comes from there. */
  readonly topics?: ConversationOptions["link"];
  /** Whether the peer may have, and push to, other logs; a code refuses it. Nothing by default. */
  readonly admit?: ConversationOptions["admit"];
  /** The peer does not use a log any more that it was admitted to. */
  readonly onLeave?: ConversationOptions["onLeave"];
}
