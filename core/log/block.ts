/** Blocks: the unit of storing, sending and verifying. */

/** Most bytes in a block: one raw value of 64 KiB stores holds it with room for framing. */
export const BLOCK_MAX_BYTES = 61_440;
/**
 * A writer ends a block before a chunk that would take it past this. Whoever reads one value fetches a
 * block for each level of its tree: smaller blocks make that cheap, larger ones a whole log faster.
 */
export const BLOCK_FILL_BYTES = 12_288;

/** What one takes in memory besides its bytes, as measured: the block, a view, and places in lists. */
const BLOCK_MEMORY_BYTES = 192;

/** What `count` blocks of so many bytes in all take in memory: they may be of one byte each. */
export function memoryOf(count: number, bytes: number): number {
  return bytes + count * BLOCK_MEMORY_BYTES;
}

/** A run of whole chunks: a leaf of the log's Merkle tree. */
export interface Block {
  /** Position in the log, from 0. */
  readonly index: number;
  /** Address of its first byte: the sum of the lengths of all blocks before it. */
  readonly start: number;
  /** 1 to {@link BLOCK_MAX_BYTES} bytes. */
  readonly bytes: Uint8Array;
  /** Its leaf hash, where the block was cut or verified just now: its store need not hash it again. */
  readonly leaf?: Uint8Array;
}

/** `block` as it is kept: a hash beside each of many small blocks would weigh as much as they do. */
export function withoutLeaf({ index, start, bytes }: Block): Block {
  return { index, start, bytes };
}

/** The one of `blocks`, which rise, that holds the byte at `address`. */
export function findBlock(blocks: readonly Block[], address: number): Block | undefined {
  let low = 0;
  let high = blocks.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (blocks[middle].start <= address) low = middle;
    else high = middle;
  }
  const block = blocks[low];
  if (block === undefined || address < block.start) return undefined;
  return address < block.start + block.bytes.length ? block : undefined;
}
