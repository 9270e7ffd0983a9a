/**
 * Content-defined chunking: FastCDC (Xia et al., USENIX ATC 2016) with a 32-bit gear hash and
 * normalisation level 2. Pieces are 4 to 32 KiB, 16 KiB on average; where they end depends on the
 * 32 bytes before, so an edit moves only the pieces around it.
 */

import { PIECE_MAX_BYTES } from "./tags.ts";

const MIN_BYTES = 4096;
const AVERAGE_BYTES = 16_384;
/** 16 bits: rare ends before the average size. */
const STRICT_MASK = 0xffff0000 | 0;
/** 12 bits: frequent ends after it. */
const LOOSE_MASK = 0xfff00000 | 0;

const GEAR = makeGear();

/** The length of the first piece of `bytes` [from, to); a shorter last piece may end at `to`. */
export function cutPiece(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  if (length <= MIN_BYTES) return length;
  const normal = from + Math.min(length, AVERAGE_BYTES);
  const end = from + Math.min(length, PIECE_MAX_BYTES);
  let hash = 0;
  let at = from + MIN_BYTES;
  while (at < normal) {
    hash = ((hash << 1) + GEAR[bytes[at++]]) | 0;
    if ((hash & STRICT_MASK) === 0) return at - from;
  }
  while (at < end) {
    hash = ((hash << 1) + GEAR[bytes[at++]]) | 0;
    if ((hash & LOOSE_MASK) === 0) return at - from;
  }
  return end - from;
}

/** 256 numbers of SplitMix32 from seed 1: part of the format, since they decide where pieces end. */
function makeGear(): Int32Array {
  const gear = new Int32Array(256);
  let state = 1;
  for (let i = 0; i < 256; i++) {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    gear[i] = mixed ^ (mixed >>> 15);
  }
  return gear;
}
