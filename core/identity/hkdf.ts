/** HKDF over the hash of {@link sha256}: 32 bytes from a secret, synchronously and the same everywhere. */

import { sha256 } from "./sha256.ts";

/** HKDF-SHA-256 (RFC 5869) giving 32 bytes. */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array {
  // One round of the expansion gives as many bytes as the hash has.
  return hmac(hmac(salt, secret), info, Uint8Array.of(1));
}

/** HMAC-SHA-256 (RFC 2104). */
function hmac(key: Uint8Array, ...message: Uint8Array[]): Uint8Array {
  const block = new Uint8Array(64);
  block.set(key.length > block.length ? sha256(key) : key);
  const inner = sha256(block.map((byte) => byte ^ 0x36), ...message);
  return sha256(block.map((byte) => byte ^ 0x5c), inner);
}
