/** How one branch is taken into another: decided while blocks are read, done at once. */

import { untilThere } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import type { Branch } from "./branch.ts";
import { type CitedHead, citeReplaced } from "./cited_heads.ts";
import type { OnConflict } from "./conflict.ts";
import { mergeBranches } from "./merge_branches.ts";
import { mergeEpochs } from "./merge_epochs.ts";
import { sharedBy, type Succession } from "./succession.ts";
import { originsOf, recordsFrom } from "./taken_records.ts";
import {
  findLaterParting,
  findParting,
  knows,
  mergedInBoth,
  partAt,
  partlyMerged,
} from "./parting.ts";

/** How conflicts are decided, and when. */
export interface MergeRules {
  readonly now: number;
  readonly onConflict: OnConflict;
}

/** What appends to `theirs` what is only in `mine`; it may be called again if a block was missing. */
export async function planMerge(
  mine: Branch,
  theirs: Branch,
  succession: Succession,
  rules: MergeRules,
): Promise<() => void> {
  const { sharedBlocks, sharedBytes, isStored = false, mustCite } = succession;
  const { epoch } = theirs.log;
  const isOneLog = epoch === mine.log.epoch && (epoch === 0 || sharedBytes > 0);
  const { replaced: head } = succession;
  // What another process has overtaken was never signed: nobody has merged it.
  const isSigned = head !== undefined;
  const both = isSigned ? await mergedInBoth(mine, theirs, sharedBytes) : [];
  const replaced: CitedHead | undefined = isSigned
    ? await citeReplaced(mine.log, head, sharedBlocks)
    : undefined;
  const origins = async (ownFrom: number) => {
    const own = isSigned ? await untilThere(() => recordsFrom(mine, ownFrom)) : [];
    if (!own.some(({ hasEvent }) => hasEvent)) return [];
    return await originsOf(mine.log, sharedBlocks, head!);
  };
  const options = { ...rules, replaced, both, mustCite };
  const partly = isSigned ? await partlyMerged(mine, theirs, sharedBytes) : [];
  const isCrossed = both.length > 0 || partly.length > 0;
  const later = isOneLog && isSigned
    ? await findLaterParting(mine, theirs, sharedBytes) ??
      (isCrossed ? await partAt(mine, sharedBytes) : undefined)
    : undefined;
  if (isOneLog && later === undefined) {
    const all = { ...options, origins: await origins(sharedBytes) };
    return () => mergeBranches(mine, theirs, { ...all, sharedBytes });
  }
  // Another process over this store had all that is in it.
  const parting = later ??
    (isStored ? await partAt(mine, mine.log.sealedBytes) : await findParting(mine, theirs));
  const all = { ...options, origins: await origins(parting.ownFrom) };
  return () => mergeEpochs(mine, theirs, { ...all, parting, partly });
}

/**
 * What appends to `theirs` what the log of `mine` has, a branch that lost or one of an earlier epoch;
 * undefined if nothing is to be done. `conflict` if it does not part from the log of `theirs` any more.
 */
export async function planTakeIn(
  mine: Branch,
  theirs: Branch,
  rules: MergeRules,
): Promise<(() => void) | undefined> {
  const { log } = mine;
  if (log.epoch === theirs.log.epoch && !await log.isExtendedBy(theirs.log)) {
    throw new StreamoError("conflict", `a branch does not part from the log of ${log.key}`);
  }
  const shared = await sharedBy(log, theirs.log);
  if (await knows(theirs, log.newest!, shared.sharedBytes)) return undefined;
  await mine.follow();
  return await planMerge(mine, theirs, { ...shared, replaced: log.newest, mustCite: true }, rules);
}
