/** One log that takes another one's place. */

import type { VerifiedHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import { sharedBytes } from "../log/shared_bytes.ts";

/** What is known of two branches of which one takes the other's place. */
export interface Succession {
  /** How many blocks both begin with, and up to which address: 0 for logs of two epochs. */
  readonly sharedBlocks: number;
  readonly sharedBytes: number;
  /** The head whose place is taken, if it was signed. */
  readonly replaced?: VerifiedHead;
  /** Whether another process has stored the log that goes on already. */
  readonly isStored?: boolean;
  /** Whether the head is cited even if nothing is taken over: then nobody looks again. */
  readonly mustCite?: boolean;
}

/** What `branch`, which parts from `log` or is of another epoch, shares with it. */
export async function sharedBy(branch: Log, log: Log): Promise<Succession> {
  if (branch.epoch !== log.epoch) return { sharedBlocks: 0, sharedBytes: 0 };
  return { sharedBlocks: branch.length, sharedBytes: await sharedBytes(branch, log) };
}
