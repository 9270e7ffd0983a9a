/** Watches what a process signs. */

import { concat, equal, toHex } from "../../core/bytes.ts";
import type { SigningKey } from "../../core/identity/crypto.ts";
import { decodeHead, type Head, signedBytes } from "../../core/log/head.ts";

/** What a claim to hold a key begins with; the key follows. */
const CLAIM = new TextEncoder().encode("streamo/auth/1\0");
/** Bytes before a head in what is signed. */
const DOMAIN_BYTES = "streamo/head/1\0".length;

/**
 * A signing key that says when a process signs two heads for one number of blocks, though the first
 * of them was durable and no other log has taken its place since: it would have forgotten it.
 */
export class Guard implements SigningKey {
  readonly publicKey: Uint8Array;
  readonly #key: SigningKey;
  readonly #onFault: (what: string) => void;
  readonly #durable = new Map<string, string>();

  constructor(key: SigningKey, onFault: (what: string) => void) {
    this.#key = key;
    this.publicKey = key.publicKey;
    this.#onFault = onFault;
  }

  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const claim = concat([CLAIM, this.publicKey]);
    if (!equal(message.subarray(0, claim.length), claim)) this.#checkHead(message);
    return this.#key.sign(message);
  }

  #checkHead(message: Uint8Array): void {
    const head = decodeHead(concat([message.subarray(DOMAIN_BYTES), new Uint8Array(64)]));
    if (toHex(signedBytes(head)) !== toHex(message)) this.#onFault("signs what is no head");
    const before = this.#durable.get(nameOf(head));
    if (before !== undefined && before !== toHex(head.root)) {
      this.#onFault(`signs two heads of ${nameOf(head)}`);
    }
  }

  /** The process was told that this head of its own is durable. */
  stored(head: Head): void {
    this.#durable.set(nameOf(head), toHex(head.root));
  }

  /** Another log has taken the place of the process's. */
  replaced(): void {
    this.#durable.clear();
  }
}

function nameOf({ epoch, blocks }: Head): string {
  return `epoch ${epoch}, ${blocks} blocks`;
}
