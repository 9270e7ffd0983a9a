/** Where two branches of one key part, and what each has of the other. */

import { untilThere } from "../codec/chunks.ts";
import { equal } from "../bytes.ts";
import type { Head } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import { rootOf } from "../log/merkle.ts";
import type { Position } from "../log/run.ts";
import type { Branch } from "./branch.ts";
import { type CitedHead, commonOfAll, commonOfCited, isCited } from "./cited_heads.ts";
import { citedSince, takenSince } from "./cited_since.ts";
import { epochStart } from "./epoch_start.ts";
import { findRecord, type LogRecord } from "./record.ts";

/** Where two logs part. */
export interface Parting {
  /** The state that both began with, and whose log it is read in; undefined if none is known. */
  readonly base: { readonly of: Branch; readonly record: LogRecord } | undefined;
  /** Records of `mine` from this address on are its own, and in no block before this one. */
  readonly ownFrom: number;
  readonly ownBlocks: number;
}

/**
 * Where `mine` parts from `theirs`, which is of a later epoch, or of the same one that both have begun.
 * The start of an epoch marks which logs it came from.
 */
export async function findParting(mine: Branch, theirs: Branch): Promise<Parting> {
  const { epoch } = mine.log;
  const start = await epochStart(theirs);
  const end = start?.ends.find((end) => end.epoch === epoch);
  // Its end, or what another device has brought over since, or before an epoch in between.
  const known = await commonOfAll(mine.log, await citedSince(theirs, start?.record.address ?? 0));
  if (end !== undefined || known > 0) return partAt(mine, known, await bytesAt(mine, known));
  const own = mine.log.epoch === theirs.log.epoch && await epochStart(mine);
  if (!start || !own) return { base: undefined, ownFrom: 0, ownBlocks: 0 };
  const [mineEnd, theirEnd] = [own.ends[0], start.ends[0]];
  const common = commonOfCited(mineEnd, theirEnd);
  // What both compacted is the value that either of them began with, if it had nothing of its own.
  if (common === mineEnd.blocks) return partAfter(mine, own.record);
  const base = common === theirEnd.blocks ? { of: theirs, record: start.record } : undefined;
  return { base, ownFrom: 0, ownBlocks: 0 };
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

/** Whether `branch` has all that a head of an earlier epoch covers, or nothing tells. */
export async function covers(branch: Branch, head: Head): Promise<boolean> {
  const start = await epochStart(branch);
  if (start === undefined || !start.ends.some(({ epoch }) => epoch === head.epoch)) return true;
  return (await takenSince(branch, start.record.address, [head])).length > 0;
}

/** Whether all that `head` covers is in `branch`, or was merged into it past `sharedBytes`. */
export async function knows(branch: Branch, head: Head, sharedBytes: number): Promise<boolean> {
  const { epoch } = branch.log;
  if (head.epoch > epoch) return false;
  if (head.epoch < epoch) return await covers(branch, head);
  return await hasPrefix(branch.log, head) ||
    (await takenSince(branch, sharedBytes, [head])).length > 0;
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

/** Whether `log` begins with all that a head of it covers. */
export async function hasPrefix(log: Log, { epoch, blocks, root }: Position): Promise<boolean> {
  if (epoch !== log.epoch || blocks > (log.newest?.blocks ?? 0)) return false;
  const { frontier } = await log.extentAt(blocks);
  return equal(rootOf(log.crypto, frontier), root);
}

function partAfter(mine: Branch, record: LogRecord): Parting {
  return { base: { of: mine, record }, ownFrom: record.address + 1, ownBlocks: 0 };
}

/** How many bytes the first `blocks` blocks have. */
export async function bytesAt({ log }: Branch, blocks: number): Promise<number> {
  return blocks === 0 ? 0 : (await log.extentAt(blocks)).bytes;
}
