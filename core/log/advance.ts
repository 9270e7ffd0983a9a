/** The news that a log is longer. */

import type { Block } from "./block.ts";
import type { VerifiedHead } from "./head.ts";

/** A log became longer: blocks [from, head.blocks) are durable in its store. */
export interface Advance {
  /** The new head. */
  readonly head: VerifiedHead;
  /** Index of the first new block. */
  readonly from: number;
  /** The new blocks where they are at hand, so that passing them on needs no read. */
  readonly blocks: readonly Block[] | undefined;
  /** Whoever brought them, as given to {@link Log.receive}; undefined for this process's own. */
  readonly source: unknown;
}
