/** States that were never written: built over a log in memory, and forgotten with it. */

import type { Chunks } from "../codec/chunks.ts";
import { KnownChunks } from "../log/known_chunks.ts";
import { HeapChunks } from "./heap_chunks.ts";

/** Where new chunks begin: past every address of a log. */
const OVERLAY_START = 2 ** 48;

/** The chunks of a log, and new ones past them in memory. */
export class Overlay implements Chunks {
  readonly #below: Chunks;
  readonly #start: number;
  readonly #heap = new KnownChunks(new HeapChunks());

  /** Begins with what `below` has before `start`; nothing is written to it. */
  constructor(below: Chunks, start: number = OVERLAY_START) {
    this.#below = below;
    this.#start = start;
  }

  at(address: number): Uint8Array {
    return address < this.#start ? this.#below.at(address) : this.#heap.at(address - this.#start);
  }

  append(chunk: Uint8Array): number {
    return this.#start + this.#heap.append(chunk);
  }
}
