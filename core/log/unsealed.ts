/** The end of a log that is not in the store yet: whole blocks, then the open one. */

import { MissingBlock } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import { type Block, BLOCK_MAX_BYTES, findBlock } from "./block.ts";
import { OpenBlock } from "./open_block.ts";
import { EMPTY, extend, type Extent } from "./run.ts";

/**
 *     0 ............ tip ............. end
 *     in the store   blocks, and after the end the open block
 */
export class Unsealed {
  readonly #crypto: Crypto;
  readonly #open = new OpenBlock();
  #tip: Extent = EMPTY;
  #blocks: Block[] = [];
  /** The extent after all of `#blocks`. */
  #end: Extent = EMPTY;
  /** What {@link extentAt} gave last: it goes on from there. */
  #asked: Extent = EMPTY;
  /** `#end.bytes`: looked at by every read. */
  #openStart = 0;

  /** Nothing, at the beginning of a log. */
  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** Where the store's part ends. */
  get tip(): Extent {
    return this.#tip;
  }

  /** Where the whole blocks end. */
  get end(): Extent {
    return this.#end;
  }

  /** The whole blocks. */
  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** Whether there is nothing. */
  get isEmpty(): boolean {
    return this.#blocks.length === 0 && this.#open.length === 0;
  }

  /** How many bytes there are. */
  get bytes(): number {
    return this.#openStart + this.#open.length - this.#tip.bytes;
  }

  /** The bytes from `address`, which is past the tip, to the end of its block. */
  at(address: number): Uint8Array {
    if (address >= this.#openStart) {
      const offset = address - this.#openStart;
      if (offset >= this.#open.length) throw new MissingBlock(address);
      return this.#open.from(offset);
    }
    const block = findBlock(this.#blocks, address);
    if (block === undefined) throw new MissingBlock(address);
    return block.bytes.subarray(address - block.start);
  }

  /** Appends a chunk; gives its address. */
  append(chunk: Uint8Array): number {
    if (chunk.length > BLOCK_MAX_BYTES) {
      throw new StreamoError("too_large", `a chunk of ${chunk.length} bytes fits in no block`);
    }
    if (!this.#open.hasRoom(chunk.length)) this.close();
    this.#open.push(chunk);
    return this.#openStart + this.#open.length - chunk.length;
  }

  /** The whole blocks, with the open one, which ends here; and how far they reach. */
  closed(): { blocks: readonly Block[]; extent: Extent } {
    this.close();
    return { blocks: this.#blocks.slice(), extent: this.#end };
  }

  /** Ends the open block. */
  close(): void {
    if (this.#open.length === 0) return;
    const { placed, extent } = extend(this.#crypto, this.#end, [this.#open.take()]);
    this.add(placed, extent);
  }

  /** Adds whole blocks, after which the log reaches to `extent`. */
  add(blocks: readonly Block[], extent: Extent): void {
    // One by one: a branch that was kept aside may have more than a call takes arguments.
    for (const block of blocks) this.#blocks.push(block);
    this.#end = extent;
    this.#openStart = extent.bytes;
  }

  /** `blocks`, if they are the first here, are in the store now, up to `extent`; whether they were. */
  stored(blocks: readonly Block[], extent: Extent): boolean {
    if (blocks.length === 0 || this.#blocks[0] !== blocks[0]) return false;
    this.#blocks.splice(0, blocks.length);
    this.#tip = extent;
    return true;
  }

  /** How far the first `length` blocks reach, of which the last ones are here. */
  extentAt(length: number): Extent {
    const before = this.#asked.length >= this.#tip.length && this.#asked.length <= length
      ? this.#asked
      : this.#tip;
    const [from, to] = [before.length - this.#tip.length, length - this.#tip.length];
    const blocks = this.#blocks.slice(from, to).map(({ bytes }) => bytes);
    return this.#asked = extend(this.#crypto, before, blocks).extent;
  }

  /** Goes on from `tip`, with nothing. */
  restart(tip: Extent): void {
    this.#blocks = [];
    this.#open.take();
    this.#tip = this.#end = this.#asked = tip;
    this.#openStart = tip.bytes;
  }
}
