/** Pure-JavaScript hashing, shared by the providers: synchronous, and the same everywhere. */

import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

/** SHA-256 of the bytes of `parts`, one after the other. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return nobleSha256(parts[0]);
  const hash = nobleSha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** HKDF-SHA-256 (RFC 5869) giving 32 bytes. */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array {
  return nobleHkdf(nobleSha256, secret, salt, info, 32);
}
