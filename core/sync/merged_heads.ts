/** Heads of peers that were merged, whichever log went on. */

import { toHex } from "../bytes.ts";
import type { Head } from "../log/head.ts";
import type { Repo } from "../repo/repo.ts";

/** What peers had that is part of this side's log since, whichever branch that goes on from. */
const merged = new WeakMap<Repo, Set<string>>();

/** By {@link headText}; grows with every one. */
export function mergedHeads(repo: Repo): Set<string> {
  let heads = merged.get(repo);
  if (heads === undefined) merged.set(repo, heads = new Set());
  return heads;
}

/** The head as one word. */
export function headText({ epoch, blocks, root }: Head): string {
  return `${epoch} ${blocks} ${toHex(root)}`;
}
