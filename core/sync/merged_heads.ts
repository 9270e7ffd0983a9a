/** Heads of peers that were merged, whichever log went on. */

import { toHex } from "../bytes.ts";
import type { Head } from "../log/head.ts";
import type { Repo } from "../repo/repo.ts";

/** Heads remembered a repo: a peer offers its newest, so old ones do not come back. */
const HEADS_MAX = 1024;

/** What peers had that is part of this side's log since, whichever branch that goes on from. */
const merged = new WeakMap<Repo, Set<string>>();

/** Whether all of the peer's `head` was merged into `repo` before. */
export function wasMerged(repo: Repo, head: Head): boolean {
  return merged.get(repo)?.has(headText(head)) ?? false;
}

/** Remembers that `head` is part of `repo` now; the oldest is forgotten past {@link HEADS_MAX}. */
export function noteMerged(repo: Repo, head: Head): void {
  let heads = merged.get(repo);
  if (heads === undefined) merged.set(repo, heads = new Set());
  heads.add(headText(head));
  const [oldest] = heads;
  if (heads.size > HEADS_MAX) heads.delete(oldest);
}

function headText({ epoch, blocks, root }: Head): string {
  return `${epoch} ${blocks} ${toHex(root)}`;
}
