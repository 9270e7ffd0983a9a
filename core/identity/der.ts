/** The two key wrappers (RFC 8410) that platforms ask for around the 32 bytes of Ed25519. */

import { concat } from "../bytes.ts";

/** Bytes in an Ed25519 seed. */
export const SEED_BYTES = 32;

// SEQUENCE { INTEGER 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING (32 bytes) } }
const PKCS8 = [0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32];
// SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING (no unused bits, 32 bytes) }
const SPKI = [0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0];

/** A private key in PKCS #8; `RangeError` unless the seed has 32 bytes. */
export function pkcs8(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  checkSeed(seed);
  return concat([Uint8Array.from(PKCS8), seed]);
}

/** A public key as SubjectPublicKeyInfo. */
export function spki(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat([Uint8Array.from(SPKI), publicKey]);
}

/** `RangeError` unless `seed` has 32 bytes. */
export function checkSeed(seed: Uint8Array): void {
  if (seed.length !== SEED_BYTES) {
    throw new RangeError(`an Ed25519 seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  }
}
