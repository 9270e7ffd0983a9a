/**
 * A branch that is kept beside the log of its key, as bytes. Numbers are big-endian:
 *
 *     aside = head(157) from(u64) start(u64) *(length(u32) bytes)
 */

import { concat, readU32, readU64, writeU32, writeU64 } from "../bytes.ts";
import { toHex } from "../hex.ts";
import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { decodeHead, encodeHead, type Head, HEAD_BYTES, type SignedHead } from "./head.ts";

/** What is known of a branch without its blocks. */
export interface Aside {
  /** Covers all of it. Not verified: that is done when its blocks are used. */
  readonly head: SignedHead;
  /** Index of the first block that is kept. */
  readonly from: number;
  /** Address of its first byte: up to here the branch is one with the log that it parted from. */
  readonly start: number;
}

/** A branch with its blocks past {@link Aside.from}. */
export interface AsideBranch extends Aside {
  readonly blocks: readonly Uint8Array[];
}

/** The name that a branch is kept under. */
export function asideName({ epoch, root }: Pick<Head, "epoch" | "root">): string {
  return `${epoch}-${toHex(root)}`;
}

/** `branch` as bytes. */
export function encodeAside({ head, from, start, blocks }: AsideBranch): Uint8Array {
  const place = new Uint8Array(16);
  writeU64(place, 0, from);
  writeU64(place, 8, start);
  const parts: Uint8Array[] = [encodeHead(head), place];
  for (const block of blocks) {
    const length = new Uint8Array(4);
    writeU32(length, 0, block.length);
    parts.push(length, block);
  }
  return concat(parts);
}

/** The opposite; `damaged` if the bytes are not those of a branch of `key`. */
export function decodeAside(key: Key, bytes: Uint8Array): AsideBranch {
  try {
    const head = decodeHead(bytes.subarray(0, HEAD_BYTES));
    const from = readU64(bytes, HEAD_BYTES);
    const start = readU64(bytes, HEAD_BYTES + 8);
    const blocks: Uint8Array[] = [];
    for (let at = HEAD_BYTES + 16; at < bytes.length;) {
      const end = at + 4 + readU32(bytes, at);
      blocks.push(bytes.slice(at + 4, end));
      at = end;
    }
    const size = blocks.reduce((sum, { length }) => sum + length, 0);
    const isWhole = from + blocks.length === head.blocks && start + size === head.bytes;
    if (isWhole && head.key === key) return { head, from, start, blocks };
    throw new RangeError("its parts do not fit together");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `a branch that is kept aside of ${key} is damaged: ${reason}`;
    throw new StreamoError("damaged", message, { key }, { cause: error });
  }
}
