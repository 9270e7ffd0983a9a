/** Walks through the records of a log, of which only the newest is known: the others point back. */

import type { Space } from "../codec/chunks.ts";
import { findRecord, type LogRecord, parentOf } from "./record.ts";

/** Records that are read backwards and held, to give them oldest first. */
const WINDOW = 256;

/** Which part of history; what several fields say holds together. */
export interface HistoryRange {
  /** Only records at or after this time. */
  readonly since?: Date;
  /** Only records at or before this time. */
  readonly until?: Date;
  /** Only records past this one, or past this sequence number: what a page ended with. */
  readonly after?: LogRecord | number;
  /** At most so many: the newest of them. */
  readonly last?: number;
  /** At most so many: the oldest of them. */
  readonly first?: number;
}

/** The records in `range`, newest first; with `after` or `first`, oldest first. */
export function records(
  space: Space,
  newest: LogRecord | undefined,
  range: HistoryRange = {},
): Generator<LogRecord> {
  checkCounts(range);
  const { after, first, last } = range;
  const isForward = after !== undefined || first !== undefined;
  return limited(walk(space, newest, range, isForward, last), first ?? Infinity);
}

/** The records with an event in `range`, oldest first. */
export function eventRecords(
  space: Space,
  newest: LogRecord | undefined,
  range: HistoryRange = {},
): LogRecord[] {
  checkCounts(range);
  const { last = Infinity, first = Infinity } = range;
  // The newest so many events are found from the end, all else in the order of history.
  const isBackward = last < Infinity;
  const all = withEvents(walk(space, newest, range, !isBackward));
  const found = [...limited(all, isBackward ? last : first)];
  return isBackward ? found.reverse() : found;
}

/** `last` cuts a walk over all records short before it begins. */
function* walk(
  space: Space,
  newest: LogRecord | undefined,
  { since, until, after }: HistoryRange,
  isForward: boolean,
  last = Infinity,
): Generator<LogRecord> {
  const top = until === undefined || newest === undefined
    ? newest
    : findRecord(space, newest, ({ time }) => time <= until.getTime());
  if (top === undefined) return;
  const earlier = since && findRecord(space, top, ({ time }) => time < since.getTime());
  const low = Math.max(
    top.first - 1,
    earlier?.seq ?? -1,
    typeof after === "number" ? Math.floor(after) : after?.seq ?? -1,
    top.seq - last,
  );
  yield* isForward ? forward(space, top, low) : backward(space, top, low);
}

/** From `top` back to the one after `low`. */
function* backward(space: Space, top: LogRecord, low: number): Generator<LogRecord> {
  let record: LogRecord | undefined = top;
  while (record !== undefined && record.seq > low) {
    yield record;
    record = parentOf(space, record);
  }
}

/** The same, oldest first: each window's end is found by skips. */
function* forward(space: Space, top: LogRecord, low: number): Generator<LogRecord> {
  for (let from = low; from < top.seq; from += WINDOW) {
    const end = findRecord(space, top, ({ seq }) => seq <= from + WINDOW);
    if (end !== undefined) yield* [...backward(space, end, from)].reverse();
  }
}

function* withEvents(found: Iterable<LogRecord>): Generator<LogRecord> {
  for (const record of found) if (record.hasEvent) yield record;
}

function* limited(found: Iterable<LogRecord>, most: number): Generator<LogRecord> {
  let count = 0;
  if (most === 0) return;
  for (const record of found) {
    yield record;
    if (++count >= most) return;
  }
}

function checkCounts({ first, last }: HistoryRange): void {
  if (first !== undefined && last !== undefined) {
    throw new TypeError("a part of history is its first or its last records, not both");
  }
  for (const count of [first, last]) {
    if (count !== undefined && !(count >= 0)) throw new RangeError(`cannot give ${count} records`);
  }
}
