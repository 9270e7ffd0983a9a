/** Taking over into the log of one epoch what another log of the key has that it has not. */

import { untilThere } from "../codec/chunks.ts";
import { type Head, sameHead } from "../log/head.ts";
import type { Branch, RecordContent } from "./branch.ts";
import type { CitedHead } from "./cited_heads.ts";
import { citedHeads, citeEnd, commonBlocks, commonOfCited, isWithin } from "./cited_heads.ts";
import { type EpochStart, epochStart } from "./compaction.ts";
import { copyItem } from "./copy.ts";
import { sameItem } from "./same_item.ts";
import { Draft, Stored } from "./draft.ts";
import { records } from "./history.ts";
import { MergeAcross } from "./merge_across.ts";
import { citation, type MergeOptions, rootOf } from "./merge_branches.ts";
import { findRecord, type LogRecord } from "./record.ts";
import { ABSENT } from "../codec/find.ts";

/** Where two logs part that share no blocks. */
export interface Parting {
  /** The state that both began with, and whose log it is read in; undefined if none is known. */
  readonly base: { readonly of: Branch; readonly record: LogRecord } | undefined;
  /** Records of `mine` from this address on are its own. */
  readonly ownFrom: number;
  /** The head that the merge takes the place of, as its record cites it. */
  readonly cites?: CitedHead;
}

/**
 * Where `mine` parts from `theirs`, which is of a later epoch, or of the same one that both have begun.
 * The start of an epoch marks which logs it came from.
 */
export async function findParting(
  mine: Branch,
  theirs: Branch,
  replaced: Head | undefined,
): Promise<Parting> {
  const isOlder = replaced !== undefined && replaced.epoch < theirs.log.epoch;
  // Others that have a part of it can tell by the marks what was brought over.
  const cites = isOlder ? await citeEnd(mine.log, replaced) : replaced;
  return { ...await partingOf(mine, theirs), cites };
}

async function partingOf(mine: Branch, theirs: Branch): Promise<Parting> {
  const start = await untilThere(() => epochStart(theirs));
  const ends = start?.ends.filter(({ epoch }) => epoch === mine.log.epoch) ?? [];
  const merged = await untilThere(() =>
    [...citedSince(theirs, start)].filter(({ epoch }) => epoch === mine.log.epoch)
  );
  let common = 0;
  for (const cited of [...ends, ...merged]) {
    common = Math.max(common, await commonBlocks(mine.log, cited));
  }
  if (ends.length > 0 || common > 0) {
    return await partAt(mine, (await mine.log.extentAt(common)).bytes);
  }
  const own = mine.log.epoch === theirs.log.epoch && await untilThere(() => epochStart(mine));
  if (!start || !own) return { base: undefined, ownFrom: 0 };
  const [mineEnd, theirEnd] = [own.ends[0], start.ends[0]];
  const shared = commonOfCited(mineEnd, theirEnd);
  // What both compacted is the value that either of them began with, if it had nothing of its own.
  if (shared === mineEnd.blocks) return partAfter(mine, own.record);
  const base = shared === theirEnd.blocks ? { of: theirs, record: start.record } : undefined;
  return { base, ownFrom: 0 };
}

/** Whether `theirs` has all that a head of an earlier epoch covers, or nothing tells. */
export function covers(theirs: Branch, head: Head): boolean {
  const start = epochStart(theirs);
  const end = start?.ends.find(({ epoch }) => epoch === head.epoch);
  if (start === undefined || end === undefined || isWithin(head, end)) return true;
  // What was merged since says so.
  for (const cited of citedSince(theirs, start)) {
    if (cited.epoch !== head.epoch) continue;
    if (isWithin(head, cited) || sameHead({ ...head, ...cited }, head)) return true;
  }
  return theirs.log.epoch <= head.epoch;
}

/** Heads that records of `branch` cite, those after the start of its epoch if that is known. */
function* citedSince(
  { space, record }: Branch,
  start: EpochStart | undefined,
): Generator<CitedHead> {
  for (const { citesItem, cites } of records(space, record, { after: start?.record })) {
    if (citesItem !== undefined) yield* citedHeads(cites);
  }
}

/** `mine` parts where its log had so many bytes. */
export function partAt(mine: Branch, ownFrom: number): Promise<Parting> {
  return untilThere(() => {
    const record = mine.record &&
      findRecord(mine.space, mine.record, ({ address }) => address < ownFrom);
    return { base: record && { of: mine, record }, ownFrom };
  });
}

/**
 * Appends to `theirs` what `mine` has of its own: its events in order, then one record with the merged
 * value. Nothing if there is nothing. Synchronous: throws MissingBlock before it has appended any record.
 */
export function mergeEpochs(
  mine: Branch,
  theirs: Branch,
  { base, ownFrom, cites: replaced }: Parting,
  { now, onConflict }: Pick<MergeOptions, "now" | "onConflict">,
): void {
  const own: LogRecord[] = [];
  for (const record of mine.history()) {
    if (record.address < ownFrom) break;
    own.push(record);
  }
  if (own.length === 0) return;
  const newest = theirs.record;
  const merge = new MergeAcross({
    base: (base?.of ?? mine).space,
    mine: mine.space,
    theirs: theirs.space,
    order: own[0].time - (newest?.time ?? 0),
    onConflict,
  });
  const merged = merge.items(rootOf(base?.record), rootOf(own[0]), rootOf(newest), []);
  const draft = new Draft(theirs.space, merged === ABSENT ? undefined : merged);
  for (const { path, item } of merge.extras) draft.set(...path, new Stored(theirs.space, item));
  const root = draft.settle();
  const contents: RecordContent[] = own.reverse()
    .filter((record) => record.hasEvent && !isKept(theirs, record, merge))
    .map(({ event, message }) => ({
      root: newest?.root,
      message,
      event: copyItem(mine.space, event, theirs.space, 0),
      hasEvent: true,
    }));
  const hasChanged = !sameItem(root, newest?.root);
  if (contents.length === 0 && !hasChanged) return;
  const cites = replaced === undefined ? undefined : citation(theirs, replaced);
  if (cites !== undefined || hasChanged) contents.push({ root, message: "merge", cites });
  for (const content of contents) theirs.append(content, now);
}

/** Whether `theirs` took the record along when the epoch was raised. */
function isKept(theirs: Branch, { seq, time, event }: LogRecord, merge: MergeAcross): boolean {
  const kept = theirs.recordAt(seq);
  return kept?.seq === seq && kept.time === time && kept.hasEvent &&
    merge.isEqual(event, kept.event);
}

function partAfter(mine: Branch, record: LogRecord): Parting {
  return { base: { of: mine, record }, ownFrom: record.address + 1 };
}
