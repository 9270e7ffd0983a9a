/** What is cast: one value, as in a log, in bytes of its own. */

import { writeItem } from "../codec/builder.ts";
import { Space } from "../codec/chunks.ts";
import { decode } from "../codec/decode.ts";
import { encode } from "../codec/encode.ts";
import { Meter } from "../codec/meter.ts";
import { readItem } from "../codec/node.ts";
import { INLINE_SMALL } from "../codec/tags.ts";
import { Link, type Value } from "../codec/value.ts";
import { malformed, Reader } from "../codec/reader.ts";
import { Writer } from "../codec/writer.ts";
import { concat } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import { KnownChunks } from "../log/known_chunks.ts";
import { HeapChunks } from "../repo/heap_chunks.ts";
import { CAST_MAX_BYTES } from "./messages.ts";

/** Entries, elements and characters of a value: parts that are shared count wherever they stand. */
const PARTS_MAX = 65_536;

/**
 * `value` as bytes: the length of its chunks, the chunks, its item. A TypeError if it cannot be stored,
 * `too_large` past what a cast may hold.
 */
export function encodeCast(value: unknown): Uint8Array {
  const chunks = new HeapChunks();
  const space = new Space(new KnownChunks(chunks), 0);
  const item = new Writer();
  writeItem(space, item, encode(space, value), INLINE_SMALL);
  const { size } = chunks;
  const length = new Writer();
  length.varint(size);
  const sum = length.at + size + item.at;
  if (sum > CAST_MAX_BYTES) {
    throw new StreamoError("too_large", `cannot cast ${sum} bytes: at most ${CAST_MAX_BYTES}`);
  }
  // So few bytes are on the first page.
  const first = size === 0 ? new Uint8Array() : chunks.at(0).subarray(0, size);
  return concat([length.view(), first, item.view()]);
}

/** The value of a cast from outside; `malformed`, or `budget` if it stands for too much. */
export function decodeCast(bytes: Uint8Array): Value {
  const reader = new Reader(bytes);
  const size = reader.varint();
  const start = reader.at;
  if (size > bytes.length - start) throw malformed("a cast ends inside its chunks");
  const chunks = bytes.subarray(start, start + size);
  reader.at = start + size;
  const item = readItem(reader, size, INLINE_SMALL);
  if (reader.at !== bytes.length) throw malformed("a cast goes on behind its value");
  const space = new Space({
    at(address) {
      if (address >= size) throw malformed(`a cast has no chunk at ${address}`);
      return chunks.subarray(address);
    },
    append() {
      throw new TypeError("a cast from outside is only read");
    },
  }, 0);
  const value = decode(space, item, { elements: PARTS_MAX, bytes: PARTS_MAX });
  count(value, new Meter("this cast", PARTS_MAX));
  return value;
}

/** A few bytes can stand for more than any page can show: what is heard must be small all through. */
function count(value: Value, meter: Meter): void {
  meter.spend(1);
  if (typeof value === "string" || value instanceof Uint8Array) meter.spend(value.length);
  else if (Array.isArray(value)) { for (const part of value) count(part, meter); }
  else if (
    typeof value === "object" && value !== null && !(value instanceof Date || value instanceof Link)
  ) {
    for (const [key, part] of Object.entries(value)) {
      meter.spend(key.length);
      count(part, meter);
    }
  }
}
