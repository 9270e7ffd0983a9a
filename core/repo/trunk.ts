/** The branch that a repo goes on from: what arrives, which log takes whose place. */

import { StreamoError } from "../errors.ts";
import type { Emitter } from "../events.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Aside } from "../log/aside.ts";
import { late } from "../late.ts";
import type { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import type { Store } from "../log/store.ts";
import type { Clock, Timer } from "../platform.ts";
import { Serial } from "../serial.ts";
import type { Asides } from "./asides.ts";
import { Branch } from "./branch.ts";
import type { OnConflict } from "./conflict.ts";
import type { Raising } from "./raising.ts";
import { passOn, repoEmitter, type RepoEvents } from "./repo_events.ts";
import type { RepoWriter } from "./repo_writer.ts";
import type { Settling } from "./settling.ts";
import type { Succession } from "./succession.ts";

/**
 * What merges. A session has loaded it before it connects, so that what is written on both sides of a
 * broken connection is merged without asking the network.
 */
const loadSettling = late(() => import("./settling.ts"));

/** What a trunk works with. */
export interface TrunkOptions {
  readonly store: Store;
  /** Makes what writes; undefined where nothing is written. */
  readonly newWriter: ((trunk: Trunk) => RepoWriter) | undefined;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly onConflict: OnConflict;
  readonly cacheBytes: number | undefined;
  /** Whether older epochs may be dropped from the store. */
  readonly isOwnStore: boolean;
}

/** See the head of this file. Everything that waits for the store is done one after the other. */
export class Trunk {
  /** What the repo tells. */
  readonly events: Emitter<RepoEvents> = repoEmitter();
  readonly options: TrunkOptions;
  /** What writes; undefined where nothing is written. */
  readonly writer: RepoWriter | undefined;
  /** A log of a later epoch that is on its way. */
  raising: Raising | undefined;
  readonly #serial = new Serial();
  #branch: Branch;
  #stopLog: () => void;
  /** Epochs below this are gone from the store. */
  #dropped = 0;

  /** Branches that lost; undefined as long as there are none. */
  #asides: Asides | undefined;
  /** Blocks of this log that somebody else is known to have, since it was opened. */
  #shown = 0;

  private constructor(log: Log, options: TrunkOptions) {
    this.options = options;
    this.writer = options.newWriter?.(this);
    this.#branch = this.branchOf(log);
    this.#stopLog = passOn(log, this.events);
  }

  /** Opens what the store holds of `log`'s key, and ends what a crash has left unfinished. */
  static async open(log: Log, options: TrunkOptions): Promise<Trunk> {
    const trunk = new Trunk(log, options);
    await trunk.#branch.follow();
    if ((await options.store.asides(log.key)).length > 0) {
      await (await trunk.settling()).openAsides();
    } else if (trunk.writer === undefined) {
      // Who writes may have compacted it, and finds out first whether others have heard of that.
      await trunk.dropOld();
    }
    return trunk;
  }

  /** The branch; another one after a log took the place of this one's. */
  get branch(): Branch {
    return this.#branch;
  }

  /** Branches that lost, and wait for a writer. */
  get asides(): readonly Aside[] {
    return this.#asides?.all ?? [];
  }

  /** Where they are kept; read anew from the store by {@link loadAsides}. */
  async keptAside(): Promise<Asides> {
    return this.#asides ?? await this.loadAsides();
  }

  /** Looks at what the store keeps. */
  async loadAsides(): Promise<Asides> {
    this.#asides = await (await this.settling()).readAsides();
    return this.#asides;
  }

  /** How many blocks of this log others have: what is past them can give way unseen. */
  get shown(): number {
    return this.#shown;
  }

  /** There are others, and they have so many blocks of the log of that epoch. */
  show(blocks: number, epoch: number): void {
    if (epoch !== this.#branch.log.epoch) return;
    this.#shown = Math.max(this.#shown, blocks);
    this.writer?.passOn(blocks);
  }

  /** Of the log that goes on now, others have so many blocks. */
  showNow(blocks: number): void {
    this.#shown = blocks;
  }

  /** Whether `source` is bringing a log of a later epoch. */
  isRaisedBy(source: unknown): boolean {
    return this.raising?.source === source;
  }

  /** What `source` was bringing does not come from it any more. */
  release(source: unknown): void {
    if (this.isRaisedBy(source)) this.endRaising();
  }

  /** See `Repo.receive`. */
  async receive(run: Run, source: unknown): Promise<{ length: number; complete: boolean }> {
    while (this.raising !== undefined && !this.isRaisedBy(source)) await this.raising.ended;
    return await this.#inStep(async () => {
      const { log } = this.#branch;
      if (run.head.epoch > log.epoch && !log.isEmpty) {
        return await (await this.settling()).raise(run, source);
      }
      const received = await log.receive(run, source);
      this.show(received.length, log.epoch);
      if (received.complete) await this.#follow();
      return received;
    });
  }

  /**
   * Lets `log`, a branch of this one that holds what a peer has written instead, take its place. With
   * a signer what was written here is merged into it first, and signed.
   */
  replace(log: Log, source?: unknown): Promise<void> {
    return this.#inStep(async () => await (await this.settling()).replace(log, source));
  }

  /** Takes over what another process may have written to the store. */
  refresh(): Promise<void> {
    return this.#serial.run(() => this.#refresh());
  }

  async #refresh(): Promise<void> {
    const found = await this.#branch.log.refresh();
    if (found === "longer") await this.#follow();
    if (found === "replaced") await this.overtaken();
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

  /** A branch that can be written if this one can. */
  branchOf(log: Log): Branch {
    return new Branch(log, this.writer?.writerOf(log));
  }

  /** After the head moved on: makes its record the state, or merges what was written meanwhile. */
  async #follow(): Promise<void> {
    const branch = this.#branch;
    const before = branch.snapshot;
    const isNew = !branch.log.isDirty && await branch.follow();
    if (branch.log.isDiverged) await this.writer?.flushNow();
    if (isNew) {
      this.events.emit("change", { record: this.#branch.record!, before, isLocal: false });
    }
    await this.tidy();
  }

  /** Runs `work` when it is its turn. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work);
  }

  /** The same, with what settles. */
  settle<T>(work: (settling: Settling) => Promise<T>): Promise<T> {
    return this.#serial.run(async () => await work(await this.settling()));
  }

  /** See `Settling.takeIn`. */
  takeIn(log: Log): Promise<void> {
    return this.settle((settling) => settling.takeIn(log));
  }

  /** Goes on from what another process or device has stored in this log's place. */
  async overtaken(): Promise<void> {
    await (await this.settling()).overtaken();
  }

  /** What settles. */
  async settling(): Promise<Settling> {
    const { Settling } = await loadSettling();
    return new Settling(this);
  }

  /** Goes on from `branch`, which is another log's. */
  swap(branch: Branch, { sharedBytes, isStored = false }: Succession): void {
    const { log: old, snapshot: before } = this.#branch;
    // Older snapshots read what is at hand, or say that a block is missing: never other bytes. An epoch
    // before is there until it is dropped.
    const isRaised = branch.log.epoch !== old.epoch;
    old.stored.cut(isRaised ? Number.MAX_SAFE_INTEGER : sharedBytes);
    this.#stopLog();
    this.#stopLog = passOn(branch.log, this.events);
    this.#branch = branch;
    this.events.emit("replaced", { sharedBytes });
    const { record, log: { head } } = branch;
    if (record !== undefined) this.events.emit("change", { record, before, isLocal: false });
    const advance = { from: 0, blocks: undefined, source: undefined };
    if (isStored && head !== undefined) this.events.emit("advance", { head, ...advance });
  }

  /** Nothing waits for a later epoch any more. */
  endRaising(): void {
    this.raising?.end();
    this.raising = undefined;
  }

  /** Forgets what is not needed any more: branches that were merged, epochs before. */
  async tidy(): Promise<void> {
    const { length } = this.asides;
    if (length > 0) await this.#asides!.settle(this.#branch);
    if (length > this.asides.length) this.events.emit("asides", this.asides.length);
    await this.dropOld();
  }

  /** See {@link dropOld}, when it is its turn. */
  dropLater(): void {
    this.#serial.run(() => this.dropOld()).catch((error) => this.events.emit("failed", error));
  }

  /** Forgets the epochs before the one that is durable now, for good. */
  async dropOld(): Promise<void> {
    const { head, key } = this.#branch.log;
    if (head === undefined || head.epoch <= this.#dropped || !this.options.isOwnStore) return;
    if (this.writer?.keepsBefore(head)) return;
    // A branch of an epoch before goes on from blocks of that epoch.
    if (this.asides.some((aside) => aside.head.epoch < head.epoch)) return;
    await this.options.store.drop(key, head.epoch);
    this.#dropped = head.epoch;
  }
}

/** Whether the store has another head by now. */
export function isConflict(error: unknown): boolean {
  return error instanceof StreamoError && error.code === "conflict";
}
