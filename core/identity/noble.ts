/** The pure-JavaScript provider: runs everywhere, also on plain-http pages without `crypto.subtle`. */

import { etc, getPublicKey, hashes, Point, sign } from "@noble/ed25519";
import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { pbkdf2Async } from "@noble/hashes/pbkdf2.js";
import { sha256 as nobleSha256, sha512 } from "@noble/hashes/sha2.js";
import { equal } from "../bytes.ts";
import type { Crypto, SigningKey } from "./crypto.ts";
import { checkSeed } from "./der.ts";
import { sha256 } from "./hashes.ts";
import { isStrict } from "./strict.ts";

// The library signs synchronously only with a hash that is handed to it.
hashes.sha512 = sha512;

/** A provider that asks nothing of the platform; 10 to 20 times slower than native code. */
export function nobleCrypto(): Crypto {
  return { name: "noble", sha256, signingKey, verify, pbkdf2, hkdf };
}

// deno-lint-ignore require-await -- rejects, as the other providers do, rather than throws
async function signingKey(seed: Uint8Array): Promise<SigningKey> {
  checkSeed(seed);
  const secret = new Uint8Array(seed);
  return { publicKey: getPublicKey(secret), sign: (message) => sign(message, secret) };
}

/**
 * The library's own verification multiplies by the cofactor, which native code does not, so the
 * equation is written out here: [S]B - [k]A, encoded, must be R byte for byte.
 */
function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isStrict(publicKey, signature)) return false;
  const a = decodePoint(publicKey);
  if (a === undefined) return false;
  const r = signature.subarray(0, 32);
  const s = fromLittleEndian(signature.subarray(32));
  const digest = sha512.create().update(r).update(publicKey).update(message).digest();
  const k = etc.mod(fromLittleEndian(digest), Point.CURVE().n);
  const expected = Point.BASE.multiply(s, false).subtract(a.multiply(k, false));
  return equal(expected.toBytes(), r);
}

function decodePoint(encoded: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(encoded);
  } catch {
    return undefined; // the only way in which the library says "not on the curve"
  }
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${etc.bytesToHex(bytes.slice().reverse())}`);
}

function pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  return pbkdf2Async(nobleSha256, password, salt, { c: iterations, dkLen: 32 });
}

// deno-lint-ignore require-await -- rejects, as the other providers do, rather than throws
async function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Promise<Uint8Array> {
  return nobleHkdf(nobleSha256, secret, salt, info, 32);
}
