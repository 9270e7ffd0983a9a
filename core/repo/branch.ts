/** One line of a repo's history: a log, its newest record and the state that this stands for. */

import { Space, untilThere } from "../codec/chunks.ts";
import { decode } from "../codec/decode.ts";
import type { Item, Value } from "../codec/value.ts";
import type { Log } from "../log/log.ts";
import { eventRecords, type HistoryRange, records } from "./history.ts";
import { findRecord, type LogRecord, ReadRecord, readRecord, skipFrom, skipSeq } from "./record.ts";
import { writeRecord } from "./write_record.ts";
import { Snapshot } from "./snapshot.ts";

/** One event of the log. */
export interface PublishedEvent {
  /** The record that published it. */
  readonly record: LogRecord;
  /** What was published, frozen. */
  readonly value: Value;
}

/** What a new record says; where it stands follows from the branch. */
export interface RecordContent {
  readonly root: Item;
  readonly message?: string;
  readonly event?: Item;
  readonly hasEvent?: boolean;
  readonly cites?: Item;
}

/** A log with the state that its newest record gives. */
export class Branch {
  readonly log: Log;
  readonly space: Space;
  /** Bytes of large content that were to be stored here so far. */
  uploadedBytes = 0;
  /** The newest record, also before it is durable. */
  record: LogRecord | undefined;
  /** The state as of `record`. */
  snapshot: Snapshot;
  readonly #isWritable: boolean;
  /** The newest record, the one that it skips to, and so on to the first: what new skips point to. */
  #spine: readonly { readonly seq: number; readonly address: number }[] = [];

  /** The branch of `log`; {@link follow} gives it its state. One to read needs fewer blocks for that. */
  constructor(log: Log, { isWritable = true }: { readonly isWritable?: boolean } = {}) {
    this.log = log;
    this.#isWritable = isWritable;
    this.space = new Space(log, log.cacheBytes);
    this.snapshot = new Snapshot(this.space, undefined);
  }

  /** Makes the newest record of the log's head the state; whether that changed anything. */
  async follow(): Promise<boolean> {
    const { log } = this;
    const address = log.newest?.record;
    if (address === undefined || address === this.record?.address) {
      log.catchUp();
      return false;
    }
    // Writes may come while blocks are fetched, at the very addresses that are read here.
    const space = log.isDiverged ? new Space(log.stored, log.cacheBytes) : this.space;
    const spine = await untilThere(() =>
      this.#isWritable ? readSpine(space, address) : [readRecord(space, address)]
    );
    if (!log.catchUp()) return false;
    this.#spine = spine;
    this.record = spine[0];
    this.snapshot = new Snapshot(this.space, spine[0].root);
    return true;
  }

  /**
   * Appends a record; `now` is the clock's time in milliseconds. The first record of a log that goes
   * on from an earlier epoch gets the number `first`.
   */
  append(
    { root, message = "", event, hasEvent = false, cites }: RecordContent,
    now: number,
    first = 0,
  ): LogRecord {
    const before = this.record;
    const seq = before === undefined ? first : before.seq + 1;
    if (before !== undefined) first = before.first;
    const spine = seq === first
      ? []
      : this.#spine.filter((record) => record.seq <= skipSeq(seq, first));
    const fields = {
      seq,
      first,
      // A clock that steps back must not make time run backwards in history.
      time: Math.max(Math.floor(now), before?.time ?? 0),
      parent: before?.address,
      skip: spine[0]?.address,
      root,
      event,
      hasEvent,
      message,
      citesItem: cites,
    };
    const address = writeRecord(this.space, fields, (chunk) => this.log.appendNew(chunk));
    this.record = new ReadRecord(this.space, address, fields);
    this.#spine = [this.record, ...spine];
    this.snapshot = new Snapshot(this.space, root);
    return this.record;
  }

  /** See {@link records}. */
  history(range?: HistoryRange): Generator<LogRecord> {
    return records(this.space, this.record, range);
  }

  /** See {@link eventRecords}. */
  events(range?: HistoryRange): PublishedEvent[] {
    return eventRecords(this.space, this.record, range)
      .map((record) => ({ record, value: decode(this.space, record.event) }));
  }

  /**
   * The newest record at or before a sequence number or a time. Of a record: the record itself, unless
   * it is of a log whose place this one has taken, and not in this one.
   */
  recordAt(when: LogRecord | number | Date): LogRecord | undefined {
    if (this.record === undefined) return undefined;
    if (typeof when === "number") {
      return findRecord(this.space, this.record, ({ seq }) => seq <= when);
    }
    if (when instanceof Date) {
      const latest = when.getTime();
      return findRecord(this.space, this.record, ({ time }) => time <= latest);
    }
    if (when instanceof ReadRecord && when.isOf(this.space)) return when;
    const found = findRecord(this.space, this.record, ({ seq }) => seq <= when.seq);
    return found?.address === when.address && found.time === when.time ? found : undefined;
  }
}

function readSpine(space: Space, address: number): LogRecord[] {
  let record = readRecord(space, address);
  const spine = [record];
  while (record.skip !== undefined) {
    record = skipFrom(space, record);
    spine.push(record);
  }
  return spine;
}
