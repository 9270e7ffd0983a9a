/** Brings an index up to the end of its segments, or makes it from nothing. */

import { equal } from "../../core/bytes.ts";
import { HASH_BYTES, pushLeaf, rootOf } from "../../core/log/merkle.ts";
import type { BlockIndex } from "./block_index.ts";
import { damagedError } from "./file_pool.ts";
import type { HeadFrame } from "./frames.ts";
import type { Coverage, Entry } from "./index_format.ts";
import { FIRST_PLACE, type Place, type Segments } from "./segments.ts";
import { type FoundAppend, scan } from "./scan.ts";

/** Entries that are written together. */
const BATCH = 4096;

/** An index that covers everything valid. */
export interface MadeIndex {
  readonly index: BlockIndex;
  readonly coverage: Coverage;
  /** The newest head frame, if one was read. */
  readonly frame: HeadFrame | undefined;
}

/** What is known before the segments are read. */
export interface Known {
  /** What the present index covers, if that was found true: only what follows is read. */
  readonly covered?: Coverage;
  /** Everything up to here was acknowledged: it may not be missing. */
  readonly acknowledged?: Place;
  /** Nothing from here on is looked at. */
  readonly limit?: Place;
}

/**
 * The index of `segments`, up to the end of what is valid; undefined when nothing is. A new index is
 * made beside the old one and takes its place when it is whole: until then the old one still tells
 * what was acknowledged.
 */
export function makeIndex(
  segments: Segments,
  index: BlockIndex,
  known: Known,
): MadeIndex | undefined {
  const { covered, acknowledged, limit } = known;
  const from = covered && { segment: covered.segment, position: covered.end };
  const target = covered ? index : index.beside();
  const maker = new IndexMaker(segments, target, covered);
  for (const found of scan(segments, from ?? FIRST_PLACE, limit)) maker.add(found);
  const end = maker.end ?? from;
  if (acknowledged !== undefined && isBefore(end, acknowledged)) {
    throw damagedError(
      segments.directory,
      `acknowledged blocks after position ${end?.position ?? 0} of segment ${end?.segment ?? 1} ` +
        `are gone (removing "${index.path}" accepts the loss)`,
    );
  }
  const made = maker.finish();
  if (made === undefined) return covered && { index, coverage: covered, frame: undefined };
  return { ...made, index: covered ? index : target.moveTo(index.path) };
}

function isBefore(a: Place | undefined, b: Place): boolean {
  if (a === undefined || a.segment < b.segment) return true;
  return a.segment === b.segment && a.position < b.position;
}

class IndexMaker {
  readonly #segments: Segments;
  readonly #index: BlockIndex;
  /** Entries from index `#base` on that are not written yet. */
  #base: number;
  #pending: Entry[] = [];
  /** Over all entries; undefined after a tail was replaced, until the end. */
  #frontier: readonly Uint8Array[] | undefined;
  #newest: FoundAppend | undefined;

  constructor(segments: Segments, index: BlockIndex, covered: Coverage | undefined) {
    this.#segments = segments;
    this.#index = index;
    this.#base = covered?.count ?? 0;
    this.#frontier = covered?.frontier ?? [];
  }

  /** Where the newest append ends. */
  get end(): Place | undefined {
    return this.#newest?.end;
  }

  add(found: FoundAppend): void {
    const { entries, frame, end } = found;
    const base = frame.length - frame.count;
    const count = this.#base + this.#pending.length;
    if (base > count || base < 0) {
      const path = this.#segments.path(end.segment);
      throw damagedError(path, `block ${count} is missing before position ${end.position}`);
    }
    if (base < count) this.#cut(base);
    for (const entry of entries) this.#push(entry);
    if (this.#pending.length >= BATCH) this.#write();
    this.#newest = found;
  }

  finish(): Omit<MadeIndex, "index"> | undefined {
    if (this.#newest === undefined) return undefined;
    const { frame, end } = this.#newest;
    const { crypto } = this.#segments;
    const frontier = this.#frontier ?? this.#wholeFrontier();
    if (!equal(rootOf(crypto, frontier), frame.root)) {
      throw damagedError(
        this.#segments.directory,
        `its blocks do not have the root that the head frame before position ${end.position} of ` +
          `segment ${end.segment} states`,
      );
    }
    const { length: count, bytes } = frame;
    const coverage = { count, bytes, frontier, segment: end.segment, end: end.position };
    this.#index.write(this.#base, this.#pending, coverage);
    return { coverage, frame };
  }

  #push(entry: Entry): void {
    const { crypto } = this.#segments;
    if (this.#frontier !== undefined) {
      this.#frontier = pushLeaf(crypto, this.#frontier, entry.index, entry.leaf);
    }
    this.#pending.push(entry);
  }

  #cut(length: number): void {
    this.#frontier = length === 0 ? [] : undefined;
    this.#pending.length = Math.max(0, length - this.#base);
    this.#base = Math.min(this.#base, length);
  }

  #write(): void {
    this.#index.writeEntries(this.#base, this.#pending);
    this.#base += this.#pending.length;
    this.#pending = [];
  }

  #wholeFrontier(): readonly Uint8Array[] {
    this.#write();
    const { crypto } = this.#segments;
    let frontier: Uint8Array[] = [];
    for (let from = 0; from < this.#base; from += BATCH) {
      const leaves = this.#index.leaves(from, Math.min(from + BATCH, this.#base));
      for (let i = 0; i < leaves.length / HASH_BYTES; i++) {
        const leaf = leaves.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES);
        frontier = pushLeaf(crypto, frontier, from + i, leaf);
      }
    }
    return frontier;
  }
}
