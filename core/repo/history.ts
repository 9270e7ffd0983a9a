/** Walks through the records of a log, of which only the newest is known: the others point back. */

import type { Space } from "../codec/chunks.ts";
import { eventBefore, findRecord, type LogRecord, parentOf } from "./record.ts";

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

/**
 * Records on the way, and what must be read for the next one. A read that throws MissingBlock can be
 * made again, and the walk goes on from there: so one walk serves {@link found} and `load_history.ts`.
 */
export type Walk = Generator<LogRecord | Read, void>;
type Read = () => void;

/** The records of a walk whose blocks are at hand; throws MissingBlock where one is not. */
export function* found(walk: Walk): Generator<LogRecord> {
  for (const step of walk) {
    if (typeof step === "function") step();
    else yield step;
  }
}

/** The records in `range`, newest first; with `after` or `first`, oldest first. */
export function walkRecords(
  space: Space,
  newest: LogRecord | undefined,
  range: HistoryRange = {},
): Walk {
  checkCounts(range);
  const { after, first, last } = range;
  const isForward = after !== undefined || first !== undefined;
  return limited(walk(space, newest, range, { isForward, before: parentOf, last }), first);
}

/** The records with an event in `range`, oldest first. */
export function walkEvents(
  space: Space,
  newest: LogRecord | undefined,
  range: HistoryRange = {},
): Walk {
  checkCounts(range);
  const { last, first } = range;
  // The newest so many events are found from the end, all else in the order of history.
  const isForward = last === undefined;
  const events = walk(space, newest, range, { isForward, before: eventBefore });
  return isForward ? limited(events, first) : turned(limited(events, last));
}

/** How a walk goes. */
interface Way {
  readonly isForward: boolean;
  /** From a record to the one before it, of those that are looked for. */
  readonly before: typeof parentOf;
  /** Cuts a walk over all records short before it begins. */
  readonly last?: number;
}

function* walk(
  space: Space,
  newest: LogRecord | undefined,
  { since, until, after }: HistoryRange,
  { isForward, before, last = Infinity }: Way,
): Walk {
  if (newest === undefined) return;
  const top = until === undefined
    ? newest
    : yield* read(() => findRecord(space, newest, ({ time }) => time <= until.getTime()));
  if (top === undefined) return;
  const earlier = since &&
    (yield* read(() => findRecord(space, top, ({ time }) => time < since.getTime())));
  const low = Math.max(
    top.first - 1,
    earlier?.seq ?? -1,
    typeof after === "number" ? Math.floor(after) : after?.seq ?? -1,
    top.seq - last,
  );
  yield* isForward ? forward(space, top, low, before) : backward(space, top, low, before);
}

/** From `top` back to the one after `low`. */
function* backward(space: Space, top: LogRecord, low: number, before: Way["before"]): Walk {
  let record: LogRecord | undefined = top;
  if (before === eventBefore && !top.hasEvent) record = yield* read(() => before(space, top));
  while (record !== undefined && record.seq > low) {
    yield record;
    const after: LogRecord = record;
    record = yield* read(() => before(space, after));
  }
}

/**
 * The same, oldest first: each window's end is found by skips. Windows grow while they have few events,
 * so that long stretches without any are passed over.
 */
function* forward(space: Space, top: LogRecord, low: number, before: Way["before"]): Walk {
  let width = WINDOW;
  for (let from = low; from < top.seq;) {
    let to = from + width;
    const end = yield* read(() => findRecord(space, top, ({ seq }) => seq <= to));
    const window: LogRecord[] = [];
    for (const step of end === undefined ? [] : backward(space, end, from, before)) {
      if (typeof step === "function") yield step;
      else window.push(step);
      if (window.length < 2 * WINDOW) continue;
      // Too many to hold: what was read first comes with the next window.
      window.splice(0, WINDOW);
      to = window[0].seq;
    }
    width = to < from + width ? WINDOW : window.length < WINDOW / 2 ? 2 * width : width;
    yield* window.reverse();
    from = to;
  }
}

/** What `work` reads, which whoever drives the walk may have to try more than once. */
function* read<T>(work: () => T): Generator<Read, T> {
  let result: T;
  yield () => {
    result = work();
  };
  return result!;
}

function* limited(walk: Walk, most = Infinity): Walk {
  let count = 0;
  if (most === 0) return;
  for (const step of walk) {
    yield step;
    if (typeof step !== "function" && ++count >= most) return;
  }
}

/** What `walk` finds, the other way round. */
function* turned(walk: Walk): Walk {
  const records: LogRecord[] = [];
  for (const step of walk) {
    if (typeof step === "function") yield step;
    else records.push(step);
  }
  yield* records.reverse();
}

function checkCounts({ first, last }: HistoryRange): void {
  if (first !== undefined && last !== undefined) {
    throw new TypeError("cannot give first and last records");
  }
  const count = first ?? last ?? 0;
  if (!(count >= 0)) throw new RangeError(`cannot give ${count} records`);
}
