/** Where the chunks of a block are: they tell their own lengths, so it can be read front to back. */

import { StreamoError } from "../errors.ts";
import { KEY_BYTES } from "../identity/key.ts";
import * as tag from "./tags.ts";
import { malformed, Reader } from "./reader.ts";

/** Where one chunk is in its block. */
export interface ChunkPlace {
  readonly start: number;
  readonly end: number;
  readonly isRecord: boolean;
}

/**
 * The chunks of `block`, in order, read no further than their lengths need. Ends where a chunk does not
 * follow the format: nobody has to fill a block with chunks only.
 */
export function* scanChunks(block: Uint8Array): Generator<ChunkPlace> {
  const reader = new Reader(block);
  while (reader.at < block.length) {
    const start = reader.at;
    const isRecord = block[start] === tag.RECORD;
    try {
      skipChunk(reader);
    } catch (error) {
      if (error instanceof StreamoError && error.code === "malformed") return;
      throw error;
    }
    yield { start, end: reader.at, isRecord };
  }
}

function skipChunk(reader: Reader): void {
  const first = reader.bytes[reader.at];
  if (first >= tag.SMALL_MAP && first < tag.NULL) return skipSmall(reader);
  if (first < tag.MAP_LEAF) return skipItem(reader);
  reader.u8();
  switch (first) {
    case tag.MAP_LEAF:
      return skipTimes(reader, readCount(reader), skipKeyed, skipItem);
    case tag.MAP_INNER:
      return skipTimes(reader, readInner(reader), skipKeyed, skipPair);
    case tag.LIST_LEAF:
      return skipTimes(reader, readCount(reader), skipItem);
    case tag.LIST_INNER:
    case tag.BYTES_INNER:
      return skipTimes(reader, readInner(reader), skipPair);
    case tag.LARGE_STRING:
      return void reader.varint();
    case tag.RECORD:
      return skipRecord(reader);
    default:
      throw malformed(`tag 0x${first.toString(16)} does not start a chunk`);
  }
}

type Skip = (reader: Reader) => void;

function skipTimes(reader: Reader, count: number, ...skips: readonly Skip[]): void {
  for (let i = 0; i < count; i++) for (const skip of skips) skip(reader);
}

function skipSmall(reader: Reader): void {
  const first = reader.u8();
  if (first === tag.SMALL_MAP || first === tag.SMALL_LIST) throw malformed("an empty chunk");
  if (first > tag.SMALL_LIST) return skipTimes(reader, first - tag.SMALL_LIST, skipItem);
  skipTimes(reader, first - tag.SMALL_MAP, skipCounted, skipItem);
}

/** An entry's key in a tree node. */
function skipKeyed(reader: Reader): void {
  reader.varint();
  skipCounted(reader);
}

/** A child of an inner node: address and size. */
function skipPair(reader: Reader): void {
  reader.varint();
  reader.varint();
}

function skipCounted(reader: Reader): void {
  reader.skip(reader.varint());
}

function readCount(reader: Reader): number {
  const count = reader.varint();
  if (count >= 1 && count <= tag.NODE_MAX) return count;
  throw malformed(`a node with ${count} entries`);
}

function readInner(reader: Reader): number {
  reader.u8();
  return readCount(reader);
}

function skipRecord(reader: Reader): void {
  const flags = reader.u8();
  const seq = reader.varint();
  reader.varint();
  const first = flags & 8 ? reader.varint() : 0;
  // Its parent, unless it is the log's first; and what it skips to, where that is not its parent.
  const place = seq - first;
  const pointers = place === 0 ? 0 : place % 2 === 1 ? 1 : 2;
  for (let i = 0; i < pointers; i++) reader.varint();
  // Where the newest event before it is, unless that is the parent.
  if (flags & 32) reader.varint();
  skipItem(reader);
  // An event, a message, citations.
  for (const flag of [1, 2, 4]) if (flags & flag) skipItem(reader);
}

function skipItem(reader: Reader): void {
  const first = reader.u8();
  if (first < tag.SMALL_INTEGERS || first >= tag.NULL && first <= tag.TRUE) return;
  if (first <= tag.SHORT_STRING + tag.SHORT_STRING_MAX) {
    return void reader.skip(first - tag.SHORT_STRING);
  }
  switch (first) {
    case tag.SMALL_MAP:
    case tag.SMALL_LIST:
      return;
    case tag.INTEGER:
    case tag.NEGATIVE:
    case tag.REF:
      return void reader.varint();
    case tag.FLOAT:
    case tag.DATE:
      return void reader.skip(8);
    case tag.BIGINT:
    case tag.NEGATIVE_BIGINT:
    case tag.STRING:
    case tag.BYTES:
      return skipCounted(reader);
    case tag.LINK:
      return skipLink(reader);
    default:
      throw malformed(`tag 0x${first.toString(16)} does not start an item`);
  }
}

function skipLink(reader: Reader): void {
  reader.skip(KEY_BYTES);
  skipItem(reader);
  for (let left = reader.varint(); left > 0; left--) skipItem(reader);
}
