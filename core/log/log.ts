/** One key's log: reads chunks from anywhere in it, appends, seals, and takes in others' blocks. */

import { type Chunks, MissingBlock } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import { equal } from "../bytes.ts";
import { Emitter } from "../events.ts";
import type { Crypto, SigningKey } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Advance } from "./advance.ts";
import { type Block, BLOCK_MAX_BYTES, findBlock } from "./block.ts";
import { Serial } from "../serial.ts";
import { chunkHash, ChunkIndex, isChunkAt } from "./chunk_index.ts";
import { sameHead, sameStored, signHead, type VerifiedHead, verifyHead } from "./head.ts";
import { rootOf } from "./merkle.ts";
import { OpenBlock } from "./open_block.ts";
import { Proofs } from "./proofs.ts";
import { checkRun, EMPTY, extend, type Extent, type Run } from "./run.ts";
import type { Store, StoredHead } from "./store.ts";
import { StoredBlocks } from "./stored_blocks.ts";

/** Bytes of blocks that one log keeps at hand. */
const CACHE_BYTES = 16 * 2 ** 20;

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
 * Addresses go on without a gap over both. A download in progress (`stored.length` past the head) is
 * invisible until it is complete. The tip follows a head that somebody else made only at
 * {@link catchUp}, so that a write never comes after a record that its author has not seen.
 */
export class Log implements Chunks {
  /** Whose log this is. */
  readonly key: Key;
  /** What hashes and verifies. */
  readonly crypto: Crypto;
  /** `advance` whenever the head moves on. */
  readonly events: Emitter<{ advance: Advance }> = new Emitter();
  readonly #store: Store;
  /**
   * What is in the store, whatever waits here at the same addresses.
   * @ignore
   */
  readonly stored: StoredBlocks;
  readonly #index = new ChunkIndex();
  #stored: StoredHead | undefined;
  #head: VerifiedHead | undefined;
  #tip: Extent;
  #pending: Block[] = [];
  /** The extent after all of `#pending`. */
  #end: Extent;
  readonly #open = new OpenBlock();
  #openStart: number;
  /** The extent of `#head`, if another process or peer made it: where {@link catchUp} goes. */
  #ahead: Extent | undefined;
  #proofs: Proofs | undefined;
  #verified: VerifiedHead | undefined;
  readonly #serial = new Serial();

  private constructor(store: Store, key: Key, options: LogOptions, stored?: StoredHead) {
    this.#store = store;
    this.key = key;
    this.crypto = options.crypto;
    this.stored = new StoredBlocks(store, key, () => this.epoch, options.cacheBytes ?? CACHE_BYTES);
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
    const { length, frontier } = this.#stored ?? EMPTY;
    const head = this.#stored?.head;
    // Every subscriber asks at every advance: the head states what the frontier would add up to.
    const isStated = head !== undefined && head.blocks === length && head.epoch === this.epoch;
    const root = isStated ? head.root : rootOf(this.crypto, frontier);
    return { epoch: this.epoch, blocks: length, root };
  }

  /** Whether chunks are waiting for {@link seal}. */
  get isDirty(): boolean {
    return this.#pending.length > 0 || this.#open.length > 0;
  }

  /**
   * Whether the head is past what this log writes after: somebody else's blocks arrived. If writes
   * are waiting they must be merged into a new log; else see {@link catchUp}.
   */
  get isDiverged(): boolean {
    return this.#ahead !== undefined;
  }

  /** Goes on after the newest head; gives false, and does not, if writes are waiting. */
  catchUp(): boolean {
    if (this.#ahead === undefined) return true;
    if (this.isDirty) return false;
    this.#moveTip(this.#ahead);
    return true;
  }

  /** Bytes waiting for {@link seal}. */
  get pendingBytes(): number {
    return this.#openStart + this.#open.length - this.#tip.bytes;
  }

  /** Address of the first byte that is not in the store. */
  get sealedBytes(): number {
    return this.#tip.bytes;
  }

  /** The bytes from `address` to the end of its block; throws MissingBlock. */
  at(address: number): Uint8Array {
    if (address >= this.#openStart) {
      const offset = address - this.#openStart;
      if (offset >= this.#open.length) throw new MissingBlock(address);
      return this.#open.from(offset);
    }
    if (address < this.#tip.bytes) return this.stored.at(address);
    const block = findBlock(this.#pending, address);
    if (block === undefined) throw new MissingBlock(address);
    return block.bytes.subarray(address - block.start);
  }

  /** Appends a chunk, or gives the address of an equal one. */
  append(chunk: Uint8Array): number {
    const hash = chunkHash(chunk);
    const known = this.#index.find(hash, (address) => isChunkAt(this, address, chunk));
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
    if (!this.#open.hasRoom(chunk.length)) this.#closeBlock();
    this.#open.push(chunk);
    return this.#openStart + this.#open.length - chunk.length;
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
      if (this.isDiverged && this.isDirty) {
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
      let from = this.#stored ?? EMPTY;
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
        await this.#append(placed, { head: this.#head, epoch, ...extent });
      }
      return { length: extent.length, complete };
    });
  }

  /** Looks again at what the store holds: another process may have made it longer. */
  refresh(): Promise<boolean> {
    return this.#serial.run(async () => {
      const stored = await this.#store.head(this.key);
      if (stored?.head === undefined || sameStored(stored, this.#stored)) return false;
      const from = this.#stored?.head?.blocks ?? 0;
      this.#stored = stored;
      this.#proofs = undefined;
      if (stored.head.blocks <= from) return false;
      this.#head = stored.head;
      const { blocks, bytes } = stored.head;
      this.#ahead = await this.#extentAt(blocks, bytes);
      this.events.emit("advance", { head: stored.head, from, blocks: undefined, source: this });
      return true;
    });
  }

  /**
   * A second log over the same store that goes on from `length` blocks of this one: to hold what a
   * peer wrote instead. Nothing is stored until it is sealed or {@link adopt}ed.
   */
  async branch(length: number): Promise<Log> {
    const log = new Log(this.#store, this.key, { crypto: this.crypto }, this.#stored);
    log.#moveTip(length === this.#tip.length ? this.#tip : await this.#extentAt(length));
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

  /**
   * Lets `branch` replace what this log has stored since they parted; false if it does not part from
   * this log any more, because another one has taken its place.
   */
  async makeWay(branch: Log): Promise<boolean> {
    if (!await branch.isExtendedBy(this)) return false;
    branch.#stored = this.#stored;
    return true;
  }

  /** Up to which address `log`, which extends this one, has the blocks that wait here too. */
  async sharedBytes(log: Log): Promise<number> {
    let shared = this.sealedBytes;
    const from = this.#tip.length;
    const to = Math.min(from + this.#pending.length, log.length);
    for await (const { index, start, bytes } of log.blocks(from, to)) {
      if (!equal(bytes, this.#pending[index - from].bytes)) break;
      shared = start + bytes.length;
    }
    return shared;
  }

  /** Where the next run to {@link hold} begins. */
  get heldLength(): number {
    return this.#end.length;
  }

  /** Stores what {@link hold} has completed, in place of what the store held from there on. */
  adopt(source?: unknown): Promise<Advance> {
    return this.#serial.run(() =>
      this.#commit(this.#head!, this.#end, this.#pending.slice(), source)
    );
  }

  /** Stored blocks [from, to). */
  blocks(from: number, to: number): AsyncIterable<Block> {
    return this.#store.blocks(this.key, this.epoch, from, to);
  }

  /**
   * Roots and proofs over the stored blocks.
   * @ignore
   */
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

  async #append(blocks: readonly Block[], next: StoredHead): Promise<void> {
    await this.#store.append(this.key, this.#stored, blocks, next);
    // Hashes of blocks that were replaced are not to be remembered.
    const isAtEnd = next.length - blocks.length === this.length && next.epoch === this.epoch;
    if (!isAtEnd) this.#proofs = undefined;
    this.#stored = next;
  }

  async #commit(
    head: VerifiedHead,
    extent: Extent,
    blocks: readonly Block[],
    source?: unknown,
  ): Promise<Advance> {
    const before = this.#stored?.head?.blocks ?? 0;
    const from = Math.min(before, blocks[0]?.index ?? before);
    await this.#append(blocks, { head, epoch: head.epoch, ...extent });
    this.#head = head;
    for (const block of blocks) this.stored.add(block);
    if (blocks.length > 0 && this.#pending[0] === blocks[0]) {
      this.#pending.splice(0, blocks.length);
      this.#tip = extent;
    } else if (extent.length > this.#tip.length) this.#ahead = extent;
    const whole = blocks[0]?.index === from;
    const advance = { head, from, blocks: whole ? blocks : undefined, source };
    this.events.emit("advance", advance);
    return advance;
  }

  #closeBlock(): void {
    if (this.#open.length === 0) return;
    const { placed, extent } = extend(this.crypto, this.#end, [this.#open.take()]);
    this.#pending.push(...placed);
    this.#end = extent;
    this.#openStart = extent.bytes;
  }

  async #extentAt(length: number, bytes?: number): Promise<Extent> {
    const held = this.#stored ?? EMPTY;
    if (length !== held.length) return await this.proofs.extent(length, bytes);
    return { length, bytes: held.bytes, frontier: held.frontier };
  }

  #moveTip(tip: Extent): void {
    this.#tip = this.#end = tip;
    this.#openStart = tip.bytes;
    this.#ahead = undefined;
  }
}
