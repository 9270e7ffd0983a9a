/** The branch that a repo goes on from: what is written, what arrives, which log takes whose place. */

import { untilThere } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Signer } from "../identity/signer.ts";
import type { Advance } from "../log/advance.ts";
import { compareHeads, type Head, type VerifiedHead } from "../log/head.ts";
import { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import type { Store } from "../log/store.ts";
import type { Clock, Timer } from "../platform.ts";
import { Serial } from "../serial.ts";
import { Branch, type RecordContent } from "./branch.ts";
import { Compaction, type CompactOptions } from "./compaction.ts";
import type { OnConflict } from "./conflict.ts";
import { mergeBranches } from "./merge_branches.ts";
import { covers, findParting, mergeEpochs, partAt } from "./merge_epochs.ts";
import { Raising } from "./raising.ts";
import { passOn, repoEmitter } from "./repo_events.ts";

/** Bytes that wait for a later epoch to arrive; more do not wait. */
const WAITING_BYTES = 4 * 2 ** 20;

/** What a trunk works with. */
export interface TrunkOptions {
  readonly store: Store;
  /** What signs; undefined where nothing is written. */
  readonly signer: Signer | undefined;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly onConflict: OnConflict;
  readonly cacheBytes: number | undefined;
  /** Whether older epochs may be dropped from the store. */
  readonly isOwnStore: boolean;
}

/** What {@link Trunk.replace} and merges know of the log that takes the place. */
interface Succession {
  /** Up to which address both are one. */
  readonly sharedBytes: number;
  /** The head whose place is taken, if it was signed. */
  readonly replaced?: VerifiedHead;
  /** Whether another process has stored the log already. */
  readonly isStored?: boolean;
}

/** See the head of this file. Everything that waits for the store is done one after the other. */
export class Trunk {
  /** What the repo tells. */
  readonly events = repoEmitter();
  readonly #options: TrunkOptions;
  readonly #serial = new Serial();
  #branch: Branch;
  #stopLog: () => void;
  #flushing: Promise<VerifiedHead | undefined> | undefined;
  #raising: Raising | undefined;
  /** Epochs below this are gone from the store. */
  #dropped = 0;

  private constructor(log: Log, options: TrunkOptions) {
    this.#options = options;
    this.#branch = this.#branchOf(log);
    this.#stopLog = passOn(log, this.events);
  }

  /** Opens what the store holds of `log`'s key, and ends what a crash has left unfinished. */
  static async open(log: Log, options: TrunkOptions): Promise<Trunk> {
    const trunk = new Trunk(log, options);
    await trunk.#branch.follow();
    await trunk.#dropOld();
    return trunk;
  }

  /** The branch; another one after a log took the place of this one's. */
  get branch(): Branch {
    return this.#branch;
  }

  /** Whether `source` is bringing a log of a later epoch. */
  isRaisedBy(source: unknown): boolean {
    return this.#raising?.source === source;
  }

  /** What `source` was bringing does not come from it any more. */
  release(source: unknown): void {
    if (this.isRaisedBy(source)) this.#endRaising();
  }

  /** Appends a record, to be stored at the end of this tick. */
  append(content: RecordContent): void {
    const before = this.#branch.snapshot;
    const record = this.#branch.append(content, this.#options.clock());
    this.events.emit("change", { record, before, isLocal: true });
    // Starts after this tick: all writes of one tick share a block and a signature.
    if (this.#flushing !== undefined) return;
    this.flush().catch((error) => this.events.emit("failed", error));
  }

  /** Signs and stores everything written so far. */
  flush(): Promise<VerifiedHead | undefined> {
    this.#flushing ??= this.#flushLater();
    return this.#flushing;
  }

  /** See `Repo.compact`. */
  async compact(options: CompactOptions): Promise<VerifiedHead | undefined> {
    const { epoch } = this.#branch.log;
    for (;;) {
      await this.flush();
      // Another device or process may be faster.
      if (this.#branch.log.epoch > epoch) return this.#branch.log.head;
      const isDone = await this.#serial.run(() => this.#compactNow(options));
      if (isDone) return this.#branch.log.head;
    }
  }

  /** See `Repo.receive`. */
  async receive(run: Run, source: unknown): Promise<{ length: number; complete: boolean }> {
    while (this.#raising !== undefined && !this.isRaisedBy(source)) await this.#raising.ended;
    return await this.#inStep(async () => {
      const { log } = this.#branch;
      if (run.head.epoch > log.epoch && !log.isEmpty) return await this.#raise(run, source);
      const received = await log.receive(run, source);
      if (received.complete) await this.#follow();
      return received;
    });
  }

  /** See `Repo.replace`. */
  replace(log: Log, source: unknown): Promise<void> {
    return this.#inStep(() => this.#replace(log, source));
  }

  /** See `Repo.covers`. */
  covers(head: Head): Promise<boolean> {
    return untilThere(() => covers(this.#branch, head));
  }

  /** See `Repo.takeIn`. */
  takeIn(log: Log): Promise<void> {
    return this.#serial.run(async () => {
      const old = this.#branchOf(log);
      await old.follow();
      await this.#flushNow();
      const branch = this.#branch;
      const parting = await findParting(old, branch, log.newest);
      const { clock, onConflict } = this.#options;
      const { record, snapshot: before } = branch;
      const now = clock();
      await untilThere(() => mergeEpochs(old, branch, parting, { now, onConflict }));
      const after = branch.record;
      if (after === undefined || after === record) return;
      this.events.emit("change", { record: after, before, isLocal: false });
      await this.#flushNow();
    });
  }

  /** Takes over what another process may have written to the store. */
  refresh(): Promise<void> {
    return this.#serial.run(() => this.#refresh());
  }

  async #refresh(): Promise<void> {
    const found = await this.#branch.log.refresh();
    if (found === "longer") await this.#follow();
    if (found === "raised") await this.#overtaken();
  }

  /**
   * Runs what stores the blocks of a peer. The store may have others than are known of here: another
   * process's, or those of an append whose answer was lost. Peers would offer theirs in vain for ever.
   */
  #inStep<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(async () => {
      try {
        return await work();
      } catch (error) {
        if (isConflict(error)) await this.#refresh();
        throw error;
      }
    });
  }

  #branchOf(log: Log): Branch {
    return new Branch(log, { isWritable: this.#options.signer !== undefined });
  }

  async #flushLater(): Promise<VerifiedHead | undefined> {
    while (this.#raising !== undefined && this.#branch.log.pendingBytes < WAITING_BYTES) {
      await this.#raising.ended;
    }
    return await this.#serial.run(() => {
      this.#flushing = undefined;
      return this.#flushNow();
    });
  }

  async #flushNow(): Promise<VerifiedHead | undefined> {
    for (;;) {
      try {
        const head = await this.#seal(this.#branch);
        await this.#dropOld();
        return head;
      } catch (error) {
        if (!isConflict(error)) throw error;
        await this.#overtaken();
      }
    }
  }

  #seal(branch: Branch): Promise<VerifiedHead | undefined> {
    return branch.log.seal(this.#options.signer!, () => branch.record?.address);
  }

  /** After the head moved on: makes its record the state, or merges what was written meanwhile. */
  async #follow(): Promise<void> {
    const branch = this.#branch;
    const before = branch.snapshot;
    const isNew = !branch.log.isDirty && await branch.follow();
    if (branch.log.isDiverged && this.#options.signer !== undefined) await this.#flushNow();
    if (isNew) {
      this.events.emit("change", { record: this.#branch.record!, before, isLocal: false });
    }
  }

  /** The store has another log than this one extends: goes on from there, with the writes made here. */
  async #overtaken(): Promise<void> {
    const { log } = this.#branch;
    const { store, crypto, cacheBytes, signer } = this.#options;
    const next = await Log.open(store, log.key, { crypto, cacheBytes });
    if (next.epoch === log.epoch && !await log.isExtendedBy(next) || next.epoch < log.epoch) {
      const message = `another process replaced the log of ${log.key}; reopen it`;
      throw new StreamoError("closed", message);
    }
    if (next.epoch > log.epoch) {
      if (signer !== undefined) return await this.#merge(next, { sharedBytes: 0, isStored: true });
      const branch = this.#branchOf(next);
      await branch.follow();
      this.#swap(branch, { sharedBytes: 0, isStored: true });
      return;
    }
    // An append whose answer was lost may have been stored: those blocks are not merged once more.
    await this.#merge(next, { sharedBytes: await log.sharedBytes(next) });
  }

  async #replace(log: Log, source: unknown): Promise<void> {
    const { log: old } = this.#branch;
    if (!await old.makeWay(log)) {
      throw new StreamoError("conflict", `the log of ${old.key} has changed its past meanwhile`);
    }
    const sharedBytes = log.epoch === old.epoch ? await log.sharedBytes(old) : 0;
    if (this.#options.signer !== undefined) {
      await this.#merge(log, { sharedBytes, replaced: old.head });
    } else {
      if (old.head !== undefined && compareHeads(log.newest!, old.head) > 0) {
        const message = `a head of ${log.newest!.blocks} blocks loses to the one held`;
        throw new StreamoError("stale", message);
      }
      const branch = this.#branchOf(log);
      await branch.follow();
      const news = await this.#adopt(log, sharedBytes, source);
      this.#swap(branch, { sharedBytes });
      this.events.emit("advance", news);
    }
    await this.#dropOld();
  }

  /** Stores a held branch; until that is certain, this log's own blocks are not read from the store. */
  async #adopt(log: Log, sharedBytes: number, source: unknown): Promise<Advance> {
    const { stored } = this.#branch.log;
    stored.cut(sharedBytes);
    try {
      return await log.adopt(source);
    } catch (error) {
      stored.cut(Infinity);
      throw error;
    }
  }

  /** Makes `log` the log that goes on, with the writes made here. */
  async #merge(log: Log, succession: Succession): Promise<void> {
    const theirs = this.#branchOf(log);
    await theirs.follow();
    const merge = await this.#merger(theirs, succession);
    await untilThere(() => {
      merge();
      this.#swap(theirs, succession);
    });
    // Others over this store may have gone on meanwhile: then their writes are merged too.
    if (log.isDirty) await this.#flushNow();
    if (theirs.record !== undefined) {
      this.events.emit("merged", { record: theirs.record, replaced: succession.replaced });
    }
  }

  /** What appends to `theirs` what is only here; it may be called again if a block was missing. */
  async #merger(theirs: Branch, succession: Succession): Promise<() => void> {
    const { clock, onConflict } = this.#options;
    const { sharedBytes, replaced, isStored } = succession;
    const mine = this.#branch;
    const { epoch } = theirs.log;
    if (epoch === mine.log.epoch && (epoch === 0 || sharedBytes > 0)) {
      return () => mergeBranches(mine, theirs, { now: clock(), replaced, sharedBytes, onConflict });
    }
    // Another process over this store had all that is in it.
    const parting = isStored
      ? await partAt(mine, mine.log.sealedBytes)
      : await findParting(mine, theirs, replaced);
    return () => mergeEpochs(mine, theirs, parting, { now: clock(), onConflict });
  }

  #swap(branch: Branch, { sharedBytes, isStored = false }: Succession): void {
    const { log: old, snapshot: before } = this.#branch;
    // Older snapshots read what is at hand, or say that a block is missing: never other bytes.
    old.stored.cut(sharedBytes);
    this.#stopLog();
    this.#stopLog = passOn(branch.log, this.events);
    this.#branch = branch;
    this.events.emit("replaced", { sharedBytes });
    const { record, log: { head } } = branch;
    if (record !== undefined) this.events.emit("change", { record, before, isLocal: false });
    const advance = { from: 0, blocks: undefined, source: undefined };
    if (isStored && head !== undefined) this.events.emit("advance", { head, ...advance });
  }

  /** Takes a run of a later epoch; the log switches over when that is whole. */
  async #raise(run: Run, source: unknown): Promise<{ length: number; complete: boolean }> {
    const { epoch } = run.head;
    const { log } = this.#branch;
    if (this.#raising?.log.epoch !== epoch || this.#raising.log.isGivenUp) {
      this.#endRaising();
      const next = log.raise(epoch, { resume: true });
      this.#raising = new Raising(next, source, this.#options.timer, () => this.release(source));
    }
    const { log: next } = this.#raising;
    try {
      const isWhole = await next.takeRaised(run);
      if (!isWhole) this.#raising?.touch();
      else await this.#replace(next, source);
      if (isWhole) this.#endRaising();
      return { length: run.first + run.blocks.length, complete: isWhole };
    } catch (error) {
      this.#endRaising();
      throw error;
    }
  }

  #endRaising(): void {
    this.#raising?.end();
    this.#raising = undefined;
  }

  /** False if another process was faster: then again. */
  async #compactNow(options: CompactOptions): Promise<boolean> {
    const branch = this.#branch;
    const { log } = branch;
    if (log.head?.record === undefined) return true;
    if (log.isDiverged) return false;
    this.#endRaising();
    const next = new Branch(log.raise(log.epoch + 1));
    const compaction = new Compaction(branch, next);
    let news: Advance | undefined;
    const stop = next.log.events.on("advance", (advance) => news = advance);
    try {
      await compaction.run(options);
      await this.#seal(next);
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.#overtaken();
      return false;
    } finally {
      stop();
    }
    while (!compaction.isCurrent) await compaction.catchUp();
    this.#swap(next, { sharedBytes: 0 });
    this.events.emit("advance", news!);
    await this.#dropOld();
    return true;
  }

  /** Forgets the epochs before the one that is durable now, for good. */
  async #dropOld(): Promise<void> {
    const { head, key } = this.#branch.log;
    if (head === undefined || head.epoch <= this.#dropped || !this.#options.isOwnStore) return;
    await this.#options.store.drop(key, head.epoch);
    this.#dropped = head.epoch;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof StreamoError && error.code === "conflict";
}
