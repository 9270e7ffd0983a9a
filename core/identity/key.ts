/** Keys as text and as bytes. */

import { StreamoError } from "../errors.ts";

/** Marks a {@link Key} for the type checker; nothing of it exists at run time. */
declare const keyBrand: unique symbol;

/** What makes a {@link Key} more than a string; it exists for the type checker only. */
export interface KeyBrand {
  /** @ignore */
  readonly [keyBrand]: true;
}

/**
 * An Ed25519 public key as its canonical text: 52 characters of lower-case base32 (RFC 4648, no
 * padding), so that it fits in a DNS label and compares with `===`. Only {@link parseKey} and
 * {@link keyFromBytes} make one.
 */
export type Key = string & KeyBrand;

/** Bytes in a key. */
export const KEY_BYTES = 32;
/** Characters in a key's text. */
export const KEY_CHARACTERS = 52;

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** `text` as a key; `malformed` unless it is the canonical text of 32 bytes. */
export function parseKey(text: string): Key {
  // 52 characters are 260 bits: the last four are none of the key's, and zero.
  if (typeof text === "string" && /^[a-z2-7]{51}[aq]$/.test(text)) return text as Key;
  const message = `not a key: "${String(text).slice(0, 80)}" (52 characters of a-z and 2-7)`;
  throw new StreamoError("malformed", message);
}

/** The key of 32 public-key bytes. */
export function keyFromBytes(bytes: Uint8Array): Key {
  if (bytes.length !== KEY_BYTES) {
    throw new StreamoError("malformed", `a key has ${KEY_BYTES} bytes, not ${bytes.length}`);
  }
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5;) text += ALPHABET[(held >>> (bits -= 5)) & 31];
  }
  return text + ALPHABET[(held << (5 - bits)) & 31] as Key;
}

/** The key that was asked for last: heads mostly come in runs of one key. */
let last: { readonly key: Key; readonly bytes: Uint8Array } | undefined;

/** The 32 public-key bytes of `key`. */
export function keyToBytes(key: Key): Uint8Array {
  if (last?.key !== key) last = { key, bytes: decode(key) };
  return last.bytes.slice();
}

function decode(key: Key): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES);
  let held = 0;
  for (let i = 0, at = 0, bits = 0; at < KEY_BYTES; i++) {
    held = ((held << 5) | ALPHABET.indexOf(key[i])) & 0xfff;
    bits += 5;
    if (bits >= 8) bytes[at++] = held >>> (bits -= 8);
  }
  return bytes;
}
