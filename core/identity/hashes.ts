/** HKDF over the hash that every platform has. */

import { concat } from "../bytes.ts";
import { sha256 } from "./sha256.ts";

const BLOCK_BYTES = 64;

/** HKDF-SHA-256 (RFC 5869) giving 32 bytes: its expansion is one block. */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array {
  return hmac(hmac(salt, secret), concat([info, Uint8Array.of(1)]));
}

/** HMAC-SHA-256 (RFC 2104). */
function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(BLOCK_BYTES);
  padded.set(key.length > BLOCK_BYTES ? sha256(key) : key);
  const inner = sha256(padded.map((byte) => byte ^ 0x36), message);
  return sha256(padded.map((byte) => byte ^ 0x5c), inner);
}
