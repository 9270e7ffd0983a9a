/** What core needs of cryptography, as one interface with several providers. */

/** A private key that can sign; the bytes may be held by the platform. */
export interface SigningKey {
  /** The 32 bytes of the Ed25519 public key. */
  readonly publicKey: Uint8Array;
  /** The 64-byte Ed25519 signature of `message`. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/**
 * Hashing, signing and key derivation. Every provider gives the same results for every input;
 * one conformance suite holds them to it.
 */
export interface Crypto {
  /** For status pages: "node", "webcrypto" or "noble". */
  readonly name: string;
  /** SHA-256 of the bytes of `parts`, one after the other. Synchronous: writing a log is. */
  sha256(...parts: Uint8Array[]): Uint8Array;
  /** The signing key of a 32-byte Ed25519 seed. */
  signingKey(seed: Uint8Array): Promise<SigningKey>;
  /**
   * Whether `signature` (64 bytes) is `publicKey`'s signature of `message` under the strict rule of
   * SPEC (canonical S, R and A, neither R nor A of small order). Never throws on hostile bytes.
   */
  verify(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean | Promise<boolean>;
  /** PBKDF2-HMAC-SHA-256 giving 32 bytes. */
  pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array>;
  /** HKDF-SHA-256 (RFC 5869) giving 32 bytes. */
  hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Promise<Uint8Array>;
}
