/** How one branch is taken into another: decided while blocks are read, done at once. */

import { StreamoError } from "../errors.ts";
import type { Branch } from "./branch.ts";
import { type CitedHead, citeReplaced, markedLengths } from "./cited_heads.ts";
import type { OnConflict } from "./conflict.ts";
import { knows } from "./known_heads.ts";
import { type BringingStep, mergeSteps } from "./merge_steps.ts";
import { findLaterParting, findParting, mergedInBoth, partAt, type Parting } from "./parting.ts";
import { type Step, stepsOf } from "./steps.ts";
import { sharedBy, type Succession } from "./succession.ts";
import { loadRecords, type Origin, originsOf } from "./taken_records.ts";

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
  const { sharedBlocks, sharedBytes, mustCite } = succession;
  const { epoch } = theirs.log;
  // Two that compact one value begin with equal blocks, up to the record.
  const isOneLog = epoch === mine.log.epoch &&
    (epoch === 0 || (await partAt(theirs, sharedBlocks, sharedBytes)).base !== undefined);
  const { replaced: head } = succession;
  // What another process has overtaken was never signed: nobody has merged it.
  const isSigned = head !== undefined;
  const both = await mergedInBoth(mine, theirs, sharedBytes);
  const replaced: CitedHead | undefined = isSigned
    ? await citeReplaced(mine.log, head, sharedBlocks)
    : undefined;
  const parting = await partingOf(mine, theirs, succession, isOneLog);
  // What is written from here on is not under the head that is cited, and not in the steps.
  const end = head?.bytes ?? (mine.record?.address ?? -1) + 1;
  const origins = isSigned ? await originsOf(mine.log, parting.ownBlocks, head) : [];
  const common = isOneLog ? sharedBytes : 0;
  const steps: BringingStep[] = [];
  for (const step of await stepsOf(mine, theirs, parting, end, common)) {
    if (step.cites.length > 0) steps.push({ ...step, brings: step.cites, parts: [] });
    else steps.push(await bringing(step, mine, origins, sharedBlocks));
  }
  const loaded = await loadRecords(mine, parting.ownFrom);
  const options = { ...rules, replaced, both, mustCite, origins, parting, loaded, steps, end };
  return () => mergeSteps(mine, theirs, { ...options, sharedBytes: common });
}

async function partingOf(
  mine: Branch,
  theirs: Branch,
  { sharedBlocks, sharedBytes, isStored = false, replaced }: Succession,
  isOneLog: boolean,
): Promise<Parting> {
  if (isOneLog) {
    const later = replaced && await findLaterParting(mine, theirs, sharedBytes);
    return later ?? await partAt(mine, sharedBlocks, sharedBytes);
  }
  // Another process over this store had all that is in it.
  if (isStored) return await partAt(mine, mine.log.sealedLength, mine.log.sealedBytes);
  return await findParting(mine, theirs);
}

/** A step of the branch's own, in parts as fine as those in which others may have it. */
async function bringing(
  step: Step,
  mine: Branch,
  origins: readonly Origin[],
  sharedBlocks: number,
): Promise<BringingStep> {
  const { after, records } = step;
  // Of epochs before nobody asks.
  const isOwn = after.of === mine;
  const last = isOwn ? origins.find(({ end }) => end > after.record.address) : undefined;
  if (last === undefined) return { ...step, brings: [], parts: [] };
  const marked = new Set(markedLengths(last.cited.blocks));
  const parts: BringingStep[] = [];
  let { before } = step;
  let next = 0;
  for (const { end, cited } of origins) {
    if (!marked.has(cited.blocks)) continue;
    const first = next;
    while (next < records.length && records[next].address < end) next++;
    if (next === records.length) break;
    if (next === first) continue;
    const part = { of: mine, record: records[next - 1] };
    parts.push({ ...step, before, after: part, brings: [cited], parts: [] });
    before = part;
  }
  const brings = [await citeReplaced(mine.log, last.cited, sharedBlocks)];
  return { ...step, brings, parts };
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
