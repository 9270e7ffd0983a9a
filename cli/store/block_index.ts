/**
 * The sidecar file that says where each block of an epoch lies. It is derived from the segments,
 * never synced, and made again when it is not whole.
 *
 * Its trailer is written after its append was synced. So it proves that everything up to (segment,
 * end) was acknowledged: bytes missing before that are damage, not a torn write.
 */

import { frontierSize, HASH_BYTES } from "../../core/log/merkle.ts";
import { attempt, damagedError, type FilePool, fileSize } from "./file_pool.ts";
import {
  type Coverage,
  decodeEntry,
  decodeTrailer,
  encodeCoverage,
  encodeEntries,
  type Entry,
  ENTRY_BYTES,
  entryLeaf,
  entryStart,
  indexBytes,
  isEntry,
  TRAILER_BYTES,
} from "./index_format.ts";
import type { PageCache } from "./page_cache.ts";

/** Entries that are read, checked and cached together. */
const PAGE_ENTRIES = 256;

/** The index of one epoch. */
export class BlockIndex {
  readonly path: string;
  readonly #files: FilePool;
  readonly #cache: PageCache;
  /** Starts of the first entries of pages, as far as they were looked at: a search reads few pages. */
  readonly #firstStarts: number[] = [];
  #count = 0;

  constructor(path: string, files: FilePool, cache: PageCache) {
    this.path = path;
    this.#files = files;
    this.#cache = cache;
  }

  /** Number of entries. */
  get count(): number {
    return this.#count;
  }

  /** What the file covers, or undefined if it is missing, torn or not an index. */
  load(): Coverage | undefined {
    const size = fileSize(this.path);
    if (size < TRAILER_BYTES) return undefined;
    const at = size - TRAILER_BYTES;
    const trailer = decodeTrailer(this.#files.read(this.path, at, TRAILER_BYTES));
    if (trailer === undefined || size !== indexBytes(trailer.count)) return undefined;
    const hashes = frontierSize(trailer.count);
    const bytes = this.#files.read(this.path, at - hashes * HASH_BYTES, hashes * HASH_BYTES);
    const frontier: Uint8Array[] = [];
    for (let i = 0; i < hashes; i++) {
      frontier.push(bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    }
    this.#count = trailer.count;
    return { ...trailer, frontier };
  }

  /** Replaces the entries from `base` on and what is covered; undoes it all where that fails. */
  write(base: number, entries: readonly Entry[], coverage: Coverage): void {
    const offset = base * ENTRY_BYTES;
    const size = fileSize(this.path);
    const undo = offset < size ? this.#files.read(this.path, offset, size - offset) : undefined;
    const encoded = encodeEntries(entries);
    try {
      const tail = encodeCoverage(coverage);
      const bytes = new Uint8Array(encoded.length + tail.length);
      bytes.set(encoded);
      bytes.set(tail, encoded.length);
      this.#files.write(this.path, offset, bytes);
      if (offset + bytes.length < size) this.#files.truncate(this.path, offset + bytes.length);
    } catch (error) {
      if (undo !== undefined) this.#files.write(this.path, offset, undo);
      if (fileSize(this.path) > size) this.#files.truncate(this.path, size);
      throw error;
    }
    this.#changed(base, encoded);
  }

  /** Writes entries alone: the file does not count as an index until `write` adds what it covers. */
  writeEntries(base: number, entries: readonly Entry[]): void {
    const bytes = encodeEntries(entries);
    this.#files.write(this.path, base * ENTRY_BYTES, bytes);
    this.#changed(base, bytes);
  }

  /** An empty index beside this one, to be moved to its place when it is whole. */
  beside(): BlockIndex {
    const path = `${this.path}.new`;
    this.#files.release(path);
    this.#cache.release(`${path}#`);
    if (fileSize(path) > 0) this.#files.truncate(path, 0);
    return new BlockIndex(path, this.#files, this.#cache);
  }

  /** Takes the place of the index at `path`. */
  moveTo(path: string): BlockIndex {
    const moved = new BlockIndex(path, this.#files, this.#cache);
    for (const each of [this.path, path]) {
      this.#files.release(each);
      this.#cache.release(`${each}#`);
    }
    attempt("rename", this.path, () => Deno.renameSync(this.path, path));
    moved.#count = this.#count;
    return moved;
  }

  /** Entry `index`, which is below `count`; `damaged` if it changed on the disk. */
  entry(index: number): Entry {
    const page = Math.floor(index / PAGE_ENTRIES);
    return decodeEntry(this.#page(page), (index % PAGE_ENTRIES) * ENTRY_BYTES, index);
  }

  /** The last entry that starts at or before `address`. */
  find(address: number): Entry | undefined {
    if (this.#count === 0 || address < 0) return undefined;
    const pages = Math.ceil(this.#count / PAGE_ENTRIES);
    const number = lastAtOrBefore(pages, address, (page) => this.#firstStart(page));
    const page = this.#page(number);
    const count = Math.min(PAGE_ENTRIES, this.#count - number * PAGE_ENTRIES);
    const at = lastAtOrBefore(count, address, (i) => entryStart(page, i * ENTRY_BYTES));
    return decodeEntry(page, at * ENTRY_BYTES, number * PAGE_ENTRIES + at);
  }

  /** Leaf hashes of blocks [from, to). */
  leaves(from: number, to: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(Math.max(0, to - from) * HASH_BYTES);
    for (let index = from; index < to; index++) {
      const page = this.#page(Math.floor(index / PAGE_ENTRIES));
      const leaf = entryLeaf(page, (index % PAGE_ENTRIES) * ENTRY_BYTES);
      out.set(leaf, (index - from) * HASH_BYTES);
    }
    return out;
  }

  #firstStart(page: number): number {
    return this.#firstStarts[page] ??= entryStart(this.#page(page), 0);
  }

  #page(number: number): Uint8Array {
    const id = this.#id(number);
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const first = number * PAGE_ENTRIES;
    const count = Math.min(PAGE_ENTRIES, this.#count - first);
    const bytes = this.#files.read(this.path, first * ENTRY_BYTES, count * ENTRY_BYTES);
    for (let i = 0; i < count; i++) {
      if (isEntry(bytes, i * ENTRY_BYTES, first + i)) continue;
      throw damagedError(this.path, `its entry ${first + i} is not whole`);
    }
    // A page has its full size from the start: later entries are written into it.
    const page = new Uint8Array(PAGE_ENTRIES * ENTRY_BYTES);
    page.set(bytes);
    this.#cache.set(id, page);
    return page;
  }

  /** Keeps cached pages true after entries from `base` on were written. */
  #changed(base: number, bytes: Uint8Array): void {
    const count = base + bytes.length / ENTRY_BYTES;
    const first = Math.floor(base / PAGE_ENTRIES);
    this.#firstStarts.length = Math.min(this.#firstStarts.length, first);
    const pages = Math.ceil(Math.max(this.#count, count) / PAGE_ENTRIES);
    for (let number = first; number < pages; number++) {
      const page = this.#cache.get(this.#id(number));
      if (page === undefined) continue;
      const skipped = Math.max(0, number * PAGE_ENTRIES - base) * ENTRY_BYTES;
      const at = Math.max(0, base - number * PAGE_ENTRIES) * ENTRY_BYTES;
      page.set(bytes.subarray(skipped, skipped + page.length - at), at);
    }
    this.#count = count;
  }

  #id(page: number): string {
    return `${this.path}#${page}`;
  }
}

/** The last of `count` rising numbers (at least one) that is at most `wanted`, or else 0. */
function lastAtOrBefore(count: number, wanted: number, at: (i: number) => number): number {
  let low = 0;
  let high = count;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (at(middle) <= wanted) low = middle;
    else high = middle;
  }
  return low;
}
