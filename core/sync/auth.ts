/** Which keys the other side of a connection has shown to hold. */

import { equal } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { defaultCrypto } from "../identity/default_crypto.ts";
import { type Key, keyToBytes } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import { authBytes } from "../log/head.ts";
import { type RandomBytes, systemRandomBytes } from "../platform.ts";
import { type Auth, CHALLENGE_BYTES, type Refusal } from "./messages.ts";

/** Claims that are looked at on one connection: each costs a verification. */
export const CLAIMS_MAX = 64;
/** Messages that wait until the claims before them are judged. */
const WAITING_MAX = 10_000;

/** Who is at the other end of a connection, as far as that has been shown. */
export interface Peer {
  /** Keys that it has proved to hold. */
  readonly keys: ReadonlySet<Key>;
}

/** What an {@link Identification} is made of. */
export interface IdentificationOptions {
  /**
   * Name and port of the side that was dialled, where both sides know it. Without it nobody can show
   * who they are.
   */
  readonly host?: string;
  /** Checks what the peer claims; the best of this platform by default. */
  readonly crypto?: Crypto;
  /** Makes the challenge; the platform's by default. */
  readonly randomBytes?: RandomBytes;
}

/** Tells the peer that it is not believed. */
interface Wire {
  send(refusal: Refusal): void;
}

const NOBODY: ReadonlySet<Key> = new Set();

/** One side's part in proving who one is, in both directions, on one connection. */
export class Identification implements Peer {
  /** This side's challenge. */
  readonly challenge: Uint8Array;
  readonly #options: IdentificationOptions;
  readonly #wire: Wire;
  /** Most peers show nothing. */
  #keys: Set<Key> | undefined;
  #peerChallenge: Uint8Array | undefined;
  #claims = 0;
  #judging: Promise<void> | undefined;
  #waiting = 0;

  /** Makes up a challenge. */
  constructor(options: IdentificationOptions, wire: Wire) {
    const { randomBytes = systemRandomBytes } = options;
    this.#options = options;
    this.#wire = wire;
    this.challenge = randomBytes(CHALLENGE_BYTES);
  }

  get keys(): ReadonlySet<Key> {
    return this.#keys ?? NOBODY;
  }

  /** Takes the peer's challenge. */
  greet(challenge: Uint8Array): void {
    // To sign one's own challenge would be to answer for the peer.
    if (equal(challenge, this.challenge)) {
      throw new StreamoError("malformed", "the challenge of this side came back as the peer's");
    }
    this.#peerChallenge = challenge;
  }

  /** What shows the peer that this side holds `signer`; undefined where the host is not known. */
  async claim(signer: Signer): Promise<Auth | undefined> {
    const host = this.#host;
    if (host === undefined || this.#peerChallenge === undefined) return undefined;
    const { key } = signer;
    const [verifier, claimer] = [this.#peerChallenge, this.challenge];
    const signature = await signer.sign(authBytes({ key, verifier, claimer, host }));
    return { type: "auth", key, signature };
  }

  /** Looks whether the peer holds the key that it says; refuses what cannot be believed. */
  judge(auth: Auth): void {
    const before = this.#judging ?? Promise.resolve();
    const judging = before.then(() => this.#judge(auth)).then(() => {
      if (this.#judging === judging) this.#judging = undefined;
    });
    this.#judging = judging;
  }

  /** Resolves when all claims so far are judged; undefined if they are. */
  get judged(): Promise<void> | undefined {
    return this.#judging;
  }

  /** Runs `work` once all claims so far are judged: what is asked may depend on them. */
  whenJudged(work: () => void): void {
    if (this.#judging === undefined) return work();
    if (this.#waiting >= WAITING_MAX) {
      throw new StreamoError("too_large", `more than ${WAITING_MAX} messages wait for a claim`);
    }
    this.#waiting++;
    void this.#judging.then(() => {
      this.#waiting--;
      work();
    });
  }

  get #host(): string | undefined {
    const { host } = this.#options;
    return host && hostOf(`http://${host}`);
  }

  async #judge({ key, signature }: Auth): Promise<void> {
    const { crypto = defaultCrypto() } = this.#options;
    const host = this.#host;
    if (this.keys.has(key)) return;
    if (++this.#claims > CLAIMS_MAX) {
      return this.#refuse(key, "refused", `more than ${CLAIMS_MAX} keys on one connection`);
    }
    if (host === undefined) {
      return this.#refuse(key, "unsupported", "this peer does not go by the name it was asked for");
    }
    const [verifier, claimer] = [this.challenge, this.#peerChallenge!];
    const message = authBytes({ key, verifier, claimer, host });
    try {
      if (await crypto.verify(keyToBytes(key), message, signature)) {
        (this.#keys ??= new Set()).add(key);
      } else this.#refuse(key, "bad_signature", `${key} has not signed for "${host}"`);
    } catch (error) {
      // The curve is a module that may fail to load.
      this.#refuse(key, "unsupported", `cannot verify: ${(error as Error).message}`.slice(0, 500));
    }
  }

  #refuse(key: Key, code: Refusal["code"], message: string): void {
    this.#wire.send({ type: "refuse", of: "auth", code, message, topic: undefined, key });
  }
}

/**
 * The host that a signature is bound to: name and port of `url`, without the ports of HTTP and HTTPS,
 * because a relay behind a proxy does not know which of the two it was asked by.
 */
export function hostOf(url: string): string {
  return new URL(url).host.replace(/:(80|443)$/, "");
}
