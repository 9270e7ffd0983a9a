/** Taking over into a log what another of the key has that shares no blocks with it, or too few. */

import { equal } from "../bytes.ts";
import type { Space } from "../codec/chunks.ts";
import type { Branch } from "./branch.ts";
import { type Maybe, sameItem } from "./same_item.ts";
import { Draft, Stored } from "./draft.ts";
import { MergeAcross } from "./merge_across.ts";
import { type MergeOptions, rootOf } from "./merge_branches.ts";
import type { Parting, PartlyMerged } from "./parting.ts";
import type { LogRecord } from "./record.ts";
import { ABSENT } from "../codec/find.ts";
import {
  MERGE_MESSAGE,
  mergeCites,
  recordsFrom,
  stretchesOf,
  takenEvents,
} from "./taken_records.ts";

/** How the logs are merged. */
export interface MergeAcrossOptions extends Omit<MergeOptions, "sharedBytes"> {
  readonly parting: Parting;
  /** What `mine` has merged of which `theirs` has a part. */
  readonly partly: readonly PartlyMerged[];
}

/** A value, and where it is read. */
interface State {
  readonly space: Space;
  readonly item: Maybe;
}

/**
 * Appends to `theirs` what `mine` has of its own: its events in order, then one record with the merged
 * value. Nothing if there is nothing. Synchronous: throws MissingBlock before it has appended any record.
 */
export function mergeEpochs(mine: Branch, theirs: Branch, options: MergeAcrossOptions): void {
  const { parting: { base, ownFrom }, partly, mustCite = false, now, onConflict } = options;
  const own = recordsFrom(mine, ownFrom);
  if (own.length === 0 && !mustCite) return;
  const newest = theirs.record;
  const order = (own[0]?.time ?? 0) - (newest?.time ?? 0);
  const logs = { mine: mine.space, theirs: theirs.space, order, onConflict };
  // What was merged here of which `theirs` has a part: that part, and what was here before, are no changes.
  const bothOf = (from: State, known: LogRecord): State => {
    const first = { ...logs, base: (base?.of ?? mine).space, mine: from.space };
    const across = new MergeAcross(first);
    return {
      space: theirs.space,
      item: across.items(rootOf(base?.record), from.item, rootOf(known), []),
    };
  };
  let merged = rootOf(newest);
  const extras: MergeAcross["extras"] = [];
  for (
    const { before, after, merged: head } of stretchesOf(mine, own, base?.record, options.both)
  ) {
    const of = before === base?.record ? base?.of ?? mine : mine;
    const known = head && partly.find(({ merged }) => equal(merged.root, head.root))?.record;
    const from: State = { space: of.space, item: rootOf(before) };
    const start = known === undefined ? from : bothOf(from, known);
    const merge = new MergeAcross({ ...logs, base: start.space });
    merged = merge.items(start.item, rootOf(after), merged, []);
    extras.push(...merge.extras);
  }
  const draft = new Draft(theirs.space, merged === ABSENT ? undefined : merged);
  for (const { path, item } of extras) draft.set(...path, new Stored(theirs.space, item));
  const root = draft.settle();
  const comparer = new MergeAcross({ ...logs, base: mine.space });
  const isNew = (record: LogRecord) => !record.hasEvent || !isKept(theirs, record, comparer);
  const contents = takenEvents(own.filter(isNew), mine, theirs, { ...options, sharedBytes: 0 });
  const hasChanged = !sameItem(root, newest?.root);
  if (contents.length === 0 && !hasChanged && !mustCite) return;
  const cites = mergeCites(own, mine, theirs, { ...options, sharedBytes: 0 });
  if (cites !== undefined || hasChanged) contents.push({ root, message: MERGE_MESSAGE, cites });
  for (const content of contents) theirs.append(content, now);
}

/** Whether `theirs` took the record along when the epoch was raised. */
function isKept(theirs: Branch, { seq, time, event }: LogRecord, merge: MergeAcross): boolean {
  const kept = theirs.recordAt(seq);
  return kept?.seq === seq && kept.time === time && kept.hasEvent &&
    merge.isEqual(event, kept.event);
}
