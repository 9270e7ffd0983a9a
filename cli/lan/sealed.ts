/**
 * A connection between two devices of one key over a network full of strangers. Both prove that they have
 * the credentials before anything else is said, and all of it is encrypted: whoever listens, or stands in
 * between, learns neither the key nor what it writes. (Who records it and learns the password later
 * can read it, as they can the log.)
 *
 *     nonce of 32 bytes, both ways; then messages, each AES-256-GCM with the number of the message
 */

import { Serial } from "../../core/serial.ts";
import type { Signer } from "../../core/identity/signer.ts";
import type { Transport } from "../../core/sync/transport.ts";

const NONCE_BYTES = 32;
/** RFC 6455 leaves 4000 to 4999 to applications. */
const NOT_OURS = 4003;
/** A stranger that says nothing is not waited for longer. */
const PATIENCE_MS = 10_000;

/**
 * What only the holders of a signer have: Ed25519 gives one message always the same signature. The message
 * begins like no other signed one, and its signature is never sent.
 */
export async function lanSecret(signer: Signer): Promise<Uint8Array> {
  const signature = await signer.sign(new TextEncoder().encode("streamo/lan/1\0"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", signature.slice()));
}

/** `transport` between devices that have `secret`; the dialer is the one that connected. */
export function sealedTransport(
  transport: Transport,
  secret: Uint8Array,
  isDialer: boolean,
): Transport {
  return new Sealed(transport, secret, isDialer);
}

class Sealed implements Transport {
  onMessage: Transport["onMessage"] = () => {};
  onClose: Transport["onClose"] = () => {};
  readonly #transport: Transport;
  readonly #secret: Uint8Array;
  readonly #isDialer: boolean;
  readonly #nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  readonly #keys = Promise.withResolvers<{ send: CryptoKey; receive: CryptoKey }>();
  readonly #sending = new Serial();
  readonly #receiving = new Serial();
  readonly #timer: ReturnType<typeof setTimeout>;
  #waitingBytes = 0;
  #sent = 0;
  #received = 0;
  #hasNonce = false;
  #isEnded = false;

  constructor(transport: Transport, secret: Uint8Array, isDialer: boolean) {
    this.#transport = transport;
    this.#secret = secret;
    this.#isDialer = isDialer;
    // What waits for them has ended by then.
    this.#keys.promise.catch(() => undefined);
    transport.onMessage = (data) => this.#take(data);
    transport.onClose = (reason) => this.#ended(reason);
    this.#timer = setTimeout(() => this.close(NOT_OURS, "no proof of the key"), PATIENCE_MS);
    transport.send(this.#nonce);
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes + this.#waitingBytes;
  }

  send(data: string | Uint8Array): void {
    const bytes = wrap(data);
    this.#waitingBytes += bytes.length;
    this.#run(this.#sending, async () => {
      const { send } = await this.#keys.promise;
      const sealed = await crypto.subtle.encrypt(algorithm(this.#sent++), send, bytes);
      this.#waitingBytes -= bytes.length;
      this.#transport.send(new Uint8Array(sealed));
    });
  }

  close(code?: number, reason = "closed"): void {
    this.#transport.close(code, reason);
    this.#ended(reason);
  }

  #take(data: string | Uint8Array): void {
    this.#run(this.#receiving, async () => {
      if (typeof data === "string") throw new TypeError("text");
      if (!this.#hasNonce) {
        this.#hasNonce = true;
        return this.#keys.resolve(await this.#derive(data));
      }
      const { receive } = await this.#keys.promise;
      const bytes = await crypto.subtle.decrypt(
        algorithm(this.#received),
        receive,
        data as Uint8Array<ArrayBuffer>,
      );
      if (this.#received++ === 0) clearTimeout(this.#timer);
      if (!this.#isEnded) this.onMessage(unwrap(new Uint8Array(bytes)));
    });
  }

  /** What cannot be read is from somebody who does not have the secret: nothing more is said. */
  #run(serial: Serial, work: () => Promise<void>): void {
    serial.run(async () => {
      if (!this.#isEnded) await work();
    }).catch(() => this.close(NOT_OURS, "not a device of this key"));
  }

  async #derive(nonce: Uint8Array): Promise<{ send: CryptoKey; receive: CryptoKey }> {
    if (nonce.length !== NONCE_BYTES) throw new TypeError("no nonce");
    const [first, second] = this.#isDialer ? [this.#nonce, nonce] : [nonce, this.#nonce];
    const salt = new Uint8Array([...first, ...second]);
    const own = this.#isDialer ? "dialer" : "listener";
    const other = this.#isDialer ? "listener" : "dialer";
    const [send, receive] = await Promise.all([own, other].map((who) => this.#key(salt, who)));
    return { send, receive };
  }

  async #key(salt: Uint8Array<ArrayBuffer>, who: string): Promise<CryptoKey> {
    const { subtle } = crypto;
    const secret = await subtle.importKey("raw", this.#secret.slice(), "HKDF", false, [
      "deriveKey",
    ]);
    const info = new TextEncoder().encode(`streamo/lan/1 ${who}`);
    const from = { name: "HKDF", hash: "SHA-256", salt, info };
    const to = { name: "AES-GCM", length: 256 };
    return await subtle.deriveKey(from, secret, to, false, ["encrypt", "decrypt"]);
  }

  #ended(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#keys.reject(new Error(reason));
    this.onClose(reason);
  }
}

/** The number of a message is its initialisation vector: no two under one key are equal. */
function algorithm(number: number): AesGcmParams {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setBigUint64(4, BigInt(number));
  return { name: "AES-GCM", iv };
}

/** A byte says whether it is text. */
function wrap(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const wrapped = new Uint8Array(bytes.length + 1);
  wrapped[0] = typeof data === "string" ? 1 : 0;
  wrapped.set(bytes, 1);
  return wrapped;
}

function unwrap(bytes: Uint8Array): string | Uint8Array {
  const data = bytes.subarray(1);
  return bytes[0] === 1 ? new TextDecoder("utf-8", { fatal: true }).decode(data) : data;
}
