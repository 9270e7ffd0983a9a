/** Where a repo's branch meets other logs of its key: merges, forks, epochs, what takes whose place. */

import { untilThere } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import type { Advance } from "../log/advance.ts";
import { compareHeads, type Head } from "../log/head.ts";
import { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import { Branch } from "./branch.ts";
import { Compaction, type CompactOptions } from "./compaction.ts";
import { mergeBranches } from "./merge_branches.ts";
import { covers, findParting, mergeEpochs, partAt } from "./merge_epochs.ts";
import { Raising } from "./raising.ts";
import { isConflict, type Succession, type Trunk } from "./trunk.ts";

/** What a {@link Trunk} loads when it is needed first. Its callers wait for their turn. */
export class Settling {
  readonly #trunk: Trunk;

  /** Settles for `trunk`. */
  constructor(trunk: Trunk) {
    this.#trunk = trunk;
  }

  /** See `Repo.covers`. */
  covers(head: Head): Promise<boolean> {
    return untilThere(() => covers(this.#trunk.branch, head));
  }

  /** See `Repo.takeIn`. */
  async takeIn(log: Log): Promise<void> {
    const old = this.#trunk.branchOf(log);
    await old.follow();
    await this.#trunk.flushNow();
    const branch = this.#trunk.branch;
    const parting = await findParting(old, branch, log.newest);
    const { clock, onConflict } = this.#trunk.options;
    const { record, snapshot: before } = branch;
    const now = clock();
    await untilThere(() => mergeEpochs(old, branch, parting, { now, onConflict }));
    const after = branch.record;
    if (after === undefined || after === record) return;
    this.#trunk.events.emit("change", { record: after, before, isLocal: false });
    await this.#trunk.flushNow();
  }

  /** The store has another log than this one extends: goes on from there, with the writes made here. */
  async overtaken(): Promise<void> {
    const { log } = this.#trunk.branch;
    const { store, crypto, cacheBytes, signer } = this.#trunk.options;
    const next = await Log.open(store, log.key, { crypto, cacheBytes });
    if (next.epoch === log.epoch && !await log.isExtendedBy(next) || next.epoch < log.epoch) {
      const message = `another process replaced the log of ${log.key}; reopen it`;
      throw new StreamoError("closed", message);
    }
    if (next.epoch > log.epoch) {
      if (signer !== undefined) return await this.#merge(next, { sharedBytes: 0, isStored: true });
      const branch = this.#trunk.branchOf(next);
      await branch.follow();
      this.#trunk.swap(branch, { sharedBytes: 0, isStored: true });
      return;
    }
    // An append whose answer was lost may have been stored: those blocks are not merged once more.
    await this.#merge(next, { sharedBytes: await log.sharedBytes(next) });
  }

  /** See `Repo.replace`. */
  async replace(log: Log, source: unknown): Promise<void> {
    const { log: old } = this.#trunk.branch;
    if (!await old.makeWay(log)) {
      throw new StreamoError("conflict", `the log of ${old.key} has changed its past meanwhile`);
    }
    const sharedBytes = log.epoch === old.epoch ? await log.sharedBytes(old) : 0;
    if (this.#trunk.options.signer !== undefined) {
      await this.#merge(log, { sharedBytes, replaced: old.head });
    } else {
      if (old.head !== undefined && compareHeads(log.newest!, old.head) > 0) {
        const message = `a head of ${log.newest!.blocks} blocks loses to the one held`;
        throw new StreamoError("stale", message);
      }
      const branch = this.#trunk.branchOf(log);
      await branch.follow();
      const news = await this.#adopt(log, sharedBytes, source);
      this.#trunk.swap(branch, { sharedBytes });
      this.#trunk.events.emit("advance", news);
    }
    await this.#trunk.dropOld();
  }

  /** See `Repo.compact`. False if another process was faster: then again. */
  async compact(options: CompactOptions): Promise<boolean> {
    const branch = this.#trunk.branch;
    const { log } = branch;
    if (log.head?.record === undefined) return true;
    if (log.isDiverged) return false;
    this.#trunk.endRaising();
    const next = new Branch(log.raise(log.epoch + 1));
    const compaction = new Compaction(branch, next);
    let news: Advance | undefined;
    const stop = next.log.events.on("advance", (advance) => news = advance);
    try {
      await compaction.run(options);
      await this.#trunk.seal(next);
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.overtaken();
      return false;
    } finally {
      stop();
    }
    while (!compaction.isCurrent) await compaction.catchUp();
    this.#trunk.swap(next, { sharedBytes: 0 });
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
    const merge = await this.#merger(theirs, succession);
    await untilThere(() => {
      merge();
      this.#trunk.swap(theirs, succession);
    });
    // Others over this store may have gone on meanwhile: then their writes are merged too.
    if (log.isDirty) await this.#trunk.flushNow();
    if (theirs.record !== undefined) {
      this.#trunk.events.emit("merged", { record: theirs.record, replaced: succession.replaced });
    }
  }

  /** What appends to `theirs` what is only here; it may be called again if a block was missing. */
  async #merger(theirs: Branch, succession: Succession): Promise<() => void> {
    const { clock, onConflict } = this.#trunk.options;
    const { sharedBytes, replaced, isStored } = succession;
    const mine = this.#trunk.branch;
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
