/** Where a repo's branch meets other logs of its key: merges, forks, epochs, what takes whose place. */

import { untilThere } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import type { Advance } from "../log/advance.ts";
import { proveFork } from "../log/fork_proof.ts";
import { compareHeads, type Head } from "../log/head.ts";
import { late } from "../late.ts";
import { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import { sharedBytes } from "../log/shared_bytes.ts";
import { Asides } from "./asides.ts";
import type { CompactOptions } from "./compaction.ts";
import { covers, knows } from "./known_heads.ts";
import type { MergeRules } from "./plan_merge.ts";
import { Raising } from "./raising.ts";
import { sharedBy, type Succession } from "./succession.ts";
import { isConflict, type Trunk } from "./trunk.ts";

/** What only signers need: a session that has some has loaded it before it connects. */
const loadMerging = late(() => import("./plan_merge.ts"));
const loadCompaction = late(() => import("./compaction.ts"));

/** What a {@link Trunk} loads when it is needed first. Its callers wait for their turn. */
export class Settling {
  readonly #trunk: Trunk;

  /** Settles for `trunk`. */
  constructor(trunk: Trunk) {
    this.#trunk = trunk;
  }

  /** Whether all that a head of an earlier epoch covers is in this log, or was when it was compacted. */
  covers(head: Head): Promise<boolean> {
    return covers(this.#trunk.branch, head);
  }

  /** Whether all of `head` is in this log, or was merged into it past `sharedBytes`. */
  knows(head: Head, sharedBytes: number): Promise<boolean> {
    return knows(this.#trunk.branch, head, sharedBytes);
  }

  /**
   * Merges into this log what `log`, held in memory, has that it lacks: a branch that lost, or an earlier
   * epoch's log that went on elsewhere while this one was compacted.
   */
  async takeIn(log: Log): Promise<void> {
    const { planTakeIn } = await loadMerging();
    const trunk = this.#trunk;
    await trunk.writer!.flushNow();
    const theirs = trunk.branch;
    const merge = await planTakeIn(trunk.branchOf(log), theirs, this.#rules());
    if (merge === undefined) return;
    const { record, snapshot: before } = theirs;
    await untilThere(merge);
    const after = theirs.record;
    if (after === undefined || after === record) return;
    trunk.events.emit("change", { record: after, before, isLocal: false });
    await trunk.writer!.flushNow();
    // Whoever has what was taken in must see this branch win.
    trunk.showNow(trunk.branch.log.head!.blocks);
    trunk.events.emit("merged", { record: after, replaced: log.newest });
  }

  /**
   * Keeps `log`, a branch that is held in memory, beside this one, unless it is known; `too_large` past
   * the limits.
   */
  async keepAside(log: Log): Promise<void> {
    if (await this.knows(log.newest!, log.sealedBytes)) return;
    await (await this.#trunk.keptAside()).keepBranch(log);
    this.#tellAsides();
  }

  /** What the store keeps aside. */
  readAsides(): Promise<Asides> {
    return Asides.open(this.#trunk.options.store, this.#trunk.branch.log.key);
  }

  /** What is kept aside from before: a signer merges it, as it was kept by a reader. */
  async openAsides(): Promise<void> {
    const trunk = this.#trunk;
    const asides = await trunk.loadAsides();
    await trunk.tidy();
    if (trunk.writer === undefined) return;
    for (const aside of asides.all) {
      await this.takeIn(await asides.branchOf(aside, trunk.branch.log));
    }
  }

  /** The store has another log than this one extends: goes on from there, with the writes made here. */
  async overtaken(): Promise<void> {
    const { log } = this.#trunk.branch;
    const { store, crypto, cacheBytes } = this.#trunk.options;
    const next = await Log.open(store, log.key, { crypto, cacheBytes });
    const isFork = next.epoch === log.epoch && !await log.isExtendedBy(next);
    if (next.epoch < log.epoch || isFork && log.isDirty) {
      const message = `another process replaced the log of ${log.key}; reopen it`;
      throw new StreamoError("closed", message);
    }
    const nothing = { sharedBlocks: 0, sharedBytes: 0, isStored: true };
    if (isFork || next.epoch > log.epoch && this.#trunk.writer === undefined) {
      const lost = isFork ? log.head : undefined;
      const branch = this.#trunk.branchOf(next);
      await branch.follow();
      this.#trunk.swap(branch, nothing);
      this.#trunk.showNow(next.length);
      const asides = await this.#trunk.loadAsides();
      if (lost === undefined) return;
      const won = next.head!;
      const proof = await asides.proofOf(lost, next);
      this.#trunk.events.emit("forked", { lost, won, proof });
      return;
    }
    if (next.epoch > log.epoch) return await this.#merge(next, nothing);
    // An append whose answer was lost may have been stored: those blocks are not merged once more.
    const replaced = log.newest === log.head ? undefined : log.newest;
    const shared = await sharedBytes(log, next);
    await this.#merge(next, { sharedBlocks: log.length, sharedBytes: shared, replaced });
  }

  /** See `Trunk.replace`. */
  async replace(log: Log, source: unknown): Promise<void> {
    const isWritten = this.#trunk.writer !== undefined && this.#trunk.branch.log.isDirty;
    // A merge says which head it has merged: what is not signed yet would come without that.
    if (isWritten) await this.#trunk.writer!.flushNow();
    const { log: old } = this.#trunk.branch;
    if (!await old.makeWay(log)) {
      throw new StreamoError("conflict", `the log of ${old.key} has changed its past meanwhile`);
    }
    const shared = await sharedBy(log, old);
    const replaced = old.head;
    if (this.#trunk.writer !== undefined) await this.#merge(log, { ...shared, replaced });
    else await this.#giveWay(log, shared, source);
    this.#trunk.writer?.passOn(Infinity);
    await this.#trunk.tidy();
  }

  /** Without a signer: a branch that wins takes the place of this one, whose end is kept aside. */
  async #giveWay(log: Log, succession: Succession, source: unknown): Promise<void> {
    const trunk = this.#trunk;
    const { log: old } = trunk.branch;
    const won = log.newest!;
    if (old.head !== undefined && compareHeads(won, old.head) > 0) {
      throw new StreamoError("stale", `a head of ${won.blocks} blocks loses to the one held`);
    }
    const branch = trunk.branchOf(log);
    await branch.follow();
    const isFork = old.head !== undefined && won.epoch === old.epoch;
    const lost = isFork ? await (await trunk.keptAside()).keepLoser(old, branch) : undefined;
    const tail = { head: won, blocks: log.heldBlocks.slice() };
    // Now: the blocks that lose are replaced in the store.
    const proof = lost &&
      await proveFork(old.crypto, { head: lost, proofs: await old.proofs() }, tail);
    const news = await this.#adopt(log, succession.sharedBytes, source);
    trunk.swap(branch, succession);
    trunk.showNow(won.blocks);
    trunk.events.emit("advance", news);
    if (lost === undefined) return;
    trunk.events.emit("forked", { lost, won, proof });
    this.#tellAsides();
  }

  /** See `Repo.compact`. False if another process was faster: then again. */
  async compact(options: CompactOptions): Promise<boolean> {
    const { Compaction } = await loadCompaction();
    const branch = this.#trunk.branch;
    const { log } = branch;
    if (log.head?.record === undefined) return true;
    if (log.isDiverged) return false;
    this.#trunk.endRaising();
    const next = this.#trunk.branchOf(log.raise(log.epoch + 1));
    const compaction = new Compaction(branch, next);
    let news: Advance | undefined;
    const stop = next.log.events.on("advance", (advance) => news = advance);
    try {
      await compaction.run(options);
      await this.#trunk.writer!.seal(next);
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.overtaken();
      return false;
    } finally {
      stop();
    }
    while (!compaction.isCurrent) await compaction.catchUp();
    this.#trunk.swap(next, { sharedBlocks: 0, sharedBytes: 0 });
    this.#trunk.showNow(0);
    this.#trunk.events.emit("advance", news!);
    await this.#trunk.dropOld();
    return true;
  }

  /** Takes a run of a later epoch; the log switches over when that is whole. */
  async raise(run: Run, source: unknown): Promise<{ length: number; complete: boolean }> {
    const { epoch } = run.head;
    const { log } = this.#trunk.branch;
    if (this.#trunk.raising?.log.epoch !== epoch || this.#trunk.raising.log.isGivenUp) {
      this.#trunk.endRaising();
      const next = log.raise(epoch, { resume: true });
      this.#trunk.raising = new Raising(
        next,
        source,
        this.#trunk.options.timer,
        () => this.#trunk.release(source),
      );
    }
    const { log: next } = this.#trunk.raising;
    try {
      const isWhole = await next.takeRaised(run);
      if (!isWhole) this.#trunk.raising?.touch();
      else await this.replace(next, source);
      if (isWhole) this.#trunk.endRaising();
      return { length: run.first + run.blocks.length, complete: isWhole };
    } catch (error) {
      this.#trunk.endRaising();
      throw error;
    }
  }

  /** Makes `log` the log that goes on, with the writes made here. */
  async #merge(log: Log, succession: Succession): Promise<void> {
    const theirs = this.#trunk.branchOf(log);
    await theirs.follow();
    const { sharedBlocks, replaced } = succession;
    // Others may have what gives way here: then they must see the result win.
    const isShown = replaced !== undefined && sharedBlocks < this.#trunk.shown;
    const theirBlocks = log.newest?.blocks ?? 0;
    const { planMerge } = await loadMerging();
    const merge = await planMerge(this.#trunk.branch, theirs, succession, this.#rules());
    await untilThere(() => {
      merge();
      this.#trunk.swap(theirs, succession);
    });
    // Others over this store may have gone on meanwhile: then their writes are merged too.
    if (log.isDirty) await this.#trunk.writer!.flushNow();
    this.#trunk.showNow(isShown ? this.#trunk.branch.log.head!.blocks : theirBlocks);
    if (theirs.record !== undefined) {
      this.#trunk.events.emit("merged", { record: theirs.record, replaced });
    }
  }

  #tellAsides(): void {
    this.#trunk.events.emit("asides", this.#trunk.asides.length);
  }

  #rules(): MergeRules {
    const { clock, onConflict } = this.#trunk.options;
    return { now: clock(), onConflict };
  }

  /** Stores a held branch; until that is certain, this log's own blocks are not read from the store. */
  async #adopt(log: Log, sharedBytes: number, source: unknown): Promise<Advance> {
    const { stored } = this.#trunk.branch.log;
    stored.cut(sharedBytes);
    try {
      return await log.adopt(source);
    } catch (error) {
      stored.cut(Infinity);
      throw error;
    }
  }
}
