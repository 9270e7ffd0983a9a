/** One line of a repo's history: a log, its newest record and the state that this stands for. */

import { Space, untilThere } from "../codec/chunks.ts";
import { decode } from "../codec/decode.ts";
import type { Item, Value } from "../codec/value.ts";
import type { Log } from "../log/log.ts";
import {
  checkSeq,
  findRecord,
  type LogRecord,
  readRecord,
  skipSeq,
  writeRecord,
} from "./record.ts";
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
  /** The newest record, also before it is durable. */
  record: LogRecord | undefined;
  /** The state as of `record`. */
  snapshot: Snapshot;
  /** The newest record, the one that it skips to, and so on to the first: what new skips point to. */
  #spine: readonly { readonly seq: number; readonly address: number }[] = [];

  /** The branch of `log`; {@link follow} gives it its state. */
  constructor(log: Log) {
    this.log = log;
    this.space = new Space(log);
    this.snapshot = new Snapshot(this.space, undefined);
  }

  /** Makes the newest record of the log's head the state; whether that changed anything. */
  async follow(): Promise<boolean> {
    const { log } = this;
    const address = log.head?.record;
    if (address === undefined || address === this.record?.address) {
      log.catchUp();
      return false;
    }
    // Writes may come while blocks are fetched, at the very addresses that are read here.
    const space = log.isDiverged ? new Space(log.stored) : this.space;
    const spine = await untilThere(() => readSpine(space, address));
    if (!log.catchUp()) return false;
    this.#spine = spine;
    this.record = spine[0];
    this.snapshot = new Snapshot(this.space, spine[0].root);
    return true;
  }

  /** Appends a record; `now` is the clock's time in milliseconds. */
  append(
    { root, message = "", event, hasEvent = false, cites }: RecordContent,
    now: number,
  ): LogRecord {
    const seq = this.record === undefined ? 0 : this.record.seq + 1;
    const before = seq === 0 ? [] : this.#spine.filter((record) => record.seq <= skipSeq(seq));
    const content = {
      seq,
      // A clock that steps back must not make time run backwards in history.
      time: Math.max(Math.floor(now), this.record?.time ?? 0),
      parent: this.record?.address,
      skip: before[0]?.address,
      root,
      event,
      hasEvent,
      message,
      cites,
    };
    const address = writeRecord(this.space, content, (chunk) => this.log.appendNew(chunk));
    this.record = { address, ...content };
    this.#spine = [this.record, ...before];
    this.snapshot = new Snapshot(this.space, root);
    return this.record;
  }

  /** The records, newest first. */
  *history(): Generator<LogRecord> {
    let { record } = this;
    while (record !== undefined) {
      yield record;
      record = record.parent === undefined ? undefined : readRecord(this.space, record.parent);
    }
  }

  /** The events, oldest first: the last so many, or since a time. */
  events({ last = Infinity, since }: { last?: number; since?: Date } = {}): PublishedEvent[] {
    const found: PublishedEvent[] = [];
    for (const record of this.history()) {
      if (found.length >= last || since !== undefined && record.time < since.getTime()) break;
      if (record.hasEvent) found.push({ record, value: decode(this.space, record.event) });
    }
    return found.reverse();
  }

  /** The newest record at or before a sequence number or a time. */
  recordAt(when: LogRecord | number | Date): LogRecord | undefined {
    if (this.record === undefined) return undefined;
    if (typeof when === "number") {
      return findRecord(this.space, this.record, ({ seq }) => seq <= when);
    }
    if (!(when instanceof Date)) return when;
    const latest = when.getTime();
    return findRecord(this.space, this.record, ({ time }) => time <= latest);
  }
}

function readSpine(space: Space, address: number): LogRecord[] {
  let record = readRecord(space, address);
  const spine = [record];
  while (record.skip !== undefined) {
    // Checked, so that what an author wrote decides nothing about how long this takes.
    record = checkSeq(readRecord(space, record.skip), skipSeq(record.seq));
    spine.push(record);
  }
  return spine;
}
