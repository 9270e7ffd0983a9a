/** Where two branches of one key part, and what each has of the other. */

import { untilThere } from "../codec/chunks.ts";
import type { Branch } from "./branch.ts";
import { type CitedHead, commonOfAll, isCited } from "./cited_heads.ts";
import { citedSince } from "./cited_since.ts";
import { chainOf } from "./epoch_before.ts";
import type { EpochStart } from "./epoch_start.ts";
import { hasPrefix } from "./known_heads.ts";
import { findRecord, type LogRecord } from "./record.ts";

/** A branch from one address on. */
export interface BranchPart {
  readonly branch: Branch;
  readonly from: number;
}

/** Where two logs part. */
export interface Parting {
  /** The state that both began with, and whose log it is read in; undefined if none is known. */
  readonly base: { readonly of: Branch; readonly record: LogRecord } | undefined;
  /** Records of `mine` from this address on are its own, and in no block before this one. */
  readonly ownFrom: number;
  readonly ownBlocks: number;
  /** What came after the base, the newest first, if not just that: epochs before are part of it. */
  readonly parts?: readonly BranchPart[];
}

/**
 * Where `mine` parts from `theirs`, which is of a later epoch, or of the same one that both have begun.
 * The start of an epoch marks which logs it came from; what it was is in the log before, if that is here.
 */
export async function findParting(mine: Branch, theirs: Branch): Promise<Parting> {
  const [chain, others] = [await chainOf(mine), await chainOf(theirs)];
  const { start } = others[0];
  // Ends of epochs, and what another device has brought over since.
  const cited = await citedSince(theirs, start?.record.address ?? 0);
  const parts: BranchPart[] = [];
  for (const { branch, start } of chain) {
    const { base, ownFrom, ownBlocks } = await partOf(branch, start, cited);
    if (base === undefined) {
      parts.push({ branch, from: start?.record.address ?? 0 });
      continue;
    }
    if (branch === mine) return { base, ownFrom, ownBlocks };
    return { base, ownFrom: 0, ownBlocks: 0, parts: [...parts, { branch, from: ownFrom }] };
  }
  // What `mine` has merged since it began is merged in stretches, and is not in that.
  const ends = chain[0].start?.ends ?? [];
  for (const { branch, start } of others) {
    const { base } = await partOf(branch, start, ends);
    if (base !== undefined) return { base, ownFrom: 0, ownBlocks: 0, parts: parts.slice(0, 1) };
  }
  return { base: undefined, ownFrom: 0, ownBlocks: 0, parts: parts.slice(0, 1) };
}

/** Where `branch` goes on from what is in one of `cited`: its first records may be all that tells. */
async function partOf(
  branch: Branch,
  start: EpochStart | undefined,
  cited: readonly CitedHead[],
): Promise<Parting> {
  const parting = await partFrom(branch, cited);
  // Two that compact one value begin with equal blocks, up to the record.
  if (parting.base !== undefined || start === undefined) return parting;
  return isCited(start.ends[0], cited) ? partAfter(branch, start.record) : parting;
}

/** Where `branch` goes on from what is in one of `cited`. */
async function partFrom(branch: Branch, cited: readonly CitedHead[]): Promise<Parting> {
  const blocks = await commonOfAll(branch.log, cited);
  return await partAt(branch, blocks, await bytesAt(branch, blocks));
}

/**
 * Where two branches of one log part, if that is later than `sharedBytes`, because `theirs` has merged a part
 * of `mine` already. Undefined if it has not.
 */
export async function findLaterParting(
  mine: Branch,
  theirs: Branch,
  sharedBytes: number,
): Promise<Parting | undefined> {
  const blocks = await commonOfAll(mine.log, await citedSince(theirs, sharedBytes));
  const bytes = await bytesAt(mine, blocks);
  return bytes > sharedBytes ? await partAt(mine, blocks, bytes) : undefined;
}

/** `mine` parts where its log had so many blocks and bytes. */
export function partAt(mine: Branch, ownBlocks: number, ownFrom: number): Promise<Parting> {
  return untilThere(() => {
    const record = mine.record &&
      findRecord(mine.space, mine.record, ({ address }) => address < ownFrom);
    return { base: record && { of: mine, record }, ownFrom, ownBlocks };
  });
}

/**
 * Of the heads that `mine` has merged since `sharedBytes`, those that `theirs` has too: events that came
 * from there are in both.
 */
export async function mergedInBoth(
  mine: Branch,
  theirs: Branch,
  sharedBytes: number,
): Promise<CitedHead[]> {
  const known = await citedSince(theirs, sharedBytes);
  const both: CitedHead[] = [];
  for (const cited of await citedSince(mine, sharedBytes)) {
    if (isCited(cited, known) || await hasPrefix(theirs.log, cited)) both.push(cited);
  }
  return both;
}

function partAfter(mine: Branch, record: LogRecord): Parting {
  return { base: { of: mine, record }, ownFrom: record.address + 1, ownBlocks: 0 };
}

/** How many bytes the first `blocks` blocks have. */
export async function bytesAt({ log }: Branch, blocks: number): Promise<number> {
  return blocks === 0 ? 0 : (await log.extentAt(blocks)).bytes;
}
