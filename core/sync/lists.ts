/**
 * Many logs opened at once. The opener names them by the hash of their keys and says what it has of
 * them in a fingerprint for every 32; the answerer says which of those are not its own, with a
 * fingerprint for each key of theirs. What is equal needs no more words.
 *
 *     list      [2] [hash of the keys: 32 bytes] [of a group: 16 bytes]*
 *     keys      [3] [key: 32 bytes]*
 *     compared  [4] [groups that differ: a bit each, lowest first] [of a key: 16 bytes]*
 */

import { concat, equal, writeU32, writeU64 } from "../bytes.ts";
import { malformed } from "../codec/reader.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { type Key, KEY_BYTES, keyFromBytes, keyToBytes } from "../identity/key.ts";
import { HASH_BYTES } from "../log/merkle.ts";
import type { Position } from "../log/run.ts";

/** Most keys of a list: as many as there may be channels. */
export const LIST_MAX = 10_000;

const LIST = 2;
const KEYS = 3;
const COMPARED = 4;
/** For n keys of which d changed, n / 32 + 32 d fingerprints are sent: least near n = 1000 d. */
const GROUP_KEYS = 32;
const PRINT_BYTES = 16;
/** An epoch, a number of blocks and a root. */
const STAND_BYTES = 4 + 8 + HASH_BYTES;

/** What a frame about lists says. */
export type ListFrame =
  | { readonly type: "list"; readonly hash: Uint8Array; readonly groups: Uint8Array }
  | { readonly type: "keys"; readonly keys: readonly Key[] }
  | { readonly type: "compared"; readonly body: Uint8Array };

/** The frame that `bytes` is; undefined if it is none about lists. */
export function decodeListFrame(bytes: Uint8Array): ListFrame | undefined {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case LIST: {
      const groups = body.subarray(HASH_BYTES);
      if (body.length < HASH_BYTES || groups.length % PRINT_BYTES !== 0) break;
      return { type: "list", hash: body.subarray(0, HASH_BYTES), groups };
    }
    case KEYS:
      return { type: "keys", keys: readKeys(body) };
    case COMPARED:
      return { type: "compared", body };
    default:
      return undefined;
  }
  throw malformed("a list that is cut off");
}

/** Opens a list of keys of which the opener has what `stands` says. */
export function encodeList(hash: Uint8Array, stands: Stands): Uint8Array {
  return concat([new Uint8Array([LIST]), hash, stands.groups()]);
}

/** The keys of a list that the answerer does not know. */
export function encodeKeys(keys: readonly Key[]): Uint8Array {
  return concat([new Uint8Array([KEYS]), ...keys.map(keyToBytes)]);
}

/** What a list is known by. */
export function hashKeys(crypto: Crypto, keys: readonly Key[]): Uint8Array {
  return crypto.sha256(encodeKeys(keys));
}

/** In the order that both sides count in. */
function readKeys(body: Uint8Array): Key[] {
  const count = body.length / KEY_BYTES;
  if (count > LIST_MAX) throw new StreamoError("too_large", `a list of ${count} keys`);
  if (!Number.isInteger(count)) throw malformed("a list ends in the middle of a key");
  const keys: Key[] = [];
  for (let at = 0; at < body.length; at += KEY_BYTES) {
    const key = keyFromBytes(body.subarray(at, at + KEY_BYTES));
    if (keys.length > 0 && key <= keys.at(-1)!) {
      throw malformed("the keys of a list are out of order");
    }
    keys.push(key);
  }
  return keys;
}

/** What one side has of each key of a list. */
export class Stands {
  readonly #crypto: Crypto;
  readonly #bytes: Uint8Array;

  /** None can be compared yet: each side fills with another byte, so that these never look equal. */
  constructor(crypto: Crypto, count: number, side: "opener" | "answerer") {
    this.#crypto = crypto;
    this.#bytes = new Uint8Array(count * STAND_BYTES).fill(side === "opener" ? 0xff : 0xfe);
  }

  /** How many keys the list has. */
  get count(): number {
    return this.#bytes.length / STAND_BYTES;
  }

  /** This side's log of a key ends at `position`, or there is none; nothing of it is staged. */
  set(index: number, position: Position | undefined): void {
    const stand = this.#bytes.subarray(index * STAND_BYTES, (index + 1) * STAND_BYTES).fill(0);
    if (position === undefined) return;
    writeU32(stand, 0, position.epoch);
    writeU64(stand, 4, position.blocks);
    stand.set(position.root, 12);
  }

  /** A fingerprint for each group. */
  groups(): Uint8Array {
    const prints: Uint8Array[] = [];
    for (let i = 0; i < this.count; i += GROUP_KEYS) prints.push(this.#print(i, i + GROUP_KEYS));
    return concat(prints);
  }

  /** `malformed` unless there are as many groups as these keys have. */
  checkGroups(groups: Uint8Array): void {
    if (groups.length === Math.ceil(this.count / GROUP_KEYS) * PRINT_BYTES) return;
    throw malformed(`a list of ${this.count} keys with ${groups.length} bytes of fingerprints`);
  }

  /** What an answerer with these says to the opener's groups. */
  compare(groups: Uint8Array): Uint8Array {
    const own = this.groups();
    const bits = new Uint8Array(bitBytes(this.count));
    const parts: Uint8Array[] = [new Uint8Array([COMPARED]), bits];
    for (let at = 0; at < own.length; at += PRINT_BYTES) {
      if (equal(own.subarray(at, at + PRINT_BYTES), groups.subarray(at, at + PRINT_BYTES))) {
        continue;
      }
      const group = at / PRINT_BYTES;
      bits[group >>> 3] |= 1 << (group & 7);
      for (const index of this.#members(group)) parts.push(this.#print(index, index + 1));
    }
    return concat(parts);
  }

  /** The opener's side of it: the keys that differ, by their place. `malformed` unless it fits. */
  differing(body: Uint8Array): Set<number> {
    const found = new Set<number>();
    const bits = body.subarray(0, bitBytes(this.count));
    let at = bits.length;
    for (let group = 0; group < bits.length * 8; group++) {
      if ((bits[group >>> 3] & 1 << (group & 7)) === 0) continue;
      const members = this.#members(group);
      if (members.length === 0) throw malformed("a list was compared past its end");
      for (const index of members) {
        const theirs = body.subarray(at, at += PRINT_BYTES);
        if (!equal(this.#print(index, index + 1), theirs)) found.add(index);
      }
    }
    const isWhole = bits.length === bitBytes(this.count) && at === body.length;
    if (!isWhole) throw malformed("a list was compared with another one");
    return found;
  }

  #members(group: number): number[] {
    const first = group * GROUP_KEYS;
    const length = Math.max(0, Math.min(this.count - first, GROUP_KEYS));
    return Array.from({ length }, (_, i) => first + i);
  }

  /** Sums of hashes could be made to cancel out by whoever writes several of the logs; a hash cannot. */
  #print(from: number, to: number): Uint8Array {
    const stands = this.#bytes.subarray(from * STAND_BYTES, to * STAND_BYTES);
    return this.#crypto.sha256(stands).subarray(0, PRINT_BYTES);
  }
}

function bitBytes(count: number): number {
  return Math.ceil(Math.ceil(count / GROUP_KEYS) / 8);
}
