/** One epoch of one key in a directory: its segments and their index. */

import { equal } from "../../core/bytes.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Crypto } from "../../core/identity/crypto.ts";
import type { Key } from "../../core/identity/key.ts";
import type { Block } from "../../core/log/block.ts";
import { leafHash, rootOf } from "../../core/log/merkle.ts";
import type { StoredHead } from "../../core/log/store.ts";
import { BlockIndex } from "./block_index.ts";
import { appendBytes, encodeAppend, type Target } from "./encode_append.ts";
import { damagedError, type FilePool, storageError, syncDirectory } from "./file_pool.ts";
import type { HeadFrame } from "./frames.ts";
import type { Coverage, Entry } from "./index_format.ts";
import type { PageCache } from "./page_cache.ts";
import { makeIndex } from "./make_index.ts";
import { headFrameBefore } from "./scan.ts";
import { type Place, Segments } from "./segments.ts";

/** What every part of a file store uses. */
export interface FileContext {
  readonly files: FilePool;
  readonly cache: PageCache;
  readonly crypto: Crypto;
  /** A segment that would grow past this is followed by a new one. */
  readonly maxSegmentBytes: number;
}

/** The newest append of an epoch. */
interface Newest {
  readonly frame: HeadFrame;
  readonly coverage: Coverage;
}

/** Most bytes that one run of blocks is read by. */
const RUN_BYTES = 256 * 1024;

/** Reads are synchronous; only `append` waits, for the disk. */
export class EpochLog {
  readonly epoch: number;
  readonly #context: FileContext;
  readonly #segments: Segments;
  #index: BlockIndex;
  /** Undefined while nothing counts. */
  #newest: Newest | undefined;

  private constructor(context: FileContext, segments: Segments) {
    this.#context = context;
    this.#segments = segments;
    this.epoch = segments.epoch;
    this.#index = new BlockIndex(`${segments.directory}/index`, context.files, context.cache);
  }

  /** The log in `directory` (which need not exist), after cutting back a torn write. */
  static open(context: FileContext, directory: string, key: Key, epoch: number): EpochLog {
    const segments = new Segments(directory, key, epoch, context.files, context.crypto);
    const log = new EpochLog(context, segments);
    log.#recover();
    return log;
  }

  /** Number of blocks. */
  get length(): number {
    return this.#newest?.coverage.count ?? 0;
  }

  /** The number of the newest append; 0 when nothing counts. */
  get sequence(): number {
    return this.#newest?.frame.sequence ?? 0;
  }

  /** What is held, as of the newest append to this epoch. */
  get stored(): StoredHead | undefined {
    if (this.#newest === undefined) return undefined;
    const { frame, coverage } = this.#newest;
    const { count: length, bytes, frontier } = coverage;
    return { head: frame.head, epoch: this.epoch, length, bytes, frontier };
  }

  /** Where block `index` starts, if it is held or the next one; otherwise -1. */
  startOf(index: number): number {
    const { count, bytes } = this.#newest?.coverage ?? { count: 0, bytes: 0 };
    if (index > count) return -1;
    return index === count ? bytes : this.#entry(index).start;
  }

  /** Durable when it resolves; when it rejects, the log is to be opened again. */
  async append(
    base: number,
    blocks: readonly Block[],
    next: StoredHead,
    sequence: number,
  ): Promise<void> {
    const { crypto, files, maxSegmentBytes } = this.#context;
    const segments = this.#segments;
    const old = this.#newest?.coverage;
    const before = { segment: old?.segment ?? 0, position: old?.end ?? 0 };
    const isNew = old === undefined || old.end + appendBytes(blocks) > maxSegmentBytes;
    try {
      const target = isNew ? segments.startNext() : this.#endOf(old);
      const written = encodeAppend({ blocks, next, sequence }, target, crypto);
      const path = segments.path(target.segment);
      files.write(path, target.position, written.bytes);
      await files.sync(path);
      if (isNew) await syncDirectory(segments.directory);
      const { frontier, bytes, length: count } = next;
      const coverage = { count, bytes, frontier, segment: target.segment, end: written.end };
      this.#index.write(base, written.entries, coverage);
      this.#newest = { frame: written.frame, coverage };
    } catch (error) {
      throw this.#undo(before, error);
    }
  }

  /** The blocks from `from` to `to` at most, as many as one read brings; at least one. */
  run(from: number, to: number): Block[] {
    const first = this.#entry(from);
    const entries = [first];
    for (let index = from + 1; index < to; index++) {
      const entry = this.#entry(index);
      const reach = entry.position + entry.length - first.position;
      if (entry.segment !== first.segment || reach < 0 || reach > RUN_BYTES) break;
      entries.push(entry);
    }
    const last = entries[entries.length - 1];
    const reach = last.position + last.length - first.position;
    const bytes = this.#segments.read(first.segment, first.position, reach);
    return entries.map((entry) => {
      const at = entry.position - first.position;
      return this.#check(entry, bytes.slice(at, at + entry.length));
    });
  }

  /** The block that holds the byte at `address`. */
  blockAt(address: number): Block | undefined {
    const entry = this.#withIndex((index) => index.find(address));
    if (entry === undefined || address >= entry.start + entry.length) return undefined;
    return this.#check(
      entry,
      this.#segments.read(entry.segment, entry.position, entry.length),
    );
  }

  /** Leaf hashes of blocks [from, to), all of which are held. */
  leaves(from: number, to: number): Uint8Array {
    return this.#withIndex((index) => index.leaves(from, to));
  }

  #entry(index: number): Entry {
    return this.#withIndex((blocks) => blocks.entry(index));
  }

  #check(entry: Entry, bytes: Uint8Array): Block {
    const { index, start, length, leaf, segment, position } = entry;
    const isWhole = bytes.length === length &&
      equal(leafHash(this.#context.crypto, start, bytes), leaf);
    if (isWhole) return { index, start, bytes };
    const what = `block ${index} at position ${position} does not have its hash`;
    throw damagedError(this.#segments.path(segment), what, { index, position });
  }

  #endOf({ segment, end }: Coverage): Target {
    const salt = this.#segments.salt(segment);
    if (salt === undefined) throw damagedError(this.#segments.path(segment), "it has no header");
    return { segment, position: end, salt, header: new Uint8Array(0) };
  }

  /** Cuts back a failed append; gives the error to throw. */
  #undo(before: Place, error: unknown): unknown {
    try {
      this.#segments.cutAfter(before);
      return error;
    } catch (undoError) {
      const both = new AggregateError([error, undoError], "an append failed, and its undoing");
      return storageError("undo an append in", this.#segments.directory, both);
    }
  }

  #recover(): void {
    const segments = this.#segments;
    const covered = this.#index.load();
    const frame = covered && this.#frameOf(covered);
    const found = makeIndex(segments, this.#index, {
      covered: frame && covered,
      acknowledged: covered && { segment: covered.segment, position: covered.end },
    });
    if (found === undefined) {
      segments.cutAfter({ segment: 0, position: 0 });
      return;
    }
    const { coverage } = found;
    this.#index = found.index;
    this.#newest = { frame: found.frame ?? frame!, coverage };
    segments.cutAfter({ segment: coverage.segment, position: coverage.end });
  }

  /** The head frame that an index ends with, if the two agree. */
  #frameOf(covered: Coverage): HeadFrame | undefined {
    const place = { segment: covered.segment, position: covered.end };
    const frame = headFrameBefore(this.#segments, place);
    if (frame?.length !== covered.count || frame.bytes !== covered.bytes) return undefined;
    const root = rootOf(this.#context.crypto, covered.frontier);
    return equal(root, frame.root) ? frame : undefined;
  }

  /** Runs `act`; when the index changed on the disk, makes it again from the segments and retries. */
  #withIndex<T>(act: (index: BlockIndex) => T): T {
    try {
      return act(this.#index);
    } catch (error) {
      const isIndex = error instanceof StreamoError && error.data.path === this.#index.path;
      if (!isIndex || this.#newest === undefined) throw error;
    }
    const { coverage } = this.#newest;
    const limit = { segment: coverage.segment, position: coverage.end };
    const found = makeIndex(this.#segments, this.#index, { limit });
    if (found?.coverage.count !== coverage.count) {
      throw damagedError(this.#segments.directory, "its index cannot be made again");
    }
    this.#index = found.index;
    return act(this.#index);
  }
}
