/** SHA-256 in JavaScript, shared by the providers: synchronous, and the same everywhere. */

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
