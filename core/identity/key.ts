/** Keys as text and as bytes. */

import { StreamoError } from "../errors.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";

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

/** `text` as a key; `malformed` unless it is the canonical text of 32 bytes. */
export function parseKey(text: string): Key {
  const isLong = typeof text === "string" && text.length === KEY_CHARACTERS;
  if (isLong && decodeBase32(text) !== undefined) return text as Key;
  const message = `not a key: "${String(text).slice(0, 80)}" (52 characters of a-z and 2-7)`;
  throw new StreamoError("malformed", message);
}

/** The key of 32 public-key bytes. */
export function keyFromBytes(bytes: Uint8Array): Key {
  if (bytes.length !== KEY_BYTES) {
    throw new StreamoError("malformed", `a key has ${KEY_BYTES} bytes, not ${bytes.length}`);
  }
  return encodeBase32(bytes) as Key;
}

/** The key that was asked for last: heads mostly come in runs of one key. */
let last: { readonly key: Key; readonly bytes: Uint8Array } | undefined;

/** The 32 public-key bytes of `key`. */
export function keyToBytes(key: Key): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES);
  writeKey(bytes, 0, key);
  return bytes;
}

/** Writes them into `bytes` at `at`. */
export function writeKey(bytes: Uint8Array, at: number, key: Key): void {
  if (last?.key !== key) last = { key, bytes: decodeBase32(key)! };
  bytes.set(last.bytes, at);
}
