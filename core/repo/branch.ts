/** One line of a repo's history: a log, its newest record and the state that this stands for. */

import { Space, untilThere } from "../codec/chunks.ts";
import { decode } from "../codec/decode.ts";
import type { Value } from "../codec/value.ts";
import type { Log } from "../log/log.ts";
import type { BranchWriter, RecordContent } from "./branch_writer.ts";
import { found, type HistoryRange, walkEvents, walkRecords } from "./history.ts";
import { findRecord, type LogRecord, ReadRecord, readRecord } from "./record.ts";
import { Snapshot } from "./snapshot.ts";

/** One event of the log. */
export interface PublishedEvent {
  /** The record that published it. */
  readonly record: LogRecord;
  /** What was published, frozen. */
  readonly value: Value;
}

/** A log with the state that its newest record gives. */
export class Branch {
  readonly log: Log;
  readonly space: Space;
  /** What appends; undefined in a branch that is only read. */
  readonly writer: BranchWriter | undefined;
  /** The newest record, also before it is durable. */
  record: LogRecord | undefined;
  /** The state as of `record`. */
  snapshot: Snapshot;

  /** The branch of `log`, for which `writer` was made; {@link follow} gives it its state. */
  constructor(log: Log, writer?: BranchWriter) {
    this.log = log;
    this.writer = writer;
    this.space = new Space(writer?.chunks ?? log, log.cacheBytes);
    this.snapshot = new Snapshot(this.space, undefined);
  }

  /** Makes the newest record of the log's head the state; whether that changed anything. */
  async follow(): Promise<boolean> {
    const { log, writer } = this;
    const address = log.newest?.record;
    if (address === undefined || address === this.record?.address) {
      this.#catchUp();
      return false;
    }
    // Writes may come while blocks are fetched, at the very addresses that are read here.
    const space = log.isDiverged ? new Space(log.stored, log.cacheBytes) : this.space;
    // Who reads needs one record, who writes the chain that skips take.
    const spine = await untilThere(() =>
      writer?.readSpine(space, address) ?? [readRecord(space, address)]
    );
    if (!this.#catchUp()) return false;
    if (writer !== undefined) writer.spine = spine;
    this.record = spine[0];
    this.snapshot = new Snapshot(this.space, spine[0].root);
    return true;
  }

  /** Appends a record with the branch's writer: see {@link BranchWriter.append}. */
  append(content: RecordContent, now: number, first?: number): LogRecord {
    this.record = this.writer!.append(this.space, this.record, content, now, first);
    this.snapshot = new Snapshot(this.space, content.root);
    return this.record;
  }

  /** See {@link walkRecords}. */
  history(range?: HistoryRange): Generator<LogRecord> {
    return found(walkRecords(this.space, this.record, range));
  }

  /** See {@link walkEvents}. */
  events(range?: HistoryRange): PublishedEvent[] {
    return [...found(walkEvents(this.space, this.record, range))]
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

  #catchUp(): boolean {
    const { log, writer } = this;
    const from = log.sealedLength;
    const isCaughtUp = log.catchUp();
    writer?.chunks.forget(from, log.sealedLength);
    return isCaughtUp;
  }
}
