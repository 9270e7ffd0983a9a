/** One key's log: reads chunks from anywhere in it, appends, seals, and takes in others' blocks. */

import { type Chunks, MissingBlock } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import { equal } from "../bytes.ts";
import { Emitter } from "../events.ts";
import type { Crypto, SigningKey } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { type Block, BLOCK_MAX_BYTES } from "./block.ts";
import { Serial } from "../serial.ts";
import { BlockCache } from "./block_cache.ts";
import { chunkHash, ChunkIndex } from "./chunk_index.ts";
import { sameHead, signHead, type VerifiedHead, verifyHead } from "./head.ts";
import { rootOf } from "./merkle.ts";
import { Proofs } from "./proofs.ts";
import { checkRun, EMPTY, extend, type Extent, type Run } from "./run.ts";
import type { Store, StoredHead } from "./store.ts";

/** Bytes of blocks that one log keeps at hand. */
const CACHE_BYTES = 16 * 2 ** 20;

/** A log became longer: blocks [from, head.blocks) are durable in its store. */
export interface Advance {
  readonly head: VerifiedHead;
  readonly from: number;
  /** The new blocks where they are at hand, so that passing them on needs no read. */
  readonly blocks: readonly Block[] | undefined;
  /** Whoever brought them, as given to {@link Log.receive}; undefined for this process's own. */
  readonly source: unknown;
}

/** What a {@link Log} is opened with. */
export interface LogOptions {
  readonly crypto: Crypto;
  /** Bytes of blocks kept at hand; 16 MiB by default. */
  readonly cacheBytes?: number;
}

/**
 *     0 ............ tip ............ end
 *     in the store   written here, not sealed yet: `#pending` blocks, then the open block
 *
 * Addresses go on without a gap over both. A download in progress (`stored.length` past the tip) is
 * invisible until it is complete.
 */
export class Log implements Chunks {
  readonly key: Key;
  readonly crypto: Crypto;
  /** `advance` whenever the head moves on. */
  readonly events: Emitter<{ advance: Advance }> = new Emitter();
  readonly #store: Store;
  readonly #cache: BlockCache;
  readonly #index = new ChunkIndex();
  #stored: StoredHead | undefined;
  #head: VerifiedHead | undefined;
  #tip: Extent;
  #pending: Block[] = [];
  /** The extent after all of `#pending`. */
  #end: Extent;
  /** A branch replaces what its store holds past the tip; see {@link branch}. */
  #isBranch = false;
  #open = new Uint8Array(4096);
  #openLength = 0;
  #openStart: number;
  #proofs: Proofs | undefined;
  #verified: VerifiedHead | undefined;
  readonly #serial = new Serial();

  private constructor(store: Store, key: Key, options: LogOptions, stored?: StoredHead) {
    this.#store = store;
    this.key = key;
    this.crypto = options.crypto;
    this.#cache = new BlockCache(options.cacheBytes ?? CACHE_BYTES);
    this.#stored = stored;
    this.#head = stored?.head;
    this.#tip = this.#end = EMPTY;
    this.#openStart = 0;
  }

  /** Opens what `store` holds of `key`: reads its head, no blocks. */
  static async open(store: Store, key: Key, options: LogOptions): Promise<Log> {
    const log = new Log(store, key, options, await store.head(key));
    const { head } = log;
    if (head !== undefined) log.#moveTip(await log.#extentAt(head.blocks, head.bytes));
    return log;
  }

  /** The newest complete head, durable in the store. */
  get head(): VerifiedHead | undefined {
    return this.#head;
  }

  /** The epoch that is being written. */
  get epoch(): number {
    return this.#head?.epoch ?? this.#stored?.epoch ?? 0;
  }

  /** Where the next block to receive goes: past the head while a download is in progress. */
  get length(): number {
    return this.#stored?.length ?? 0;
  }

  /** How far the stored blocks reach, and the root over them. */
  position(): { epoch: number; blocks: number; root: Uint8Array } {
    const { length, frontier } = this.#storedExtent();
    return { epoch: this.epoch, blocks: length, root: rootOf(this.crypto, frontier) };
  }

  /** Whether chunks are waiting for {@link seal}. */
  get isDirty(): boolean {
    return this.#pending.length > 0 || this.#openLength > 0;
  }

  /**
   * Whether the head is past what this log writes after: somebody else's blocks arrived while local
   * writes were waiting. The writes must be merged into a new log.
   */
  get isDiverged(): boolean {
    return !this.#isBranch && this.length > this.#tip.length;
  }

  /** Bytes waiting for {@link seal}. */
  get pendingBytes(): number {
    return this.#openStart + this.#openLength - this.#tip.bytes;
  }

  /** Address of the first byte that is not in the store. */
  get sealedBytes(): number {
    return this.#tip.bytes;
  }

  /** Where a {@link branch} parts from the log in the store; undefined if this is not a branch. */
  get branchedBytes(): number | undefined {
    return this.#isBranch ? this.#tip.bytes : undefined;
  }

  /** The bytes from `address` to the end of its block; throws MissingBlock. */
  at(address: number): Uint8Array {
    if (address >= this.#openStart) {
      const at = address - this.#openStart;
      if (at >= this.#openLength) throw new MissingBlock(address);
      return this.#open.subarray(at, this.#openLength);
    }
    const block = this.#find(address);
    if (block === undefined) throw new MissingBlock(address, () => this.load(address));
    return block.bytes.subarray(address - block.start);
  }

  /** Fetches the block around `address`; `missing_block` if the store does not hold it either. */
  async load(address: number): Promise<void> {
    const block = await this.#store.blockAt(this.key, this.epoch, address);
    if (block === undefined) throw new MissingBlock(address);
    this.#cache.add(block);
  }

  /** Appends a chunk, or gives the address of an equal one. */
  append(chunk: Uint8Array): number {
    const hash = chunkHash(chunk);
    const known = this.#index.find(hash, (address) => this.#isAt(address, chunk));
    if (known !== undefined) return known;
    const address = this.appendNew(chunk);
    this.#index.add(hash, address);
    return address;
  }

  /** Appends a chunk that is known to be new, such as a record. */
  appendNew(chunk: Uint8Array): number {
    if (chunk.length > BLOCK_MAX_BYTES) {
      throw new StreamoError("too_large", `a chunk of ${chunk.length} bytes fits in no block`);
    }
    if (this.#openLength + chunk.length > BLOCK_MAX_BYTES) this.#closeBlock();
    const needed = this.#openLength + chunk.length;
    if (needed > this.#open.length) {
      const grown = new Uint8Array(Math.min(BLOCK_MAX_BYTES, Math.max(needed, needed * 2)));
      grown.set(this.#open.subarray(0, this.#openLength));
      this.#open = grown;
    }
    this.#open.set(chunk, this.#openLength);
    this.#openLength = needed;
    return this.#openStart + needed - chunk.length;
  }

  /**
   * Makes everything appended so far durable under a new signed head, whose newest record is the one
   * that `record` gives when the last block is closed. Nothing is lost when it fails: `conflict` if the store holds another head by now.
   */
  seal(
    signer: SigningKey,
    record: () => number | undefined,
  ): Promise<VerifiedHead | undefined> {
    return this.#serial.run(async () => {
      if (this.isDiverged) {
        throw new StreamoError("conflict", `another log of ${this.key} has taken the place`);
      }
      this.#closeBlock();
      const blocks = this.#pending.slice();
      const extent = this.#end;
      const newest = record();
      if (blocks.length === 0) return this.#head;
      const head = await signHead({
        key: this.key,
        flags: 0,
        epoch: this.epoch,
        blocks: extent.length,
        bytes: extent.bytes,
        record: newest,
        root: rootOf(this.crypto, extent.frontier),
      }, signer);
      await this.#commit(head, extent, blocks);
      return head;
    });
  }

  /**
   * Verifies a run of blocks that continues this log, and stores it. The head moves on when the run
   * completes it. Codes: `wrong_key`, `bad_signature`, `bad_block`, `stale` (an older head),
   * `conflict` (blocks that are not the next ones), and the store's.
   */
  receive(run: Run, source?: unknown): Promise<{ length: number; complete: boolean }> {
    return this.#serial.run(async () => {
      const { epoch, blocks } = run.head;
      if (this.#head !== undefined && (epoch < this.epoch || blocks < this.#head.blocks)) {
        throw new StreamoError("stale", `a head of ${blocks} blocks is older than the one held`);
      }
      if (this.#stored !== undefined && epoch !== this.epoch) {
        throw new StreamoError("unsupported", "an epoch was raised");
      }
      let from = this.#storedExtent();
      // A download that broke off gives way to blocks that continue the head.
      if (run.first !== from.length && run.first === (this.#head?.blocks ?? 0)) {
        from = await this.#extentAt(run.first, this.#head?.bytes);
      }
      if (run.first !== from.length) {
        throw new StreamoError("conflict", `block ${run.first} does not continue ${from.length}`);
      }
      const head = await this.#verify(run);
      const { placed, extent } = checkRun(this.crypto, run, head, from);
      const complete = extent.length === head.blocks;
      if (complete) {
        await this.#commit(head, extent, placed, source);
      } else {
        const next = { head: this.#head, epoch, ...extent };
        await this.#store.append(this.key, this.#stored, placed, next);
        this.#stored = next;
      }
      return { length: extent.length, complete };
    });
  }

  /**
   * A second log over the same store that goes on from `length` blocks of this one: to hold what a
   * peer wrote instead. Nothing is stored until it is sealed or {@link adopt}ed.
   */
  async branch(length: number): Promise<Log> {
    const log = new Log(this.#store, this.key, { crypto: this.crypto }, this.#stored);
    log.#moveTip(length === this.#tip.length ? this.#tip : await this.#extentAt(length));
    log.#isBranch = true;
    return log;
  }

  /** Verifies a run like {@link receive}, but keeps the blocks in memory: for {@link branch}es. */
  async hold(run: Run): Promise<boolean> {
    const head = await this.#verify(run);
    const { placed, extent } = checkRun(this.crypto, run, head, this.#end);
    this.#pending.push(...placed);
    this.#end = extent;
    this.#openStart = extent.bytes;
    this.#head = head;
    return extent.length === head.blocks;
  }

  /** Where the next run to {@link hold} begins. */
  get heldLength(): number {
    return this.#end.length;
  }

  /** Stores what {@link hold} has completed, in place of what the store held from there on. */
  adopt(source?: unknown): Promise<void> {
    return this.#serial.run(() =>
      this.#commit(this.#head!, this.#end, this.#pending.slice(), source)
    );
  }

  /** Stored blocks [from, to). */
  blocks(from: number, to: number): AsyncIterable<Block> {
    return this.#store.blocks(this.key, this.epoch, from, to);
  }

  /** Roots and proofs over the stored blocks. */
  get proofs(): Proofs {
    this.#proofs ??= new Proofs(this.#store, this.key, this.epoch, this.crypto);
    return this.#proofs;
  }

  /** The Merkle root over the first `length` blocks; undefined if there are fewer. */
  async rootAt(length: number): Promise<Uint8Array | undefined> {
    if (this.#head?.blocks === length) return this.#head.root;
    return length > this.length ? undefined : await this.proofs.root(length);
  }

  /** Whether `log` begins with everything that this log has sealed. */
  async isExtendedBy(log: Log): Promise<boolean> {
    const { length, frontier } = this.#tip;
    const root = log.epoch === this.epoch ? await log.rootAt(length) : undefined;
    return length === 0 || root !== undefined && equal(root, rootOf(this.crypto, frontier));
  }

  async #verify(run: Run): Promise<VerifiedHead> {
    // One signature covers all runs of a head: the last one verified is not verified again.
    if (this.#verified !== undefined && sameHead(this.#verified, run.head)) return this.#verified;
    this.#verified = await verifyHead(run.head, this.key, this.crypto);
    return this.#verified;
  }

  async #commit(
    head: VerifiedHead,
    extent: Extent,
    blocks: readonly Block[],
    source?: unknown,
  ): Promise<void> {
    const next: StoredHead = { head, epoch: head.epoch, ...extent };
    await this.#store.append(this.key, this.#stored, blocks, next);
    const before = this.#stored?.head?.blocks ?? 0;
    // Hashes of blocks that were replaced are not to be remembered.
    if (blocks.length > 0 && blocks[0].index < this.length) this.#proofs = undefined;
    const from = Math.min(before, blocks[0]?.index ?? before);
    this.#stored = next;
    this.#head = head;
    this.#isBranch = false;
    for (const block of blocks) this.#cache.add(block);
    if (blocks.length > 0 && this.#pending[0] === blocks[0]) {
      this.#pending.splice(0, blocks.length);
      this.#tip = extent;
    } else if (!this.isDirty) this.#moveTip(extent);
    const whole = blocks[0]?.index === from;
    this.events.emit("advance", { head, from, blocks: whole ? blocks : undefined, source });
  }

  #closeBlock(): void {
    if (this.#openLength === 0) return;
    const bytes = this.#open.slice(0, this.#openLength);
    const { placed, extent } = extend(this.crypto, this.#end, [bytes]);
    this.#pending.push(...placed);
    this.#end = extent;
    this.#openStart = extent.bytes;
    this.#openLength = 0;
  }

  #find(address: number): Block | undefined {
    if (address >= this.#tip.bytes) return findBlock(this.#pending, address);
    const cached = this.#cache.get(address);
    if (cached !== undefined) return cached;
    const stored = this.#store.blockAtSync?.(this.key, this.epoch, address);
    if (stored !== undefined) this.#cache.add(stored);
    return stored;
  }

  #isAt(address: number, chunk: Uint8Array): boolean {
    try {
      const bytes = this.at(address);
      if (bytes.length < chunk.length) return false;
      for (let i = 0; i < chunk.length; i++) if (bytes[i] !== chunk[i]) return false;
      return true;
    } catch (error) {
      // Not at hand: store the chunk again rather than wait.
      if (error instanceof MissingBlock) return false;
      throw error;
    }
  }

  #storedExtent(): Extent {
    return this.#stored ?? EMPTY;
  }

  async #extentAt(length: number, bytes?: number): Promise<Extent> {
    if (length === 0) return EMPTY;
    const { length: held, bytes: end, frontier } = this.#storedExtent();
    if (length === held) return { length, bytes: end, frontier };
    if (bytes === undefined) {
      for await (const last of this.blocks(length - 1, length)) {
        bytes = last.start + last.bytes.length;
      }
    }
    return { length, bytes: bytes!, frontier: await this.proofs.frontier(length) };
  }

  #moveTip(tip: Extent): void {
    this.#tip = this.#end = tip;
    this.#openStart = tip.bytes;
  }
}

function findBlock(blocks: readonly Block[], address: number): Block | undefined {
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
