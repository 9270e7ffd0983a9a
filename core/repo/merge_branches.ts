/** Taking over into one branch what another has that it has not. */

import { encode } from "../codec/encode.ts";
import type { Item } from "../codec/value.ts";
import type { VerifiedHead } from "../log/head.ts";
import type { Branch, RecordContent } from "./branch.ts";
import type { CitedHead } from "./cited_heads.ts";
import type { OnConflict } from "./conflict.ts";
import { copyItem } from "./copy.ts";
import { sameItem } from "./same_item.ts";
import { Draft, Stored } from "./draft.ts";
import { Merge } from "./merge.ts";
import { findRecord, type LogRecord } from "./record.ts";
import { ABSENT } from "../codec/find.ts";

/** How branches are merged. */
export interface MergeOptions {
  /** Addresses below this mean the same in both branches. */
  readonly sharedBytes: number;
  /** The clock's time in milliseconds. */
  readonly now: number;
  /** The signed head whose place is taken, if `mine` had one: the merge's record cites it. */
  readonly replaced: VerifiedHead | undefined;
  readonly onConflict: OnConflict;
}

/**
 * Appends to `theirs` what `mine` has since both were one: its events in order, then one record with
 * the merged value, which cites the head that it replaces. Nothing if `mine` has nothing of its own.
 * Synchronous: throws MissingBlock before it has appended any record.
 */
export function mergeBranches(mine: Branch, theirs: Branch, options: MergeOptions): void {
  const { onConflict, replaced, now, sharedBytes } = options;
  const own: LogRecord[] = [];
  for (const record of mine.history()) {
    if (record.address < sharedBytes) break;
    own.push(record);
  }
  if (own.length === 0) return;
  const newest = theirs.record;
  const base = newest && findRecord(theirs.space, newest, ({ address }) => address < sharedBytes);
  const merge = new Merge({
    mine: mine.space,
    theirs: theirs.space,
    sharedBytes,
    order: own[0].time - (newest?.time ?? 0),
    onConflict,
  });
  const merged = merge.items(rootOf(base), rootOf(own[0]), rootOf(newest), []);
  const draft = new Draft(theirs.space, merged === ABSENT ? undefined : merged);
  for (const { path, item } of merge.extras) draft.set(...path, new Stored(theirs.space, item));
  const root = draft.settle();
  const records: RecordContent[] = own.reverse().filter(({ hasEvent }) => hasEvent)
    .map(({ event, message }) => ({
      root: newest?.root,
      message,
      event: copyItem(mine.space, event, theirs.space, sharedBytes),
      hasEvent: true,
    }));
  const cites = replaced === undefined ? undefined : citation(theirs, replaced);
  if (cites !== undefined || !sameItem(root, newest?.root)) {
    records.push({ root, message: "merge", cites });
  }
  for (const record of records) theirs.append(record, now);
}

/** The value as of a record. Where only events were published there is none, which wins over none. */
export function rootOf(record: LogRecord | undefined): Item | typeof ABSENT {
  return record?.root === undefined ? ABSENT : record.root;
}

/** What a record cites that takes the place of a head. */
export function citation(branch: Branch, { epoch, blocks, root, marks }: CitedHead): Item {
  const cited = marks === undefined ? { epoch, blocks, root } : { epoch, blocks, root, marks };
  return encode(branch.space, [cited]);
}
