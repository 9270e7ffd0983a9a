/** What every store checks of an append before it writes: misuse by the program, never a race. */

import { type Block, BLOCK_MAX_BYTES } from "./block.ts";
import { frontierSize } from "./merkle.ts";
import type { StoredHead } from "./store.ts";

/**
 * The index that the first of `blocks` takes, which is also how many blocks are kept. `RangeError`
 * when blocks and `next` do not fit together: a store that wrote them could not be read again.
 */
export function appendBase(blocks: readonly Block[], next: StoredHead): number {
  const base = next.length - blocks.length;
  if (base < 0) {
    throw new RangeError(`cannot append ${blocks.length} blocks to reach length ${next.length}`);
  }
  let start = blocks.length > 0 ? blocks[0].start : next.bytes;
  for (let i = 0; i < blocks.length; i++) {
    const { index, start: found, bytes } = blocks[i];
    if (index !== base + i || found !== start) {
      throw new RangeError(
        `cannot append block ${index} at ${found} where block ${base + i} at ${start} belongs`,
      );
    }
    if (bytes.length < 1 || bytes.length > BLOCK_MAX_BYTES) {
      throw new RangeError(`cannot append a block of ${bytes.length} bytes`);
    }
    start += bytes.length;
  }
  if (start !== next.bytes) {
    throw new RangeError(`cannot append blocks that end at ${start}, not at ${next.bytes}`);
  }
  checkStored(next);
  return base;
}

/** Throws `RangeError` unless the new blocks join what is held: `length` blocks, ending at `end`. */
export function checkJoin(base: number, length: number, start: number, end: number): void {
  if (base > length) {
    throw new RangeError(`cannot append block ${base} to a log that holds ${length}`);
  }
  if (start !== end) {
    throw new RangeError(`cannot append a block at ${start} after one that ends at ${end}`);
  }
}

function checkStored({ head, epoch, length, frontier }: StoredHead): void {
  if (frontier.length !== frontierSize(length)) {
    throw new RangeError(`a frontier of ${frontier.length} hashes is not that of ${length} blocks`);
  }
  if (head !== undefined && head.epoch === epoch && head.blocks > length) {
    throw new RangeError(`cannot store a head of ${head.blocks} blocks with ${length} of them`);
  }
}
