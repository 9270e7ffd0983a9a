/** Whether one side has something that the other's log does not hold yet. */

import type { SignedHead } from "../log/head.ts";
import type { Repo } from "../repo/repo.ts";
import type { ChannelState } from "./channel_state.ts";

/** Whether the peer has something of an earlier epoch that is lost if `repo`'s log takes its place. */
export async function peerHasMore(repo: Repo, head: SignedHead): Promise<boolean> {
  if (head.epoch >= repo.log.epoch || repo.signer === undefined) return false;
  return !await repo.covers(head);
}

/** Whether going on from the peer's branch would bring anything new: else both were merged for ever. */
export async function canYield(
  repo: Repo,
  { offered, peer, low }: ChannelState,
): Promise<boolean> {
  return offered && !await repo.knows(peer!, (await repo.log.extentAt(low)).bytes);
}
