/** UTF-8 text, and the one order that keys have everywhere: by their UTF-8 bytes. */

import { malformed } from "./reader.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text that recurs (keys above all) is found again here instead of being built anew. */
const INTERNED = 4096;
const INTERN_MAX_BYTES = 32;
const interned: string[] = new Array(INTERNED).fill("");

/** Scratch of each length, to make a short text of: a view of bytes would be slower to make and read. */
const CODES: number[][] = [];
for (let length = 0; length <= INTERN_MAX_BYTES; length++) CODES.push(new Array(length).fill(0));

/** The text of UTF-8 `bytes` [from, to); `malformed` if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from > INTERN_MAX_BYTES) return decodeLong(bytes.subarray(from, to));
  let hash = to - from;
  let bits = 0;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash, 31) + bytes[i];
    bits |= bytes[i];
  }
  if (bits >= 0x80) return decodeLong(bytes.subarray(from, to));
  const slot = (hash ^ (hash >>> 15)) & (INTERNED - 1);
  const known = interned[slot];
  if (isText(known, bytes, from, to)) return known;
  const codes = CODES[to - from];
  for (let i = from; i < to; i++) codes[i - from] = bytes[i];
  const text = String.fromCharCode.apply(null, codes);
  interned[slot] = text;
  return text;
}

/** Negative, zero or positive as `a` sorts before, with or after `b` by UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // UTF-16 puts surrogates (characters past U+FFFF) before U+E000; UTF-8 puts them last.
    if (x >= 0xd800 && y >= 0xd800) {
      x = x >= 0xe000 ? x - 0x2000 : x + 0x2000;
      y = y >= 0xe000 ? y - 0x2000 : y + 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

/**
 * Whether `text` has no character past U+00FF. `<` between it and any text gives the order of their UTF-8
 * bytes then, and the engine compares such texts without converting them.
 */
export function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

/** Bytes of well-formed `text` in UTF-8. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // A surrogate pair is 2 units and 4 bytes: each half adds one.
    if (code >= 0x80) length += code < 0x800 || code >= 0xd800 && code < 0xe000 ? 1 : 2;
  }
  return length;
}

function isText(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

function decodeLong(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw malformed("text is not UTF-8");
    throw error;
  }
}
