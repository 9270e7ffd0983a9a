/** Writing records: see `record.ts`. */

import { writeItem } from "../codec/builder.ts";
import type { Space } from "../codec/chunks.ts";
import { INLINE_SMALL, PIECE_MAX_BYTES, RECORD } from "../codec/tags.ts";
import { writeScalar } from "../codec/write_scalar.ts";
import { borrowWriter, giveBack, type Writer } from "../codec/writer.ts";
import { StreamoError } from "../errors.ts";
import {
  AFTER_EVENT,
  HAS_CITES,
  HAS_EVENT,
  HAS_EVENT_BEFORE,
  HAS_FIRST,
  HAS_MESSAGE,
  type RecordFields,
} from "./record.ts";

/** Appends the bytes of a record with `append`, whose result is its address. */
export function writeRecord(
  space: Space,
  record: RecordFields,
  append: (chunk: Uint8Array) => number,
): number {
  const writer = borrowWriter();
  const { seq, first = 0, parent, skip, eventBefore, event, hasEvent, message, citesItem } = record;
  const flags = flagsOf(record);
  writer.u8(RECORD);
  writer.u8(flags);
  writer.varint(seq);
  writer.varint(record.time);
  if (first > 0) writer.varint(first);
  if (parent !== undefined) writer.varint(parent);
  if (skip !== undefined && skip !== parent) writer.varint(skip);
  if (flags & HAS_EVENT_BEFORE) writer.varint(eventBefore!);
  writeItem(space, writer, record.root, INLINE_SMALL);
  if (hasEvent) writeItem(space, writer, event, INLINE_SMALL);
  if (flags & HAS_MESSAGE) writeMessage(writer, message);
  if (flags & HAS_CITES) writeItem(space, writer, citesItem, INLINE_SMALL);
  const address = append(writer.view());
  giveBack(writer);
  return address;
}

function flagsOf(record: RecordFields): number {
  const { first = 0, parent, eventBefore, hasEvent, message, citesItem } = record;
  const before = eventBefore === parent ? AFTER_EVENT : HAS_EVENT_BEFORE;
  return (hasEvent ? HAS_EVENT : 0) | (message === "" ? 0 : HAS_MESSAGE) |
    (citesItem === undefined ? 0 : HAS_CITES) | (first === 0 ? 0 : HAS_FIRST) |
    (eventBefore === undefined ? 0 : before);
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
