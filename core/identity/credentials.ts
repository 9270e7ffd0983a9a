/** Credentials: from a user name and a password to signers, the same on every device. */

import type { Crypto } from "./crypto.ts";
import { defaultCrypto } from "./default_crypto.ts";
import { Signer } from "./signer.ts";

/**
 * Rounds of PBKDF2-HMAC-SHA-256: OWASP's figure for this function. A public key lets anyone test
 * guesses of the password offline, so this cost is all that protects a weak one; it cannot be lowered.
 */
export const PBKDF2_ITERATIONS = 600_000;

const ROOT_DOMAIN = "streamo/root/1\0";
const SIGNER_DOMAIN = "streamo/signer/1\0";
const NO_SALT = new Uint8Array();

/** A user name and the root secret that it and its password derive. The secret is never stored. */
export class Credentials {
  /** The user name in the form that went into the derivation. */
  readonly username: string;
  readonly #root: Uint8Array;
  readonly #crypto: Crypto;

  private constructor(username: string, root: Uint8Array, crypto: Crypto) {
    this.username = username;
    this.#root = root;
    this.#crypto = crypto;
  }

  /**
   * Takes 0.1 to 3 seconds, on purpose. `TypeError` for text that {@link normalizeName} or
   * {@link normalizePassword} refuses.
   */
  static async derive(
    username: string,
    password: string,
    options: { crypto?: Crypto } = {},
  ): Promise<Credentials> {
    const { crypto = defaultCrypto() } = options;
    const name = normalizeName("user name", username);
    const secret = utf8(normalizePassword(password));
    const root = await crypto.pbkdf2(secret, utf8(ROOT_DOMAIN + name), PBKDF2_ITERATIONS);
    return new Credentials(name, root, crypto);
  }

  /** The signer of the dataset `name`; `TypeError` for a name that {@link normalizeName} refuses. */
  async signer(name: string): Promise<Signer> {
    const normal = normalizeName("dataset name", name);
    const seed = await this.#crypto.hkdf(this.#root, NO_SALT, utf8(SIGNER_DOMAIN + normal));
    return new Signer(normal, await this.#crypto.signingKey(seed));
  }
}

/**
 * A user or dataset name as it goes into the derivation: NFC, so that keyboards which compose
 * characters differently give the same key. Case is kept. A space at either end is refused rather
 * than cut, because a name that silently changes would silently be another key.
 */
export function normalizeName(what: string, name: string): string {
  const normal = checkText(what, name, `: ${JSON.stringify(name)}`).normalize("NFC");
  if (normal.trim() !== normal) {
    throw new TypeError(`the ${what} begins or ends with a space: ${JSON.stringify(name)}`);
  }
  return normal;
}

/**
 * A password as it goes into the derivation, by the rule of RFC 8265 section 4.2 (OpaqueString): every
 * kind of space becomes U+0020, then NFC. Errors never quote it.
 */
export function normalizePassword(password: string): string {
  return checkText("password", password, "").replace(/\p{Zs}/gu, " ").normalize("NFC");
}

/** `text`, unless it is empty or holds what no keyboard types: controls and lone surrogates. */
function checkText(what: string, text: string, quoted: string): string {
  if (typeof text !== "string") throw new TypeError(`the ${what} is not a string`);
  if (text === "") throw new TypeError(`the ${what} is empty`);
  if (!text.isWellFormed()) throw new TypeError(`the ${what} has a lone surrogate${quoted}`);
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)) {
    throw new TypeError(`the ${what} has a control character${quoted}`);
  }
  return text;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
