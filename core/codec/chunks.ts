/** Where chunks come from and go to, and the caches over them. */

import { StreamoError } from "../errors.ts";
import { Cache } from "./cache.ts";
import type { Reading } from "./reading.ts";
import { isNode, isSmallNode, type Node, parseNode } from "./node.ts";
import type { Value } from "./value.ts";

/** The chunks of one log. */
export interface Chunks {
  /**
   * The bytes from the chunk at `address` to the end of its block at least; chunks tell their own
   * length. Throws {@link MissingBlock} when the block is not at hand.
   */
  at(address: number): Uint8Array;
  /** The address of a chunk with these bytes: an earlier equal one, or a new one at the end. */
  append(chunk: Uint8Array): number;
}

/** Thrown by synchronous reads where a block is not at hand: {@link load} it, then run again. */
export class MissingBlock extends StreamoError {
  /**
   * Fetches the block, and mostly others that `reading` will need; rejects with this error if it is
   * nowhere to be had.
   */
  readonly load: (pins?: Pins, reading?: Reading) => Promise<void>;
  /** What it is needed for, where that is known. */
  reading: Reading | undefined;

  /** The block around `address` is not at hand. */
  constructor(address: number, load?: (pins?: Pins, reading?: Reading) => Promise<void>) {
    super("missing_block", `the block that holds address ${address} is not here`, { address });
    this.load = load ?? (() => Promise.reject(this));
  }
}

/** Bytes of blocks that one reading may need at once. */
const PINNED_MAX_BYTES = 64 * 2 ** 20;

/** Blocks that stay at hand until one reading is through: it would never be if caches forgot them. */
export class Pins {
  readonly #releases: (() => void)[] = [];
  #bytes = 0;

  /** Holds on to a block of so many bytes, until `release` is called; `budget` past 64 MiB. */
  add(bytes: number, release: () => void): void {
    this.#releases.push(release);
    this.#bytes += bytes;
    if (this.#bytes <= PINNED_MAX_BYTES) return;
    throw new StreamoError("budget", `reading needs more than ${PINNED_MAX_BYTES} bytes of blocks`);
  }

  /** Lets go of everything. */
  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}

/** Runs `work`, fetching blocks that are not at hand and starting again, until it gets through. */
export async function untilThere<T>(work: () => T): Promise<T> {
  const pins = new Pins();
  try {
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!(error instanceof MissingBlock)) throw error;
        await error.load(pins, error.reading);
      }
    }
  } finally {
    pins.release();
  }
}

/**
 * Bytes that one log keeps in memory unless told otherwise: a quarter are blocks, a quarter parsed nodes
 * (estimated), half decoded values (estimated).
 */
export const CACHE_BYTES = 64 * 2 ** 20;

/** The chunks of one log, read through caches of parsed nodes and decoded values. */
export class Space {
  /** Decoded containers by address: what makes equal addresses `===`. */
  readonly values: Cache<Value>;
  readonly #nodes: Cache<Node>;
  readonly #chunks: Chunks;

  /** A space over `chunks`, which may keep its part of `cacheBytes`: see {@link CACHE_BYTES}. */
  constructor(chunks: Chunks, cacheBytes: number = CACHE_BYTES) {
    this.#chunks = chunks;
    this.#nodes = new Cache(cacheBytes / 4);
    this.values = new Cache(cacheBytes / 2);
  }

  /** What its nodes and values weigh, in bytes (estimated). */
  get cachedBytes(): number {
    return this.#nodes.weight + this.values.weight;
  }

  /** The bytes of the chunk at `address` and on. */
  at(address: number): Uint8Array {
    return this.#chunks.at(address);
  }

  /** Appends a chunk; gives its address. */
  append(chunk: Uint8Array): number {
    return this.#chunks.append(chunk);
  }

  /** The map, list or bytes node at `address`. */
  node(address: number): Node {
    return this.#nodes.get(address) ?? this.#parse(this.#chunks.at(address), address);
  }

  /** The same, or undefined if another kind of chunk is there. */
  nodeAt(address: number): Node | undefined {
    const cached = this.#nodes.get(address);
    if (cached !== undefined) return cached;
    const bytes = this.#chunks.at(address);
    return isNode(bytes[0]) ? this.#parse(bytes, address) : undefined;
  }

  /** The same for who keeps the whole value: then a small container's node need not be kept. */
  nodeOnce(address: number): Node | undefined {
    const cached = this.#nodes.get(address);
    if (cached !== undefined) return cached;
    const bytes = this.#chunks.at(address);
    if (!isNode(bytes[0])) return undefined;
    return isSmallNode(bytes[0]) ? parseNode(bytes, address) : this.#parse(bytes, address);
  }

  /** Keeps the node that was written at `address` at hand. */
  keep(address: number, node: Node): void {
    this.#nodes.set(address, node, 96 + node.items.length * 48 + node.bytes);
  }

  #parse(bytes: Uint8Array, address: number): Node {
    const node = parseNode(bytes, address);
    this.keep(address, node);
    return node;
  }
}
