/** Finds an equal chunk again, so that equal content is stored once. */

import type { Chunks } from "../codec/chunks.ts";

/** Entries a generation: 12 bytes each, two generations. */
const MAX_ENTRIES = 2 ** 19;
/** Slots of the first table. */
const MIN_SLOTS = 1024;

interface Table {
  hashes: Int32Array;
  addresses: Float64Array;
  count: number;
}

/**
 * Chunks by a 32-bit hash, in open-addressed tables of numbers. The hash only proposes: the caller
 * compares bytes. Bounded by forgetting the older half.
 */
export class ChunkIndex {
  #young = NOTHING;
  #old = NOTHING;

  /** Whether adding more makes it forget: it holds half of what it can. */
  get isFull(): boolean {
    return this.#young.count + this.#old.count >= MAX_ENTRIES;
  }

  /** The address of a chunk under `hash` that `matches` accepts. */
  find(hash: number, matches: (address: number) => boolean): number | undefined {
    const young = probe(this.#young, hash, matches);
    if (young !== undefined) return young;
    const old = probe(this.#old, hash, matches);
    if (old !== undefined) this.add(hash, old);
    return old;
  }

  /** Remembers that a chunk with `hash` is at `address`. */
  add(hash: number, address: number): void {
    if (this.#young.count * 2 >= this.#young.hashes.length) {
      if (this.#young.count < MAX_ENTRIES) {
        this.#young = grow(this.#young);
      } else {
        this.#old = this.#young;
        this.#young = table(MIN_SLOTS);
      }
    }
    insert(this.#young, hash, address);
  }
}

/** What there is before the first chunk, shared: most logs are only read. */
const NOTHING = table(0);

/** A hash of `bytes` for the index: all of a small chunk, samples of a large one. */
export function chunkHash(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = 0x811c9dc5 ^ length;
  const step = length <= 1024 ? 1 : Math.floor(length / 512);
  for (let i = 0; i < length; i += step) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/** Whether the chunk at `address` begins with the bytes of `chunk`; throws MissingBlock. */
export function isChunkAt(chunks: Chunks, address: number, chunk: Uint8Array): boolean {
  const bytes = chunks.at(address);
  if (bytes.length < chunk.length) return false;
  for (let i = 0; i < chunk.length; i++) if (bytes[i] !== chunk[i]) return false;
  return true;
}

function table(slots: number): Table {
  return {
    hashes: new Int32Array(slots),
    addresses: new Float64Array(slots).fill(-1),
    count: 0,
  };
}

/** Most slots looked at: crafted collisions cost time, not more than this. */
const MAX_PROBES = 32;

function probe(
  { hashes, addresses }: Table,
  hash: number,
  matches: (address: number) => boolean,
): number | undefined {
  const mask = hashes.length - 1;
  if (mask < 0) return undefined;
  for (let i = 0, slot = hash & mask; i < MAX_PROBES; i++, slot = (slot + 1) & mask) {
    if (addresses[slot] < 0) return undefined;
    if (hashes[slot] === hash && matches(addresses[slot])) return addresses[slot];
  }
  return undefined;
}

function insert(table: Table, hash: number, address: number): void {
  const mask = table.hashes.length - 1;
  let slot = hash & mask;
  for (let i = 0; i < MAX_PROBES && table.addresses[slot] >= 0; i++) slot = (slot + 1) & mask;
  if (table.addresses[slot] < 0) table.count++;
  table.hashes[slot] = hash;
  table.addresses[slot] = address;
}

function grow(from: Table): Table {
  const grown = table(Math.max(MIN_SLOTS, from.hashes.length * 2));
  for (let i = 0; i < from.hashes.length; i++) {
    if (from.addresses[i] >= 0) insert(grown, from.hashes[i], from.addresses[i]);
  }
  return grown;
}
