/** The provider over `node:crypto` (Node, Deno, Bun): native, and synchronous where it matters. */

import { equal } from "../bytes.ts";
import type { Crypto, SigningKey } from "./crypto.ts";
import { pkcs8, spki } from "./der.ts";
import { sha256 as pureSha256 } from "./hashes.ts";
import { isStrict } from "./strict.ts";

/** A key held by `node:crypto`. */
export interface NodeKey {
  /** Its encoding. */
  export(options: { format: "der"; type: "spki" }): Uint8Array;
}

/** What the provider uses of `node:crypto`, in its own words: core imports no platform module. */
export interface NodeCryptoModule {
  /** Starts a hash. */
  createHash(algorithm: "sha256"): {
    update(bytes: Uint8Array): unknown;
    digest(): Uint8Array;
  };
  /** Reads a private key. */
  createPrivateKey(input: { key: Uint8Array; format: "der"; type: "pkcs8" }): NodeKey;
  /** Reads a public key, or takes it from a private one. */
  createPublicKey(input: NodeKey | { key: Uint8Array; format: "der"; type: "spki" }): NodeKey;
  /** The signature of `message`; for Ed25519 the algorithm is null. */
  sign(algorithm: null, message: Uint8Array, key: NodeKey): Uint8Array;
  /** Whether `key` signed `message`. */
  verify(algorithm: null, message: Uint8Array, key: NodeKey, signature: Uint8Array): boolean;
  /** Derives bytes on a thread of its own. */
  pbkdf2(
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    length: number,
    digest: "sha256",
    done: (error: Error | null, derived: Uint8Array) => void,
  ): void;
  /** Derives bytes from what is secret already. */
  hkdfSync(
    digest: "sha256",
    secret: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ): ArrayBuffer;
}

/**
 * Up to here pure JavaScript hashes faster than the native call starts. Measured on Deno 2.9.6: 65 bytes
 * take 1.6 against 2.0 µs, 300 bytes 3.5 against 2.3 µs, 60 KiB 286 against 37 µs.
 */
const SHORT_BYTES = 128;

/** A provider over the given `node:crypto`; handed in, so that this module loads in browsers too. */
export function nodeCrypto(module: NodeCryptoModule): Crypto {
  return {
    name: "node",
    sha256: (...parts) => sha256(module, parts),
    // deno-lint-ignore require-await -- rejects, as the other providers do, rather than throws
    signingKey: async (seed) => signingKey(module, seed),
    verify: verifier(module),
    pbkdf2: (password, salt, iterations) => pbkdf2(module, password, salt, iterations),
    // deno-lint-ignore require-await -- rejects, as the other providers do, rather than throws
    hkdf: async (secret, salt, info) =>
      new Uint8Array(module.hkdfSync("sha256", secret, salt, info, 32)),
  };
}

function sha256(module: NodeCryptoModule, parts: Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length <= SHORT_BYTES) return pureSha256(...parts);
  const hash = module.createHash("sha256");
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}

function signingKey(module: NodeCryptoModule, seed: Uint8Array): SigningKey {
  const key = module.createPrivateKey({ key: pkcs8(seed), format: "der", type: "pkcs8" });
  // An Ed25519 public key in DER ends with its 32 bytes.
  const publicDer = module.createPublicKey(key)
    .export({ format: "der", type: "spki" });
  return {
    publicKey: plain(publicDer.subarray(-32)),
    sign: (message) => plain(module.sign(null, message, key)),
  };
}

/** Remembers the last public key: heads mostly come in runs of one key, and making one takes 12 µs. */
function verifier(module: NodeCryptoModule): Crypto["verify"] {
  let lastBytes = new Uint8Array();
  let lastKey: NodeKey | undefined;
  return (publicKey, message, signature) => {
    if (!isStrict(publicKey, signature)) return false;
    if (lastKey === undefined || !equal(lastBytes, publicKey)) {
      lastKey = createPublicKey(module, publicKey);
      lastBytes = new Uint8Array(publicKey);
    }
    return lastKey !== undefined && module.verify(null, message, lastKey, signature);
  };
}

function createPublicKey(
  module: NodeCryptoModule,
  publicKey: Uint8Array,
): NodeKey | undefined {
  try {
    return module.createPublicKey({ key: spki(publicKey), format: "der", type: "spki" });
  } catch {
    return undefined; // Deno throws where the bytes are no point of the curve; Node verifies to false
  }
}

function pbkdf2(
  module: NodeCryptoModule,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    module.pbkdf2(password, salt, iterations, 32, "sha256", (error, derived) => {
      if (error) reject(error);
      else resolve(plain(derived));
    });
  });
}

/** The bytes without Buffer's own `slice` and `toString`, and without the pool behind them. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
