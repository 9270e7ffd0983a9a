/** Signers: what signs heads. */

import type { Crypto, SigningKey } from "./crypto.ts";
import { defaultCrypto } from "./default_crypto.ts";
import { type Key, keyFromBytes } from "./key.ts";

/** The key pair of (credentials, dataset name). Its private half cannot be read or printed. */
export class Signer implements SigningKey {
  /** The public key as text: the name of the log that this signer writes. */
  readonly key: Key;
  /** The 32 bytes of the public key. */
  readonly publicKey: Uint8Array;
  /** The dataset name; it is not secret, and not part of what is signed. */
  readonly name: string;
  readonly #signingKey: SigningKey;

  /** A signer over any signing key: the platform's, or one that a device or an agent holds. */
  constructor(name: string, signingKey: SigningKey) {
    this.name = name;
    this.publicKey = signingKey.publicKey;
    this.key = keyFromBytes(signingKey.publicKey);
    this.#signingKey = signingKey;
  }

  /** The signer of a 32-byte Ed25519 seed, for secrets that are not made from a password. */
  static async fromSeed(
    name: string,
    seed: Uint8Array,
    options: { crypto?: Crypto } = {},
  ): Promise<Signer> {
    const { crypto = defaultCrypto() } = options;
    return new Signer(name, await crypto.signingKey(seed));
  }

  /** The 64-byte Ed25519 signature of `message`. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array> {
    return this.#signingKey.sign(message);
  }
}
