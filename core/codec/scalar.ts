/** Scalars: values without children. */

import { keyFromBytes, keyToBytes } from "../identity/key.ts";
import * as tag from "./tags.ts";
import { decodeUtf8 } from "./text.ts";
import { EMPTY_LIST, EMPTY_MAP, type Item, Link, Ref, type Step, type Value } from "./value.ts";
import { malformed, Reader, type Writer } from "./writer.ts";

const DATE_MAX_MS = 8.64e15;

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

/** Reads what {@link writeScalar} wrote; references must point before `limit`. */
export function readScalar(reader: Reader, limit: number): Item {
  const first = reader.u8();
  if (first < tag.SMALL_INTEGERS) return first;
  if (first <= tag.SHORT_STRING + tag.SHORT_STRING_MAX) {
    return readText(reader, first - tag.SHORT_STRING);
  }
  switch (first) {
    case tag.SMALL_MAP:
      return EMPTY_MAP;
    case tag.SMALL_LIST:
      return EMPTY_LIST;
    case tag.NULL:
      return null;
    case tag.UNDEFINED:
      return undefined;
    case tag.FALSE:
      return false;
    case tag.TRUE:
      return true;
    case tag.REF:
      return new Ref(readAddress(reader, limit));
    default:
      return readLonger(reader, first);
  }
}

/** Reads the scalar that is the chunk at `address`: one that is too long to sit inside a tree node. */
export function readScalarChunk(bytes: Uint8Array, address: number): Value {
  const reader = new Reader(bytes);
  const item = readScalar(reader, address);
  if (item instanceof Ref) throw malformed(`the chunk at ${address} is only a reference`);
  if (reader.at <= tag.INLINE_TREE) throw malformed(`the chunk at ${address} is too short for one`);
  return item as Value;
}

/** Reads an address, which must be before `limit`: references only point back. */
export function readAddress(reader: Reader, limit: number): number {
  const address = reader.varint();
  if (address >= limit) throw malformed(`a reference to ${address} does not point back`);
  return address;
}

function readLonger(reader: Reader, first: number): Value {
  switch (first) {
    case tag.INTEGER:
      return atLeast(reader.varint(), tag.SMALL_INTEGERS);
    case tag.NEGATIVE:
      return safe(-1 - reader.varint());
    case tag.FLOAT:
      return readFloat(reader);
    case tag.BIGINT:
      return readBigint(reader);
    case tag.NEGATIVE_BIGINT:
      return -1n - readBigint(reader);
    case tag.STRING:
      return readText(reader, atMost(atLeast(reader.varint(), tag.SHORT_STRING_MAX + 1)));
    case tag.BYTES:
      return reader.raw(atMost(reader.varint())).slice();
    case tag.DATE:
      return readDate(reader);
    case tag.LINK:
      return readLink(reader);
    default:
      throw malformed(`tag 0x${first.toString(16)} does not start a scalar`);
  }
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

function readLink(reader: Reader): Link {
  const key = keyFromBytes(reader.raw(32));
  const seq = readScalar(reader, 0);
  if (seq !== undefined && !isIndex(seq)) throw malformed("a link's record is not a number");
  const path: Step[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const step = readScalar(reader, 0);
    if (!isStep(step)) throw malformed("a link's path has a bad step");
    path.push(step);
  }
  return new Link(key, { seq, path });
}

function isIndex(value: Item): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isStep(step: Item): step is Step {
  // No key is longer in UTF-8; counting UTF-16 units here keeps both sides alike and cheap.
  return typeof step === "string" ? step.length <= tag.KEY_MAX_BYTES : isIndex(step);
}

function readText(reader: Reader, length: number): string {
  const start = reader.at;
  if (start + length > reader.bytes.length) throw malformed("a string reaches past its block");
  reader.at = start + length;
  return decodeUtf8(reader.bytes, start, reader.at);
}

function readFloat(reader: Reader): number {
  const start = reader.at;
  const value = reader.float();
  const integer = Number.isSafeInteger(value) && !Object.is(value, -0);
  const oddNaN = Number.isNaN(value) && (reader.bytes[start] !== 0x7f ||
    reader.bytes[start + 1] !== 0xf8 || reader.bytes.subarray(start + 2, start + 8).some(Boolean));
  if (integer || oddNaN) throw malformed("a number is not in its one form");
  return value;
}

function readBigint(reader: Reader): bigint {
  const bytes = reader.raw(reader.varint());
  if (bytes.length === 0) return 0n;
  if (bytes[0] === 0) throw malformed("a bigint has a leading zero");
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return BigInt(`0x${hex}`);
}

function readDate(reader: Reader): Date {
  const ms = reader.float();
  if (!Number.isInteger(ms) || Math.abs(ms) > DATE_MAX_MS || Object.is(ms, -0)) {
    throw malformed("a date is out of range");
  }
  return new Date(ms);
}

function atLeast(value: number, least: number): number {
  if (value < least) throw malformed(`${value} is not in its shortest form`);
  return value;
}

/** Refuses a length past which text and bytes are cut into pieces. */
function atMost(length: number): number {
  if (length > tag.PIECE_MAX_BYTES) throw malformed(`${length} bytes are not cut into pieces`);
  return length;
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw malformed("an integer is out of range");
  return value;
}
