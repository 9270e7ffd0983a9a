/** Heads: what a key signs. Every signed byte layout of the protocol is in this file. */

import { compare, concat, equal, readU32, readU64, writeU32, writeU64 } from "../bytes.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto, SigningKey } from "../identity/crypto.ts";
import { BLOCK_MAX_BYTES } from "./block.ts";
import { type Key, KEY_BYTES, keyFromBytes, keyToBytes, writeKey } from "../identity/key.ts";
import type { StoredHead } from "./store.ts";

/** A statement about one log: which key, how long, and the root over all its blocks. */
export interface Head {
  /** The key whose log this is. */
  readonly key: Key;
  /** Bit 0: blocks are sealed. Every other bit must be 0. */
  readonly flags: number;
  /** Raised by the author to start a fresh log. */
  readonly epoch: number;
  /** Number of blocks. */
  readonly blocks: number;
  /** Number of bytes in these blocks. */
  readonly bytes: number;
  /** Address of the newest complete record, or undefined before the first. */
  readonly record: number | undefined;
  /** Merkle root over the blocks (32 bytes). */
  readonly root: Uint8Array;
}

/** A head with a signature that nobody has checked yet: what arrives from outside. */
export interface SignedHead extends Head {
  /** Ed25519 signature (64 bytes) over {@link signedBytes}. */
  readonly signature: Uint8Array;
}

declare const verifiedBrand: unique symbol;

/** A head whose signature was made or checked here. Only this file makes one. */
export interface VerifiedHead extends SignedHead {
  /** @ignore */
  readonly [verifiedBrand]: true;
}

const DOMAIN = new TextEncoder().encode("streamo/head/1\0");
const AUTH_DOMAIN = new TextEncoder().encode("streamo/auth/1\0");
const NO_RECORD = new Uint8Array(8).fill(0xff);
const BODY_BYTES = KEY_BYTES + 1 + 4 + 8 + 8 + 8 + 32;
/** Bytes of an encoded signed head: key, flags, epoch, blocks, bytes, record, root, signature. */
export const HEAD_BYTES = BODY_BYTES + 64;

/** The bytes that a head's signature covers. */
export function signedBytes(head: Head): Uint8Array {
  const bytes = new Uint8Array(DOMAIN.length + BODY_BYTES);
  bytes.set(DOMAIN);
  writeBody(bytes, DOMAIN.length, head);
  return bytes;
}

/** `head` signed by `signer`, which must be the head's own key. */
export async function signHead(head: Head, signer: SigningKey): Promise<VerifiedHead> {
  if (!equal(signer.publicKey, keyToBytes(head.key))) {
    throw new StreamoError("wrong_key", `the signer is not the key of the head: ${head.key}`);
  }
  const signature = await signer.sign(signedBytes(head));
  return { ...head, signature } as VerifiedHead;
}

/** `head` as verified; `bad_signature` if its key did not sign it, `wrong_key` if not `key`'s. */
export async function verifyHead(
  head: SignedHead,
  key: Key,
  crypto: Crypto,
): Promise<VerifiedHead> {
  if (head.key !== key) {
    throw new StreamoError("wrong_key", `a head of ${head.key} was given for ${key}`);
  }
  if (!await crypto.verify(keyToBytes(key), signedBytes(head), head.signature)) {
    throw new StreamoError("bad_signature", `the head of ${key} is not signed by it`);
  }
  return head as VerifiedHead;
}

/** A head that this process verified before it stored it: for stores reading back their own bytes. */
export function trustStoredHead(head: SignedHead): VerifiedHead {
  return head as VerifiedHead;
}

/** {@link HEAD_BYTES} bytes. */
export function encodeHead(head: SignedHead): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEAD_BYTES);
  writeBody(bytes, 0, head);
  bytes.set(head.signature, BODY_BYTES);
  return bytes;
}

/** The opposite of {@link encodeHead}; `malformed` unless encoding it again gives the same bytes. */
export function decodeHead(bytes: Uint8Array): SignedHead {
  if (bytes.length !== HEAD_BYTES) {
    throw new StreamoError("malformed", `a head has ${HEAD_BYTES} bytes, not ${bytes.length}`);
  }
  const flags = bytes[32];
  if (flags & ~1) throw new StreamoError("malformed", `unknown head flags ${flags}`);
  const hasRecord = !equal(bytes.subarray(53, 61), NO_RECORD);
  const head: SignedHead = {
    key: keyFromBytes(bytes.subarray(0, 32)),
    flags,
    epoch: readU32(bytes, 33),
    blocks: readU64(bytes, 37),
    bytes: readU64(bytes, 45),
    record: hasRecord ? readU64(bytes, 53) : undefined,
    root: bytes.slice(61, 93),
    signature: bytes.slice(93),
  };
  if (head.record !== undefined && head.record >= head.bytes) {
    throw new StreamoError("malformed", "a head's record lies past its bytes");
  }
  if (head.blocks > head.bytes || head.bytes > head.blocks * BLOCK_MAX_BYTES) {
    throw new StreamoError("malformed", `${head.blocks} blocks do not have ${head.bytes} bytes`);
  }
  return head;
}

/** Whether two heads state the same log; signatures need not be equal. */
export function sameHead(a: Head | undefined, b: Head | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return a.key === b.key && a.epoch === b.epoch && a.blocks === b.blocks && a.flags === b.flags &&
    a.bytes === b.bytes && a.record === b.record && equal(a.root, b.root);
}

/** Whether a store holds the same under both: the comparison that `append` makes. */
export function sameStored(a: StoredHead | undefined, b: StoredHead | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return sameHead(a.head, b.head) && a.epoch === b.epoch && a.length === b.length &&
    a.bytes === b.bytes && a.frontier.length === b.frontier.length &&
    a.frontier.every((hash, i) => equal(hash, b.frontier[i]));
}

/**
 * Which of two heads of one key wins where both are valid and neither extends the other: the higher
 * epoch, then more blocks, then the smaller root. Negative when `a` wins.
 */
export function compareHeads(a: Head, b: Head): number {
  return b.epoch - a.epoch || b.blocks - a.blocks || compare(a.root, b.root);
}

/** What a key signs to be believed by one peer on one connection. */
export interface AuthClaim {
  /** The key that is claimed to be held. */
  readonly key: Key;
  /** The challenge of the peer that is to believe it: no signature of another connection fits. */
  readonly verifier: Uint8Array;
  /** The challenge of the side that claims it: what it says cannot be sent back to it. */
  readonly claimer: Uint8Array;
  /** The verifier's host, as the claimer asked for it: nobody in between can pass it on to another. */
  readonly host: string;
}

/** The bytes that an `auth` signature covers: all but the host have one length each. */
export function authBytes({ key, verifier, claimer, host }: AuthClaim): Uint8Array {
  const name = new TextEncoder().encode(host);
  return concat([AUTH_DOMAIN, keyToBytes(key), verifier, claimer, name]);
}

function writeBody(bytes: Uint8Array, at: number, head: Head): void {
  writeKey(bytes, at, head.key);
  bytes[at + 32] = head.flags;
  writeU32(bytes, at + 33, head.epoch);
  writeU64(bytes, at + 37, head.blocks);
  writeU64(bytes, at + 45, head.bytes);
  if (head.record === undefined) bytes.set(NO_RECORD, at + 53);
  else writeU64(bytes, at + 53, head.record);
  bytes.set(head.root, at + 61);
}
