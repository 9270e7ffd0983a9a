/** Reads segments front to back: what counts, and where the last valid append ends. */

import { Buffer } from "node:buffer";
import { equal } from "../../core/bytes.ts";
import { leafHash } from "../../core/log/merkle.ts";
import { damagedError } from "./file_pool.ts";
import {
  BLOCK_FRAME_BYTES,
  HEAD_FRAME_BYTES,
  HEAD_MARKER,
  HEADER_BYTES,
  type HeadFrame,
  readBlockFrame,
  readHeadFrame,
} from "./frames.ts";
import type { Entry } from "./index_format.ts";
import type { Place, Segments } from "./segments.ts";

const WINDOW_BYTES = 256 * 1024;

/** One append as found in the segments. */
export interface FoundAppend {
  /** The blocks that it brought; the first takes index `frame.length - frame.count`. */
  readonly entries: readonly Entry[];
  readonly frame: HeadFrame;
  /** Where its head frame ends. */
  readonly end: Place;
}

/**
 * The appends from `from` on, up to `limit` (a place known to be synced) if given. A torn last write ends the scan
 * quietly: whatever it left was never acknowledged. `damaged` if a valid append follows bytes that
 * are none.
 */
export function* scan(segments: Segments, from: Place, limit?: Place): Generator<FoundAppend> {
  const last = limit?.segment ?? segments.last;
  for (let segment = from.segment; segment <= last; segment++) {
    let position = segment === from.segment ? from.position : HEADER_BYTES;
    const size = limit?.segment === segment ? limit.position : segments.size(segment);
    const window = new Window(segments, segment, size);
    while (position < size) {
      const found = readAppend(segments, window, position, limit === undefined);
      if (found === undefined) return checkTorn(segments, { segment, position });
      yield found;
      position = found.end.position;
    }
    if (position > size) return checkTorn(segments, { segment, position: size });
  }
}

/** The head frame that ends at `end`, or undefined if there is none. */
export function headFrameBefore(segments: Segments, end: Place): HeadFrame | undefined {
  if (end.segment > segments.last) return undefined;
  const salt = segments.salt(end.segment);
  const position = end.position - HEAD_FRAME_BYTES;
  if (salt === undefined || position < HEADER_BYTES) return undefined;
  const bytes = segments.read(end.segment, position, HEAD_FRAME_BYTES);
  return readHeadFrame(bytes, position, salt, segments.crypto);
}

function readAppend(
  segments: Segments,
  window: Window,
  from: number,
  mayBeTorn: boolean,
): FoundAppend | undefined {
  const { segment } = window;
  const salt = segments.salt(segment);
  if (salt === undefined) return undefined;
  const entries: Entry[] = [];
  for (let position = from;;) {
    const block = readBlockFrame(window.read(position, BLOCK_FRAME_BYTES));
    if (block === undefined) {
      const bytes = window.read(position, HEAD_FRAME_BYTES);
      const frame = readHeadFrame(bytes, position, salt, segments.crypto);
      if (frame === undefined || frame.from !== from || frame.count !== entries.length) return;
      const end = position + HEAD_FRAME_BYTES;
      if (entries.length > 0 && entries[0].index !== frame.length - frame.count) return;
      // Only a last append can be torn in the middle: each is synced before the next is written.
      const isLast = mayBeTorn && segment === segments.last && end === window.size;
      if (isLast && !contentsMatch(segments, entries)) return;
      return { entries, frame, end: { segment, position: end } };
    }
    const { index, start, length, leaf } = block;
    const before = entries.at(-1);
    if (before && (index !== before.index + 1 || start !== before.start + before.length)) return;
    entries.push({ index, start, segment, position: position + BLOCK_FRAME_BYTES, length, leaf });
    position += BLOCK_FRAME_BYTES + length;
    if (position >= window.size) return;
  }
}

function contentsMatch(segments: Segments, entries: readonly Entry[]): boolean {
  return entries.every(({ segment, position, length, start, leaf }) => {
    const bytes = segments.read(segment, position, length);
    return bytes.length === length && equal(leafHash(segments.crypto, start, bytes), leaf);
  });
}

/** Throws `damaged` if a valid head frame after `place` shows that more was written than one append. */
function checkTorn(segments: Segments, place: Place): void {
  for (let segment = place.segment; segment <= segments.last; segment++) {
    const size = segments.size(segment);
    const from = segment === place.segment ? place.position : HEADER_BYTES;
    for (const { frame, position } of headFrames(segments, segment, from, size)) {
      // Pages reach the disk in any order: the head frame of a torn append may be there.
      const isTornItself = segment === place.segment && frame.from === place.position &&
        segment === segments.last && position + HEAD_FRAME_BYTES === size;
      if (isTornItself) continue;
      throw damagedError(
        segments.path(place.segment),
        `what lies at position ${place.position} is no append, but valid ones follow`,
        { position: place.position },
      );
    }
  }
}

function* headFrames(
  segments: Segments,
  segment: number,
  from: number,
  size: number,
): Generator<{ frame: HeadFrame; position: number }> {
  const salt = segments.salt(segment);
  if (salt === undefined) return;
  for (let start = from; start < size; start += WINDOW_BYTES) {
    const length = WINDOW_BYTES + HEAD_FRAME_BYTES - 1;
    const bytes = Buffer.from(segments.read(segment, start, length).buffer);
    let at = bytes.indexOf(HEAD_MARKER);
    for (; at >= 0 && at < WINDOW_BYTES; at = bytes.indexOf(HEAD_MARKER, at + 1)) {
      const position = start + at;
      const frame = readHeadFrame(bytes.subarray(at), position, salt, segments.crypto);
      if (frame !== undefined) yield { frame, position };
    }
  }
}

/** A sliding piece of one segment: small reads that go forward cost one system call for many. */
class Window {
  readonly segment: number;
  readonly size: number;
  readonly #segments: Segments;
  #bytes = new Uint8Array(0);
  #start = 0;

  constructor(segments: Segments, segment: number, size: number) {
    this.#segments = segments;
    this.segment = segment;
    this.size = size;
  }

  /** Up to `length` bytes from `position`: fewer at the end of the segment. */
  read(position: number, length: number): Uint8Array {
    const end = Math.min(position + length, this.size);
    if (position < this.#start || end > this.#start + this.#bytes.length) {
      const count = Math.min(WINDOW_BYTES, this.size - position);
      this.#bytes = this.#segments.read(this.segment, position, Math.max(0, count));
      this.#start = position;
    }
    return this.#bytes.subarray(position - this.#start, end - this.#start);
  }
}
