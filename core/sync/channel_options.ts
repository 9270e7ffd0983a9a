/** What a channel is made of. */

import type { StreamoError } from "../errors.ts";
import type { Repo } from "../repo/repo.ts";
import type { Channel } from "./channel.ts";
import type { HoldBudgets } from "./hold_budget.ts";
import type { Message } from "./messages.ts";
import type { Waiting } from "./waiting.ts";

/** What a channel needs of its conversation. */
export interface ChannelOptions {
  readonly repo: Repo;
  readonly isOpener: boolean;
  /** Number of the frames that this side sends. */
  readonly number: number;
  readonly send: (data: Message | Uint8Array) => void;
  /** For branches that come from the peer. */
  readonly budgets: HoldBudgets;
  /** For what came and waits. */
  readonly waiting: Waiting;
  /** So many bytes more are on their way to a peer that acknowledges every frame; fewer if negative. */
  readonly onSent?: (bytes: number) => void;
  /**
   * Whether blocks may be sent now, while less than `most` bytes wait; if not, {@link Channel.resume} is
   * called when they may.
   */
  readonly hasRoom: (channel: Channel, most: number) => boolean;
  /** The state changed, or something is to be told. */
  readonly onStatus: (channel: Channel) => void;
  /** The peer broke the rules; the conversation ends. */
  readonly onViolation: (error: StreamoError) => void;
}
