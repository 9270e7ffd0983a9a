/** One key's log: reads chunks from anywhere in it, appends, seals, and takes in others' blocks. */

import { CACHE_BYTES, type Chunks } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import { equal } from "../bytes.ts";
import { Emitter } from "../events.ts";
import type { Crypto, SigningKey } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Advance } from "./advance.ts";
import { type Block, withoutLeaf } from "./block.ts";
import { Serial } from "../serial.ts";
import { Held } from "./held.ts";
import { sameHead, sameStored, signHead, type VerifiedHead, verifyHead } from "./head.ts";
import { rootOf } from "./merkle.ts";
import type { Proofs } from "./proofs.ts";
import { EMPTY, type Extent, type Placed, type Position, type Run } from "./run.ts";
import { late } from "../late.ts";
import type { Store } from "./store.ts";
import { StoredBlocks } from "./stored_blocks.ts";
import { Unsealed } from "./unsealed.ts";

const loadCheckRun = late(() => import("./check_run.ts"));

/** What a {@link Log} is opened with. */
export interface LogOptions {
  readonly crypto: Crypto;
  /** See {@link CACHE_BYTES}, the default: a quarter of it is for blocks. */
  readonly cacheBytes?: number;
}

/**
 *     0 ............ tip ............ end
 *     in the store   written here, not sealed yet
 *
 * Addresses go on without a gap over both. A download in progress (blocks held past the head) is
 * invisible until it is complete. The tip follows a head that somebody else made only at
 * {@link catchUp}, so that a write never comes after a record that its author has not seen.
 */
export class Log implements Chunks {
  /** Whose log this is. */
  readonly key: Key;
  /** What hashes and verifies. */
  readonly crypto: Crypto;
  /** Bytes that it and those who parse its chunks may keep at hand. */
  readonly cacheBytes: number;
  /** `advance` whenever the head moves on. */
  readonly events: Emitter<{ advance: Advance }> = new Emitter();
  readonly #store: Store;
  /** @ignore What is in the store, whatever waits here at the same addresses. */
  readonly stored: StoredBlocks;
  readonly #options: LogOptions;
  readonly #held: Held;
  #head: VerifiedHead | undefined;
  /** What {@link hold} has completed; not durable. */
  #whole: VerifiedHead | undefined;
  readonly #unsealed: Unsealed;
  /** The extent of `#head`, if another process or peer made it: where {@link catchUp} goes. */
  #ahead: Extent | undefined;
  #verified: VerifiedHead | undefined;
  readonly #serial = new Serial();

  private constructor(store: Store, key: Key, options: LogOptions, held: Held) {
    this.#store = store;
    this.key = key;
    this.#options = options;
    this.crypto = options.crypto;
    this.#held = held;
    this.#head = held.head;
    this.#unsealed = new Unsealed(options.crypto);
    this.cacheBytes = options.cacheBytes ?? CACHE_BYTES;
    this.stored = new StoredBlocks(store, key, () => this.epoch, this.cacheBytes / 4);
  }

  /** Opens what `store` holds of `key`: reads its head, no blocks. */
  static async open(store: Store, key: Key, options: LogOptions): Promise<Log> {
    const held = await Held.open(store, key, options.crypto);
    const log = new Log(store, key, options, held);
    const { head } = log;
    if (head !== undefined) log.#moveTip(await held.extentAt(head.blocks, head.bytes));
    return log;
  }

  /** The newest complete head, durable in the store. */
  get head(): VerifiedHead | undefined {
    return this.#head;
  }

  /** The same, or the head of what is held. */
  get newest(): VerifiedHead | undefined {
    return this.#whole ?? this.#head;
  }

  /** Which of the key's logs this is; that of an empty one follows from what arrives. */
  get epoch(): number {
    return this.#held.epoch;
  }

  /** Whether nothing of this log is in the store. */
  get isEmpty(): boolean {
    return this.#head === undefined && this.length === 0;
  }

  /** Where the next block to receive goes: past the head while a download is in progress. */
  get length(): number {
    return this.#held.extent.length;
  }

  /** How far the stored blocks reach, and the root over them. */
  position(): Position {
    return this.#held.position(this.#head);
  }

  /** Whether chunks are waiting for {@link seal}. */
  get isDirty(): boolean {
    return !this.#unsealed.isEmpty;
  }

  /** Whether others' blocks came: writes that wait are to be merged into a new log, else {@link catchUp}. */
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
    return this.#unsealed.bytes;
  }

  /** Blocks before the first byte that is not in the store. */
  get sealedLength(): number {
    return this.#unsealed.tip.length;
  }

  /** Address of the first byte that is not in the store. */
  get sealedBytes(): number {
    return this.#unsealed.tip.bytes;
  }

  /** The bytes from `address` to the end of its block; throws MissingBlock. */
  at(address: number): Uint8Array {
    return address < this.#unsealed.tip.bytes
      ? this.stored.at(address)
      : this.#unsealed.at(address);
  }

  /** Appends a chunk, also where there is an equal one: see `KnownChunks`. */
  append(chunk: Uint8Array): number {
    return this.#unsealed.append(chunk);
  }

  /** Ends the open block. */
  close(): void {
    this.#unsealed.close();
  }

  /**
   * Makes all that was appended durable under a new signed head, whose newest record `record` gives when
   * the last block is closed. Nothing is lost when it fails: `conflict` if the store has another head.
   */
  seal(signer: SigningKey, record: () => number | undefined): Promise<VerifiedHead | undefined> {
    return this.#serial.run(async () => {
      if (this.isDiverged && this.isDirty) {
        throw new StreamoError("conflict", `another log of ${this.key} took its place`);
      }
      const { blocks, extent } = this.#unsealed.closed();
      if (blocks.length === 0) return this.#head;
      const head = await signHead({
        key: this.key,
        flags: 0,
        epoch: this.epoch,
        blocks: extent.length,
        bytes: extent.bytes,
        record: record(),
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
      const { checkFirst, checkNewer, withoutKnown } = await loadCheckRun();
      if (!this.isEmpty) checkNewer(run.head, this.#head, this.epoch);
      let from = this.#held.extent;
      // Of the download in progress two peers may send the same: only what is new of it counts.
      const isOwn = from.length > (this.#head?.blocks ?? 0) && this.#isVerified(run);
      const rest = isOwn ? withoutKnown(run, from.length) : run;
      if (rest === undefined) return { length: from.length, complete: false };
      run = rest;
      // A download that broke off gives way to blocks that continue the head.
      if (run.first !== from.length && run.first === (this.#head?.blocks ?? 0)) {
        from = await this.#held.extentAt(run.first, this.#head?.bytes);
      }
      checkFirst(run, from.length);
      const { head, placed, extent } = await this.#check(run, from);
      const complete = extent.length === head.blocks;
      if (complete) await this.#commit(head, extent, placed, source);
      else await this.#held.append(placed, extent, head.epoch);
      return { length: extent.length, complete };
    });
  }

  /** Looks at the store again: another process may have `replaced` the log: then open another one. */
  refresh(): Promise<"same" | "longer" | "replaced"> {
    return this.#serial.run(async () => {
      const before = this.#held.stored;
      const from = this.#head?.blocks ?? 0;
      const tip = await this.#held.extentAt(from, this.#head?.bytes);
      const stored = await this.#held.refresh();
      const head = stored?.head;
      if (head === undefined || sameStored(stored, before)) return "same";
      const isSameEpoch = head.epoch === this.epoch;
      if (!isSameEpoch || !await (await this.proofs()).continues(tip, head)) return "replaced";
      if (head.blocks === from) return "same";
      this.#head = head;
      this.#ahead = await this.#held.extentAt(head.blocks, head.bytes);
      this.events.emit("advance", { head, from, blocks: undefined, source: this });
      return "longer";
    });
  }

  /**
   * A second log over this store, with `length` blocks of this one or an earlier epoch: to hold what was
   * written instead of the rest. Nothing is stored until it is sealed or {@link adopt}ed.
   */
  async branch(length: number, epoch: number = this.epoch): Promise<Log> {
    return this.#over(await this.#held.branch(length, epoch));
  }

  /**
   * The log of a higher epoch, over the same store (or a lower one, to {@link hold}). With `resume` it
   * goes on with staged blocks. Until it is sealed or adopted, this one stays.
   */
  raise(epoch: number, { resume = false }: { resume?: boolean } = {}): Log {
    return this.#over(this.#held.raise(epoch, resume));
  }

  /** What is in the store of a later epoch that is not whole. */
  get staged(): Position | undefined {
    return this.#held.staged;
  }

  /** Whether what this raised log has staged was given up for a longer log of the epoch before. */
  get isGivenUp(): boolean {
    return this.#held.isGivenUp;
  }

  /** Makes what waits durable, but invisible: no head covers it yet. For raised logs. */
  stage(): Promise<void> {
    return this.#serial.run(async () => {
      const { blocks, extent } = this.#unsealed.closed();
      if (blocks.length === 0) return;
      await this.#held.append(blocks, extent, this.epoch);
      this.#take(blocks, extent);
    });
  }

  /**
   * Takes a run of a raised log: stages it, or {@link hold}s it if it is the last one; true then. One
   * from 0 begins anew, if it is of another head.
   */
  async takeRaised(run: Run): Promise<boolean> {
    const { checkFirst, withoutKnown } = await loadCheckRun();
    const rest = this.#isVerified(run) ? withoutKnown(run, this.heldLength) : run;
    if (rest === undefined) return false;
    if (rest.first === 0) this.#moveTip(EMPTY);
    checkFirst(rest, this.heldLength);
    if (rest.first + rest.blocks.length >= rest.head.blocks) return await this.hold(rest);
    await this.receive(rest);
    this.#moveTip(this.#held.extent);
    return false;
  }

  /** Verifies a run like {@link receive}, but keeps the blocks in memory: for {@link branch}es. */
  async hold(run: Run): Promise<boolean> {
    const { head, placed, extent } = await this.#check(run, this.#unsealed.end);
    this.#unsealed.add(placed.map(withoutLeaf), extent);
    this.#whole = head;
    return extent.length === head.blocks;
  }

  /** Lets `branch` (or a raised log) replace what is stored since they parted; false if they do not. */
  async makeWay(branch: Log): Promise<boolean> {
    if (branch.epoch < this.epoch || branch.isGivenUp) return false;
    if (branch.epoch === this.epoch && !await branch.isExtendedBy(this)) return false;
    branch.#held.join(this.#held);
    return true;
  }

  /** @ignore Whole blocks that are not in the store: what {@link hold} took. */
  get heldBlocks(): readonly Block[] {
    return this.#unsealed.blocks;
  }

  /** Where the next run to {@link hold} begins. */
  get heldLength(): number {
    return this.#unsealed.end.length;
  }

  /** Stores what {@link hold} has completed, in place of what the store held from there on. */
  adopt(source?: unknown): Promise<Advance> {
    return this.#serial.run(() => {
      const { end, blocks } = this.#unsealed;
      return this.#commit(this.#whole!, end, blocks.slice(), source);
    });
  }

  /** Stored blocks [from, to). */
  blocks(from: number, to: number): AsyncIterable<Block> {
    return this.#store.blocks(this.key, this.epoch, from, to);
  }

  /** @ignore Roots and proofs over the stored blocks. */
  proofs(): Promise<Proofs> {
    return this.#held.proofs();
  }

  /** The Merkle root over the first `length` blocks; undefined if there are fewer. */
  async rootAt(length: number): Promise<Uint8Array | undefined> {
    if (this.#head?.blocks === length) return this.#head.root;
    return length > this.length ? undefined : await (await this.proofs()).root(length);
  }

  /** @ignore How far the first `length` blocks reach, those that are held included. */
  async extentAt(length: number): Promise<Extent> {
    return await (length > this.length ? this.#unsealed : this.#held).extentAt(length);
  }

  /** Whether `log` begins with everything that this log has sealed. */
  async isExtendedBy(log: Log): Promise<boolean> {
    const { length, frontier } = this.#unsealed.tip;
    const root = log.epoch === this.epoch ? await log.rootAt(length) : undefined;
    return length === 0 || root !== undefined && equal(root, rootOf(this.crypto, frontier));
  }

  #over(held: Held): Log {
    const log = new Log(this.#store, this.key, this.#options, held);
    log.#moveTip(held.extent);
    return log;
  }

  /** What `run`, which continues a log at `from`, adds to it: see `checkRun`. */
  async #check(run: Run, from: Extent): Promise<Placed & { readonly head: VerifiedHead }> {
    const { checkRun } = await loadCheckRun();
    if (!this.#isVerified(run)) this.#verified = await verifyHead(run.head, this.key, this.crypto);
    return { head: this.#verified!, ...checkRun(this.crypto, run, this.#verified!, from) };
  }

  /** One signature covers all runs of a head: the last one verified is not verified again. */
  #isVerified({ head }: Run): boolean {
    return this.#verified !== undefined && sameHead(this.#verified, head);
  }

  async #commit(
    head: VerifiedHead,
    extent: Extent,
    blocks: readonly Block[],
    source?: unknown,
  ): Promise<Advance> {
    const before = this.#held.newest?.epoch === head.epoch ? this.#held.newest.blocks : 0;
    const from = Math.min(before, blocks[0]?.index ?? before);
    await this.#held.append(blocks, extent, head.epoch, head);
    this.#head = head;
    this.#whole = undefined;
    this.#take(blocks, extent);
    const advance = { head, from, blocks: blocks[0]?.index === from ? blocks : undefined, source };
    this.events.emit("advance", advance);
    return advance;
  }

  /** `blocks`, written here or not, are in the store now. */
  #take(blocks: readonly Block[], extent: Extent): void {
    for (const block of blocks) this.stored.add(block);
    if (this.#unsealed.stored(blocks, extent)) return;
    if (extent.length > this.#unsealed.tip.length) this.#ahead = extent;
  }

  #moveTip(tip: Extent): void {
    this.#unsealed.restart(tip);
    this.#ahead = undefined;
  }
}
