/** The provider over the web's `crypto.subtle`. */

import { equal } from "../bytes.ts";
import type { Crypto, SigningKey } from "./crypto.ts";
import { pkcs8 } from "./der.ts";
import { sha256 } from "./hashes.ts";
import { isStrict } from "./strict.ts";

const ED25519 = "Ed25519";
const HASH = "SHA-256";

/**
 * A provider over `subtle`, which must know Ed25519 (Chrome 137, Firefox 129, Safari 17). Hashing is
 * pure JavaScript, because `subtle` hashes only asynchronously.
 */
export function webCrypto(subtle: SubtleCrypto): Crypto {
  return {
    name: "webcrypto",
    sha256,
    signingKey: (seed) => signingKey(subtle, seed),
    verify: verifier(subtle),
    pbkdf2: (password, salt, iterations) =>
      derive(subtle, password, { name: "PBKDF2", hash: HASH, salt: own(salt), iterations }),
    hkdf: (secret, salt, info) =>
      derive(subtle, secret, { name: "HKDF", hash: HASH, salt: own(salt), info: own(info) }),
  };
}

async function signingKey(subtle: SubtleCrypto, seed: Uint8Array): Promise<SigningKey> {
  const wrapped = pkcs8(seed);
  // Only the JWK form of a private key tells its public key. The key that stays cannot be exported.
  const readable = await subtle.importKey("pkcs8", wrapped, ED25519, true, ["sign"]);
  const { x } = await subtle.exportKey("jwk", readable);
  if (x === undefined) throw new TypeError("crypto.subtle exports an Ed25519 key without its x");
  const key = await subtle.importKey("pkcs8", wrapped, ED25519, false, ["sign"]);
  return {
    publicKey: fromBase64Url(x),
    sign: async (message) => new Uint8Array(await subtle.sign(ED25519, key, own(message))),
  };
}

/** By hand: `Uint8Array.fromBase64` is in Chrome from 140 on, Ed25519 from 137 on. */
function fromBase64Url(text: string): Uint8Array {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** Remembers the last public key: heads mostly come in runs of one key. */
function verifier(subtle: SubtleCrypto): Crypto["verify"] {
  let lastBytes = new Uint8Array();
  let lastKey: Promise<CryptoKey>;
  return async (publicKey, message, signature) => {
    if (!isStrict(publicKey, signature)) return false;
    const [ownMessage, ownSignature] = [own(message), own(signature)];
    if (!equal(lastBytes, publicKey)) {
      lastBytes = own(publicKey);
      lastKey = subtle.importKey("raw", lastBytes, ED25519, false, ["verify"]);
    }
    try {
      return await subtle.verify(ED25519, await lastKey, ownSignature, ownMessage);
    } catch (error) {
      // Some platforms throw where a key is no point of the curve; a missing feature is no answer.
      if (error instanceof Error && error.name === "NotSupportedError") throw error;
      return false;
    }
  };
}

/** 32 bytes. */
async function derive(
  subtle: SubtleCrypto,
  secret: Uint8Array,
  algorithm: Pbkdf2Params | HkdfParams,
): Promise<Uint8Array> {
  const key = await subtle.importKey("raw", own(secret), algorithm.name, false, ["deriveBits"]);
  return new Uint8Array(await subtle.deriveBits(algorithm, key, 256));
}

/** A copy: the work is done later, when the caller may have written over the bytes. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
