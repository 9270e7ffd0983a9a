/** Byte helpers that every layer shares. */

import { StreamoError } from "./errors.ts";

/** The bytes of `parts`, one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Whether `a` and `b` hold the same bytes. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Negative, zero or positive as `a` sorts before, with or after `b`, byte by byte. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Writes `value` (a safe integer, not negative) as 8 bytes, big-endian, at `at`. */
export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, Math.floor(value / 2 ** 32));
  writeU32(bytes, at + 4, value >>> 0);
}

/** Reads 8 big-endian bytes; `malformed` past 2^53 - 1. */
export function readU64(bytes: Uint8Array, at: number): number {
  const value = readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4);
  if (!Number.isSafeInteger(value)) {
    throw new StreamoError("malformed", "a 64-bit number is past 2^53 - 1");
  }
  return value;
}

/** Writes `value` as 4 bytes, big-endian, at `at`. */
export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Reads 4 big-endian bytes at `at`. */
export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}
