/** Writing scalars: values without children. */

import { keyToBytes } from "../identity/key.ts";
import { isIndex, isStep } from "./scalar.ts";
import * as tag from "./tags.ts";
import { EMPTY_LIST, EMPTY_MAP, type Item, Link, Ref } from "./value.ts";
import type { Writer } from "./writer.ts";

/** Thrown for a value that cannot be stored; the caller names the path. */
export class NotStorable extends TypeError {}

/** Writes a scalar, an empty container or a reference. NotStorable for anything else. */
export function writeScalar(writer: Writer, value: Item): void {
  switch (typeof value) {
    case "string":
      return writeString(writer, value);
    case "number":
      return writeNumber(writer, value);
    case "boolean":
      return writer.u8(value ? tag.TRUE : tag.FALSE);
    case "undefined":
      return writer.u8(tag.UNDEFINED);
    case "bigint":
      return writeBigint(writer, value);
    case "object":
      return value === null ? writer.u8(tag.NULL) : writeObject(writer, value);
    default:
      throw new NotStorable(`a ${typeof value} cannot be stored`);
  }
}

/** Writes a reference to the chunk at `address`. */
export function writeRef(writer: Writer, address: number): void {
  writer.u8(tag.REF);
  writer.varint(address);
}

function writeString(writer: Writer, text: string): void {
  const start = writer.at;
  writer.u8(0);
  let length: number;
  try {
    length = writer.utf8(text);
  } catch (error) {
    throw new NotStorable((error as Error).message);
  }
  if (length <= tag.SHORT_STRING_MAX) {
    writer.bytes[start] = tag.SHORT_STRING + length;
    return;
  }
  // The length is known only now: move the text behind it.
  const text8 = writer.bytes.slice(start + 1, writer.at);
  writer.at = start;
  writer.u8(tag.STRING);
  writer.varint(length);
  writer.raw(text8);
}

function writeNumber(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writer.u8(tag.FLOAT);
    // One bit pattern for NaN: engines may carry others.
    writer.float(Number.isNaN(value) ? NaN : value);
  } else if (value >= 0 && value < tag.SMALL_INTEGERS) {
    writer.u8(value);
  } else if (value >= 0) {
    writer.u8(tag.INTEGER);
    writer.varint(value);
  } else {
    writer.u8(tag.NEGATIVE);
    writer.varint(-1 - value);
  }
}

function writeBigint(writer: Writer, value: bigint): void {
  const negative = value < 0n;
  const hex = (negative ? -1n - value : value).toString(16);
  const padded = hex === "0" ? "" : hex.length % 2 === 0 ? hex : `0${hex}`;
  writer.u8(negative ? tag.NEGATIVE_BIGINT : tag.BIGINT);
  writer.varint(padded.length / 2);
  for (let i = 0; i < padded.length; i += 2) writer.u8(parseInt(padded.slice(i, i + 2), 16));
}

function writeObject(writer: Writer, value: object): void {
  if (value instanceof Ref) return writeRef(writer, value.address);
  if (value instanceof Uint8Array) {
    writer.u8(tag.BYTES);
    writer.varint(value.length);
    return writer.raw(value);
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new NotStorable("an invalid Date cannot be stored");
    writer.u8(tag.DATE);
    return writer.float(value.getTime());
  }
  if (value instanceof Link) return writeLink(writer, value);
  if (value === EMPTY_MAP) return writer.u8(tag.SMALL_MAP);
  if (value === EMPTY_LIST) return writer.u8(tag.SMALL_LIST);
  throw new NotStorable(`a ${value.constructor?.name ?? "foreign object"} cannot be stored`);
}

function writeLink(writer: Writer, link: Link): void {
  if (link.seq !== undefined && !isIndex(link.seq)) {
    throw new NotStorable(`a link to record ${link.seq} cannot be stored`);
  }
  for (const step of link.path) {
    if (!isStep(step)) throw new NotStorable(`a link with the step ${step} cannot be stored`);
  }
  writer.u8(tag.LINK);
  writer.raw(keyToBytes(link.key));
  writeScalar(writer, link.seq);
  writer.varint(link.path.length);
  for (const step of link.path) writeScalar(writer, step);
}
