/** Taking over into one branch what another of the same log has that it has not. */

import type { Item } from "../codec/value.ts";
import type { Branch } from "./branch.ts";
import type { OnConflict } from "./conflict.ts";
import { sameItem } from "./same_item.ts";
import { Draft, Stored } from "./draft.ts";
import { Merge } from "./merge.ts";
import { findRecord, type LogRecord } from "./record.ts";
import { ABSENT } from "../codec/find.ts";
import {
  MERGE_MESSAGE,
  mergeCites,
  recordsFrom,
  takenEvents,
  type TakenOptions,
} from "./taken_records.ts";

/** How branches are merged. */
export interface MergeOptions extends TakenOptions {
  /** The clock's time in milliseconds. */
  readonly now: number;
  readonly onConflict: OnConflict;
}

/**
 * Appends to `theirs` what `mine` has since both were one: its events in order, then one record with
 * the merged value, which cites the head that it replaces. Nothing if `mine` has nothing of its own.
 * Synchronous: throws MissingBlock before it has appended any record.
 */
export function mergeBranches(mine: Branch, theirs: Branch, options: MergeOptions): void {
  const { onConflict, now, sharedBytes } = options;
  const own = recordsFrom(mine, sharedBytes);
  if (own.length === 0 && !options.mustCite) return;
  const newest = theirs.record;
  const base = newest && findRecord(theirs.space, newest, ({ address }) => address < sharedBytes);
  const merge = new Merge({
    mine: mine.space,
    theirs: theirs.space,
    sharedBytes,
    order: (own[0]?.time ?? 0) - (newest?.time ?? 0),
    onConflict,
  });
  const merged = own.length === 0
    ? rootOf(newest)
    : merge.items(rootOf(base), rootOf(own[0]), rootOf(newest), []);
  const draft = new Draft(theirs.space, merged === ABSENT ? undefined : merged);
  for (const { path, item } of merge.extras) draft.set(...path, new Stored(theirs.space, item));
  const root = draft.settle();
  const contents = takenEvents(own, mine, theirs, options);
  const cites = mergeCites(own, mine, theirs, options);
  if (cites !== undefined || !sameItem(root, newest?.root)) {
    contents.push({ root, message: MERGE_MESSAGE, cites });
  }
  for (const content of contents) theirs.append(content, now);
}

/** The value as of a record. Where only events were published there is none, which wins over none. */
export function rootOf(record: LogRecord | undefined): Item | typeof ABSENT {
  return record?.root === undefined ? ABSENT : record.root;
}
