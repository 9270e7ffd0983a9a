/** Where one repo is between this side and a peer. */

import type { SignedHead } from "../log/head.ts";
import type { Repo } from "../repo/repo.ts";
import type { ChannelState } from "./channel_state.ts";
import type { RepoStatus } from "./session_status.ts";

/** How many blocks of an epoch a peer has acknowledged. */
export interface Acked {
  readonly epoch: number;
  readonly blocks: number;
}

/** The status of `repo`, whose channel is in `state`; `known` is what the peer has said last. */
export function repoStatus(
  repo: Repo,
  state: ChannelState | undefined,
  known: Acked | undefined,
): RepoStatus {
  // Blocks of an epoch before are none of this one.
  const isSame = (epoch?: number) => epoch === repo.log.epoch;
  const blocks = repo.head?.blocks ?? 0;
  // What was acknowledged stays so while the peer is away.
  const remembered = isSame(known?.epoch) ? Math.min(known!.blocks, blocks) : 0;
  const acked = isSame(state?.own.epoch) ? state!.acked : 0;
  return {
    key: repo.key,
    phase: state?.phase ?? "away",
    blocks,
    peerBlocks: state?.peer?.blocks ?? 0,
    acked: state === undefined || state.phase === "opening" ? remembered : acked,
    refusal: state?.refusal,
  };
}

/** Whether this side has what `head` covers. */
export function covers({ own, ownHead }: ChannelState, head: SignedHead | undefined): boolean {
  if (head === undefined || head.epoch < own.epoch) return true;
  return head.epoch === own.epoch && ownHead >= head.blocks;
}
