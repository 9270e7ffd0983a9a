/** What two logs over one store have in common. */

import { equal } from "../bytes.ts";
import type { Block } from "./block.ts";
import type { Log } from "./log.ts";

/**
 * Up to which address `a` and `b` are the same, with what waits in both. They are one up to the lower of
 * where their stored parts end; past it the one has in the store what waits in the other, or both wait.
 */
export async function sharedBytes(a: Log, b: Log): Promise<number> {
  const [low, high] = a.sealedLength <= b.sealedLength ? [a, b] : [b, a];
  let shared = low.sealedBytes;
  const shares = ({ index, start, bytes }: Block): boolean => {
    const waiting = low.heldBlocks[index - low.sealedLength];
    if (waiting?.start !== start || !equal(waiting.bytes, bytes)) return false;
    shared = start + bytes.length;
    return true;
  };
  const to = Math.min(low.heldLength, high.sealedLength);
  for await (const block of high.blocks(low.sealedLength, to)) if (!shares(block)) return shared;
  high.heldBlocks.every(shares);
  return shared;
}
