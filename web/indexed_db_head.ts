/** What is held of one key, as IndexedDB keeps it. */

import { concat } from "../core/bytes.ts";
import { StreamoError } from "../core/errors.ts";
import type { Key } from "../core/identity/key.ts";
import { decodeHead, encodeHead, trustStoredHead } from "../core/log/head.ts";
import { frontierSize, HASH_BYTES } from "../core/log/merkle.ts";
import type { StoredHead } from "../core/log/store.ts";

/** The entry of one key. */
export interface HeldEntry {
  readonly head: Uint8Array | undefined;
  readonly epoch: number;
  readonly length: number;
  readonly bytes: number;
  /** One hash after the other. */
  readonly frontier: Uint8Array;
}

/** The entry for `stored`. */
export function encodeHeld({ head, epoch, length, bytes, frontier }: StoredHead): HeldEntry {
  return { head: head && encodeHead(head), epoch, length, bytes, frontier: concat(frontier) };
}

/** The opposite; `damaged` if its parts do not fit together. */
export function decodeHeld(key: Key, held: HeldEntry): StoredHead {
  try {
    const { epoch, length, bytes } = held;
    const head = held.head && trustStoredHead(decodeHead(held.head));
    const frontier: Uint8Array[] = [];
    for (let at = 0; at < held.frontier.length; at += HASH_BYTES) {
      frontier.push(held.frontier.slice(at, at + HASH_BYTES));
    }
    const isWhole = frontier.length === frontierSize(length) &&
      (head === undefined || head.key === key);
    if (!isWhole) throw new RangeError("its parts do not fit together");
    return { head, epoch, length, bytes, frontier };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `what the browser holds of ${key} is damaged: ${reason}`;
    throw new StreamoError("damaged", message, { key }, { cause: error });
  }
}
