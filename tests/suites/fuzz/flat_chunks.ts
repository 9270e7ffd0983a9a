/** A log's bytes as they are, however damaged, with a bound on how often they are looked at. */

import assert from "node:assert/strict";
import { type Chunks, MissingBlock } from "../../../core/codec/chunks.ts";

/** Chunks in one block; what is appended goes behind it. */
export class FlatChunks implements Chunks {
  /** How often a chunk was looked at. */
  reads = 0;
  readonly #bytes: Uint8Array;
  readonly #more = new Map<number, Uint8Array>();
  #end: number;
  #maxReads = Infinity;

  /** Over `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** From here on at most so many reads: a reader that loops fails instead of running for ever. */
  allow(reads: number): void {
    this.reads = 0;
    this.#maxReads = reads;
  }

  at(address: number): Uint8Array {
    this.reads++;
    // Not a StreamoError: nothing may take it for an answer.
    assert(this.reads <= this.#maxReads, `more than ${this.#maxReads} reads`);
    if (address < this.#bytes.length) return this.#bytes.subarray(address);
    const chunk = this.#more.get(address);
    if (chunk === undefined) throw new MissingBlock(address);
    return chunk;
  }

  append(chunk: Uint8Array): number {
    const address = this.#end;
    this.#more.set(address, chunk.slice());
    this.#end += chunk.length;
    return address;
  }
}
