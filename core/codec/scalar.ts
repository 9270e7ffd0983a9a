/** Reading scalars: values without children. */

import { keyFromBytes } from "../identity/key.ts";
import * as tag from "./tags.ts";
import { decodeUtf8 } from "./text.ts";
import { EMPTY_LIST, EMPTY_MAP, type Item, Link, Ref, type Step, type Value } from "./value.ts";
import { malformed, Reader } from "./reader.ts";

const DATE_MAX_MS = 8.64e15;

/** Reads what `writeScalar` wrote; references must point before `limit`. */
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

/** Whether `value` can be an index, or a sequence number. */
export function isIndex(value: Item): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Whether `step` can be one of a path. */
export function isStep(step: Item): step is Step {
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
