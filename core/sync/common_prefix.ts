/** How two peers find out what their logs have in common. */

import { equal } from "../bytes.ts";
import type { SignedHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import type { Position } from "../log/run.ts";
import type { Repo } from "../repo/repo.ts";
import type { ChannelState } from "./channel_state.ts";
import type { LogMessage } from "./log_messages.ts";
import { ROOTS_MAX } from "./messages.ts";

/** Roots over the first blocks of a log; undefined where it is shorter. */
export type Roots = readonly (Uint8Array | undefined)[];

/** Whether `log` begins with all that `position` states. */
export async function begins(log: Log, position: Position | undefined): Promise<boolean> {
  if (position === undefined || position.blocks === 0) return true;
  if (position.epoch !== log.epoch) return false;
  const root = await log.rootAt(position.blocks);
  return root !== undefined && equal(root, position.root);
}

/** With how many blocks of `repo`'s log a peer's, of which it tells these, is known to begin. */
export async function prefixOf(
  repo: { readonly log: Log },
  head: SignedHead | undefined,
  staged: Position | undefined,
): Promise<number | undefined> {
  if (staged !== undefined && await begins(repo.log, staged)) return staged.blocks;
  if (await begins(repo.log, head)) return head?.blocks ?? 0;
  // A peer that is an epoch behind takes this side's log from its beginning.
  return head!.epoch < repo.log.epoch ? 0 : undefined;
}

/** The answer to a peer that asks for roots of `log`. */
export async function rooted(
  log: Log,
  { key, at }: Extract<LogMessage, { type: "roots" }>,
): Promise<LogMessage> {
  return { type: "rooted", key, at, roots: await rootsAt(log, at) };
}

/** The roots of `log` over its first blocks, for each of the lengths `at`. */
async function rootsAt(log: Log, at: readonly number[]): Promise<Roots> {
  const roots: (Uint8Array | undefined)[] = [];
  for (const length of at.slice(0, ROOTS_MAX)) roots.push(await log.rootAt(length));
  return roots;
}

/**
 * At which of the lengths `at` the log has the same root as a peer; undefined if another log has taken
 * its place meanwhile: what was read may be of both, or gone.
 */
export async function compareRoots(
  repo: { readonly log: Log },
  { at, roots }: { readonly at: readonly number[]; readonly roots: Roots },
): Promise<boolean[] | undefined> {
  const { log } = repo;
  const own = await rootsAt(log, at).catch((error) => {
    if (repo.log === log) throw error;
  });
  if (!own || repo.log !== log) return;
  return at.map((_, i) => {
    const [mine, theirs] = [own[i], roots[i]];
    return mine && theirs ? equal(mine, theirs) : false;
  });
}

/** Whether the peer has something of an earlier epoch that is lost if `repo`'s log takes its place. */
export async function peerHasMore(repo: Repo, head: SignedHead): Promise<boolean> {
  if (head.epoch >= repo.log.epoch || repo.signer === undefined) return false;
  return !await (await repo.trunk.settling()).covers(head);
}

/** Whether going on from the peer's branch would bring anything new: else both were merged for ever. */
export async function canYield(
  repo: Repo,
  { offered, peer, low }: ChannelState,
): Promise<boolean> {
  return offered &&
    !await (await repo.trunk.settling()).knows(peer!, (await repo.log.extentAt(low)).bytes);
}
