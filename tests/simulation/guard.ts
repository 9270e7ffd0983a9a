/** Watches what a process signs. */

import { concat } from "../../core/bytes.ts";
import { toHex } from "../../core/hex.ts";
import type { SigningKey } from "../../core/identity/crypto.ts";
import { decodeHead, type Head, signedBytes } from "../../core/log/head.ts";

/** What begins the bytes that are signed of a head, and of a claim to a peer. */
const HEAD = "streamo/head/1\0";
const CLAIM = "streamo/auth/1\0";

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
    const domain = new TextDecoder().decode(message.subarray(0, HEAD.length));
    if (domain === HEAD) this.#check(message);
    else if (domain !== CLAIM) this.#onFault(`signs "${domain}"`);
    return this.#key.sign(message);
  }

  #check(message: Uint8Array): void {
    const head = decodeHead(concat([message.subarray(HEAD.length), new Uint8Array(64)]));
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
