/** Pure-JavaScript hashing, shared by the providers: synchronous, and the same everywhere. */

import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

/** A hash that has seen nothing, and one that is set back to it: starting anew takes longer than 64 bytes. */
const FRESH = nobleSha256.create();
const HASH = nobleSha256.create();

/** SHA-256 of the bytes of `parts`, one after the other. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  FRESH._cloneInto(HASH);
  for (const part of parts) HASH.update(part);
  const digest = new Uint8Array(HASH.outputLen);
  HASH.digestInto(digest);
  return digest;
}

/** HKDF-SHA-256 (RFC 5869) giving 32 bytes. */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array {
  return nobleHkdf(nobleSha256, secret, salt, info, 32);
}
