/**
 * Records: the entries of history.
 *
 *     [0x94] [flags] [seq] [time] [parent?] [skip?] [value] [event?] [message?] [cites?]
 *
 * `parent` is there unless seq is 0; `skip` when it is not the parent. It points to the record whose
 * seq has the lowest set bit cleared, so any record is found in O(log n) hops.
 */

import { writeItem } from "../codec/builder.ts";
import type { Space } from "../codec/chunks.ts";
import { readItem } from "../codec/node.ts";
import { readAddress, readScalar, writeScalar } from "../codec/scalar.ts";
import { INLINE_SMALL, PIECE_MAX_BYTES, RECORD } from "../codec/tags.ts";
import type { Item } from "../codec/value.ts";
import { malformed, Reader, type Writer } from "../codec/writer.ts";
import { StreamoError } from "../errors.ts";

const HAS_EVENT = 1;
const HAS_MESSAGE = 2;
const HAS_CITES = 4;

/** The last moment that a Date can hold. */
const TIME_MAX_MS = 8.64e15;

/** One entry of history. */
export interface LogRecord {
  /** Where the record is in its log. */
  readonly address: number;
  /** 0 for the first. */
  readonly seq: number;
  /** When it was written, in milliseconds since 1970; never before its parent's. */
  readonly time: number;
  /** Address of the record before, undefined for the first. */
  readonly parent: number | undefined;
  /** Address of the record whose seq has the lowest set bit cleared. */
  readonly skip: number | undefined;
  /** The value from here on. */
  readonly root: Item;
  /** What was published with it. */
  readonly event: Item;
  /** Whether something was published: undefined can be. */
  readonly hasEvent: boolean;
  /** What its author says about it. */
  readonly message: string;
  /** Where it came from: heads or links; undefined if nowhere else. */
  readonly cites: Item;
}

/** The encoded bytes of a record; a view into `space`'s buffer until the next write. */
export function writeRecord(
  space: Space,
  record: Omit<LogRecord, "address">,
  append: (chunk: Uint8Array) => number,
): number {
  const writer = space.borrow();
  const { seq, parent, skip, event, hasEvent, message, cites } = record;
  const flags = (hasEvent ? HAS_EVENT : 0) | (message === "" ? 0 : HAS_MESSAGE) |
    (cites === undefined ? 0 : HAS_CITES);
  writer.u8(RECORD);
  writer.u8(flags);
  writer.varint(seq);
  writer.varint(record.time);
  if (parent !== undefined) writer.varint(parent);
  if (skip !== undefined && skip !== parent) writer.varint(skip);
  writeItem(space, writer, record.root, INLINE_SMALL);
  if (hasEvent) writeItem(space, writer, event, INLINE_SMALL);
  if (flags & HAS_MESSAGE) writeMessage(writer, message);
  if (flags & HAS_CITES) writeItem(space, writer, cites, INLINE_SMALL);
  const address = append(writer.view());
  space.release(writer);
  return address;
}

function writeMessage(writer: Writer, message: string): void {
  const start = writer.at;
  writeScalar(writer, message);
  // The tag and the length are 4 bytes at most.
  if (writer.at - start > PIECE_MAX_BYTES + 4) {
    throw new StreamoError(
      "too_large",
      `a record's message is longer than ${PIECE_MAX_BYTES} bytes`,
    );
  }
}

/** Reads the record at `address`; `malformed` unless there is one. */
export function readRecord(space: Space, address: number): LogRecord {
  const reader = new Reader(space.at(address));
  if (reader.u8() !== RECORD) throw malformed(`the chunk at ${address} is not a record`);
  const flags = reader.u8();
  if (flags > 7) throw malformed(`a record with unknown flags ${flags}`);
  const seq = reader.varint();
  const time = reader.varint();
  const parent = seq === 0 ? undefined : readAddress(reader, address);
  const skip = seq === 0 ? undefined : seq % 2 === 1 ? parent : readAddress(reader, address);
  if (seq > 0 && seq % 2 === 0 && skip === parent) throw malformed("a record skips to its parent");
  if (time > TIME_MAX_MS) throw malformed(`a record's time is ${time}`);
  const root = readItem(reader, address, INLINE_SMALL);
  const hasEvent = (flags & HAS_EVENT) !== 0;
  const event = hasEvent ? readItem(reader, address, INLINE_SMALL) : undefined;
  const message = flags & HAS_MESSAGE ? readScalar(reader, address) : "";
  if (typeof message !== "string" || flags & HAS_MESSAGE && message === "") {
    throw malformed("a record's message is not a string");
  }
  const cites = flags & HAS_CITES ? readItem(reader, address, INLINE_SMALL) : undefined;
  if (flags & HAS_CITES && cites === undefined) throw malformed("a record cites undefined");
  return { address, seq, time, parent, skip, root, event, hasEvent, message, cites };
}

/** The seq that `skip` of record `seq` points to. */
export function skipSeq(seq: number): number {
  // Not `seq & (seq - 1)`: bitwise operators would cut the number to 32 bits.
  let bit = 1;
  while (seq % (bit * 2) === 0) bit *= 2;
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
    const skip = readRecord(space, record.skip!);
    checkSeq(skip, skipSeq(record.seq));
    // Too far if the skip is accepted already: then go one step only.
    if (record.skip === record.parent || !isEnough(skip)) record = skip;
    else record = checkSeq(readRecord(space, record.parent), record.seq - 1);
  }
  return record;
}

/** `record`, if it has the number that its place in the chain demands. */
export function checkSeq(record: LogRecord, seq: number): LogRecord {
  if (record.seq !== seq) throw malformed(`record ${seq} says that it is ${record.seq}`);
  return record;
}
