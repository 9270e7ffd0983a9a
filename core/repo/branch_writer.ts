/** What appends records to a branch. */

import type { Space } from "../codec/chunks.ts";
import type { Item } from "../codec/value.ts";
import { KnownChunks } from "../log/known_chunks.ts";
import type { Log } from "../log/log.ts";
import { type LogRecord, ReadRecord, readRecord, skipFrom, skipSeq } from "./record.ts";
import { writeRecord } from "./write_record.ts";

/** What a new record says; where it stands follows from the branch. */
export interface RecordContent {
  readonly root: Item;
  readonly message?: string;
  readonly event?: Item;
  readonly hasEvent?: boolean;
  readonly cites?: Item;
}

/** What one branch is written with. */
export class BranchWriter {
  /** The log's chunks, of which equal ones are stored once. */
  readonly chunks: KnownChunks;
  /** Bytes of large content that were to be stored so far. */
  uploadedBytes = 0;
  /** The newest record, the one that it skips to, and so on to the first: what new skips point to. */
  spine: readonly { readonly seq: number; readonly address: number }[] = [];
  readonly #log: Log;

  /** Writes to `log`. */
  constructor(log: Log) {
    this.#log = log;
    this.chunks = new KnownChunks(log);
    this.chunks.forget(0, log.sealedLength);
  }

  /** The {@link spine} of the record at `address`. */
  readSpine(space: Space, address: number): LogRecord[] {
    let record = readRecord(space, address);
    const spine = [record];
    while (record.skip !== undefined) {
      record = skipFrom(space, record);
      spine.push(record);
    }
    return spine;
  }

  /**
   * Appends a record after `before`; `now` is the clock's time in milliseconds. The first record of a log
   * that goes on from an earlier epoch gets the number `first`.
   */
  append(
    space: Space,
    before: LogRecord | undefined,
    { root, message = "", event, hasEvent = false, cites }: RecordContent,
    now: number,
    first = 0,
  ): LogRecord {
    const seq = before === undefined ? first : before.seq + 1;
    if (before !== undefined) first = before.first;
    const spine = seq === first
      ? []
      : this.spine.filter((record) => record.seq <= skipSeq(seq, first));
    const fields = {
      seq,
      first,
      // A clock that steps back must not make time run backwards in history.
      time: Math.max(Math.floor(now), before?.time ?? 0),
      parent: before?.address,
      skip: spine[0]?.address,
      eventBefore: before?.hasEvent ? before.address : before?.eventBefore,
      root,
      event,
      hasEvent,
      message,
      citesItem: cites,
    };
    const address = writeRecord(space, fields, (chunk) => this.#log.append(chunk));
    const record = new ReadRecord(space, address, fields);
    this.spine = [record, ...spine];
    return record;
  }
}
