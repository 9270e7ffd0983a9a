/**
 * Records: the entries of history.
 *
 *     [0x94] [flags] [seq] [time] [first?] [parent?] [skip?] [event before?]
 *     [value] [event?] [message?] [cites?]
 *
 * `first` is the seq of the log's first record, where that is not 0. `parent` is there in all others;
 * `skip` when it is not the parent. Counted from the first record on, it points to the one whose
 * number has the lowest set bit cleared, so any record is found in O(log n) hops. Events are a chain of
 * their own: `event before` points to the newest one before, unless the parent has one or none has.
 */

import type { Space } from "../codec/chunks.ts";
import { decode } from "../codec/decode.ts";
import { readItem } from "../codec/node.ts";
import { readAddress, readScalar } from "../codec/scalar.ts";
import { INLINE_SMALL, RECORD } from "../codec/tags.ts";
import { type Item, ownCopy, type Value } from "../codec/value.ts";
import { malformed, Reader } from "../codec/reader.ts";

/** Flags: which fields a record has. */
export const HAS_EVENT = 1;
export const HAS_MESSAGE = 2;
export const HAS_CITES = 4;
export const HAS_FIRST = 8;
/** The parent has an event. */
export const AFTER_EVENT = 16;
/** It has none, and a record before it has: its address follows. */
export const HAS_EVENT_BEFORE = 32;

/** The last moment that a Date can hold. */
const TIME_MAX_MS = 8.64e15;

/** One entry of history. */
export interface LogRecord {
  /** Where the record is in its log. */
  readonly address: number;
  /** One more than its parent's; it goes on when an epoch is raised. */
  readonly seq: number;
  /** The seq of the first record in this log: 0 unless earlier ones were forgotten. */
  readonly first: number;
  /** When it was written, in milliseconds since 1970; never before its parent's. */
  readonly time: number;
  /** Address of the record before, undefined for the first. */
  readonly parent: number | undefined;
  /** Address of the record whose seq has the lowest set bit cleared. */
  readonly skip: number | undefined;
  /** Address of the newest record before this one that has an event; undefined if none has. */
  readonly eventBefore: number | undefined;
  /** The value from here on. */
  readonly root: Item;
  /** What was published with it. */
  readonly event: Item;
  /** Whether something was published: undefined can be. */
  readonly hasEvent: boolean;
  /** What its author says about it. */
  readonly message: string;
  /** What {@link cites} is decoded from. */
  readonly citesItem: Item;
  /**
   * Where it came from, decoded when asked for: links, or the heads whose place it took; undefined if
   * nowhere else.
   */
  readonly cites: Value;
}

/** What is written of a record. */
export type RecordFields =
  & Omit<LogRecord, "address" | "first" | "eventBefore" | "cites" | "citesItem">
  & Partial<Pick<LogRecord, "first" | "eventBefore" | "citesItem">>;

/** Reads the record at `address`; `malformed` unless there is one. */
export function readRecord(space: Space, address: number): LogRecord {
  const reader = new Reader(space.at(address));
  if (reader.u8() !== RECORD) throw malformed(`the chunk at ${address} is not a record`);
  const flags = reader.u8();
  // Of AFTER_EVENT and HAS_EVENT_BEFORE there is one at most.
  if (flags > 47) throw malformed(`a record with unknown flags ${flags}`);
  const seq = reader.varint();
  const time = reader.varint();
  if (time > TIME_MAX_MS) throw malformed(`a record's time is ${time}`);
  const first = flags & HAS_FIRST ? reader.varint() : 0;
  if (first > seq || flags & HAS_FIRST && first === 0) {
    throw malformed(`the first record before ${seq} is ${first}`);
  }
  const place = seq - first;
  const parent = place === 0 ? undefined : readAddress(reader, address);
  const skip = place === 0 ? undefined : place % 2 === 1 ? parent : readAddress(reader, address);
  if (place > 0 && place % 2 === 0 && skip === parent) {
    throw malformed("a record skips to its parent");
  }
  if (place === 0 && flags > 15) throw malformed("a first record after an event");
  const eventBefore = flags & AFTER_EVENT
    ? parent
    : flags & HAS_EVENT_BEFORE
    ? readAddress(reader, parent!)
    : undefined;
  const root = readItem(reader, address, INLINE_SMALL);
  const hasEvent = (flags & HAS_EVENT) !== 0;
  const event = hasEvent ? readItem(reader, address, INLINE_SMALL) : undefined;
  const message = flags & HAS_MESSAGE ? readScalar(reader, address) : "";
  if (typeof message !== "string" || flags & HAS_MESSAGE && message === "") {
    throw malformed("a record's message is not a string");
  }
  const citesItem = flags & HAS_CITES ? readItem(reader, address, INLINE_SMALL) : undefined;
  if (flags & HAS_CITES && citesItem === undefined) throw malformed("a record cites undefined");
  return new ReadRecord(space, address, {
    seq,
    first,
    time,
    parent,
    skip,
    eventBefore,
    root,
    event,
    hasEvent,
    message,
    citesItem,
  });
}

/** A record of `space`: reads its citation only when it is asked for. */
export class ReadRecord implements LogRecord {
  readonly address: number;
  readonly seq: number;
  readonly first: number;
  readonly time: number;
  readonly parent: number | undefined;
  readonly skip: number | undefined;
  readonly eventBefore: number | undefined;
  readonly hasEvent: boolean;
  readonly message: string;
  readonly #space: Space;
  readonly #root: Item;
  readonly #event: Item;
  readonly #cites: Item;

  constructor(space: Space, address: number, fields: RecordFields) {
    this.#space = space;
    this.address = address;
    this.seq = fields.seq;
    this.first = fields.first ?? 0;
    this.time = fields.time;
    this.parent = fields.parent;
    this.skip = fields.skip;
    this.eventBefore = fields.eventBefore;
    this.#root = fields.root;
    this.#event = fields.event;
    this.hasEvent = fields.hasEvent;
    this.message = fields.message;
    this.#cites = fields.citesItem;
  }

  /** Whether its addresses are those of `space`. */
  isOf(space: Space): boolean {
    return this.#space === space;
  }

  get root(): Item {
    return ownCopy(this.#root);
  }

  get event(): Item {
    return ownCopy(this.#event);
  }

  get citesItem(): Item {
    return ownCopy(this.#cites);
  }

  get cites(): Value {
    return decode(this.#space, this.#cites);
  }
}

/** The seq that `skip` of record `seq` points to, in a log whose first record is `first`. */
export function skipSeq(seq: number, first: number): number {
  // Not `place & (place - 1)`: bitwise operators would cut the number to 32 bits.
  const place = seq - first;
  let bit = 1;
  while (place % (bit * 2) === 0) bit *= 2;
  return seq - bit;
}

/** The newest record at or before `from` that `isEnough` accepts, given that it accepts a prefix. */
export function findRecord(
  space: Space,
  from: LogRecord,
  isEnough: (record: LogRecord) => boolean,
): LogRecord | undefined {
  let record = from;
  while (!isEnough(record)) {
    if (record.parent === undefined) return undefined;
    const skip = skipFrom(space, record);
    // Too far if the skip is accepted already: then go one step only.
    if (record.skip === record.parent || !isEnough(skip)) record = skip;
    else record = parentOf(space, record)!;
  }
  return record;
}

/** The record before `record`; undefined if that is the log's first. */
export function parentOf(space: Space, record: LogRecord): LogRecord | undefined {
  if (record.parent === undefined) return undefined;
  return checkPlace(readRecord(space, record.parent), record.seq - 1, record.first);
}

/** The newest record before `record` that has an event; undefined if none has. */
export function eventBefore(space: Space, record: LogRecord): LogRecord | undefined {
  if (record.eventBefore === undefined) return undefined;
  const found = readRecord(space, record.eventBefore);
  // A lower number: whatever an author wrote, the way back ends.
  if (found.hasEvent && found.seq < record.seq) return found;
  throw malformed(`record ${record.seq} comes after no event`);
}

/** The record that `record`, which is not the first, skips to. */
export function skipFrom(space: Space, { seq, first, skip }: LogRecord): LogRecord {
  return checkPlace(readRecord(space, skip!), skipSeq(seq, first), first);
}

/** Checked, so that what an author wrote decides nothing about how long a search takes. */
function checkPlace(record: LogRecord, seq: number, first: number): LogRecord {
  if (record.seq === seq && record.first === first) return record;
  throw malformed(`record ${seq} (from ${first}) says that it is ${record.seq} (${record.first})`);
}
