/** Everything of one key in a directory: one folder an epoch. */

import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import type { Block } from "../../core/log/block.ts";
import { appendBase, checkJoin } from "../../core/log/check_append.ts";
import { sameStored } from "../../core/log/head.ts";
import type { StoredHead } from "../../core/log/store.ts";
import { EpochLog, type FileContext } from "./epoch_log.ts";
import { attempt, namesIn, syncDirectory } from "./file_pool.ts";
import { removeDropped, setAside } from "./set_aside.ts";

/** Appends and drops of a key run one after the other; reads never wait. */
export class KeyLog {
  readonly #context: FileContext;
  readonly #directory: string;
  readonly #key: Key;
  /** No epoch here is above that of what is held. */
  readonly #epochs = new Map<number, EpochLog>();
  #stored: StoredHead | undefined;
  #sequence = 0;
  #writes: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** A write failed: what is held is to be read again from the disk. */
  #failed = false;

  private constructor(context: FileContext, directory: string, key: Key) {
    this.#context = context;
    this.#directory = directory;
    this.#key = key;
  }

  /** What `directory`, which need not exist, holds of `key`. */
  static open(context: FileContext, directory: string, key: Key): KeyLog {
    const log = new KeyLog(context, directory, key);
    log.#recover();
    return log;
  }

  /** What is held. */
  get stored(): StoredHead | undefined {
    this.#readAgain();
    return this.#stored;
  }

  /** Whether a write is waiting or under way. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** The log of one epoch. */
  epoch(epoch: number): EpochLog | undefined {
    this.#readAgain();
    return this.#epochs.get(epoch);
  }

  /** See `Store.append`. */
  append(
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    return this.#serialize(() => this.#append(expected, blocks, next));
  }

  /** See `Store.drop`. */
  drop(beforeEpoch: number): Promise<void> {
    return this.#serialize(() => this.#drop(beforeEpoch));
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await this.#writes;
  }

  async #serialize(act: () => Promise<void>): Promise<void> {
    this.#waiting++;
    const before = this.#writes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#writes = promise;
    try {
      await before;
      this.#readAgain();
      await act();
    } finally {
      this.#waiting--;
      resolve();
    }
  }

  async #append(
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    const base = appendBase(blocks, next);
    if (!sameStored(this.#stored, expected)) {
      const message = `the head of ${this.#key} is not the one expected`;
      throw new StreamoError("conflict", message, { key: this.#key });
    }
    const log = this.#epochs.get(next.epoch);
    const start = blocks.length > 0 ? blocks[0].start : next.bytes;
    checkJoin(base, log?.length ?? 0, start, log?.startOf(base) ?? 0);
    await this.#write(next.epoch, (log) => log.append(base, blocks, next, this.#sequence + 1));
    this.#stored = next;
    await this.#removeEpochs((epoch) => epoch > next.epoch);
  }

  async #drop(beforeEpoch: number): Promise<void> {
    const stored = this.#stored;
    if (stored === undefined) return;
    if (stored.epoch < beforeEpoch) {
      await this.#removeAll();
      return;
    }
    // A head is only held with its blocks: it goes first, so that a crash leaves no head without.
    if (stored.head !== undefined && stored.head.epoch < beforeEpoch) {
      const next = { ...stored, head: undefined };
      const { epoch, length } = stored;
      await this.#write(epoch, (log) => log.append(length, [], next, this.#sequence + 1));
      this.#stored = next;
    }
    await this.#removeEpochs((epoch) => epoch < beforeEpoch);
  }

  async #write(epoch: number, act: (log: EpochLog) => Promise<void>): Promise<void> {
    try {
      const log = this.#epochs.get(epoch) ?? await this.#create(epoch);
      await act(log);
      this.#epochs.set(epoch, log);
      this.#sequence = log.sequence;
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  async #create(epoch: number): Promise<EpochLog> {
    const path = this.#path(epoch);
    attempt("create", path, () => Deno.mkdirSync(path, { recursive: true }));
    await syncDirectory(this.#directory);
    await syncDirectory(this.#directory.slice(0, this.#directory.lastIndexOf("/")));
    return EpochLog.open(this.#context, path, this.#key, epoch);
  }

  async #removeEpochs(isGone: (epoch: number) => boolean): Promise<void> {
    for (const epoch of [...this.#epochs.keys()].filter(isGone)) {
      this.#epochs.delete(epoch);
      await setAside(this.#context, this.#path(epoch));
    }
  }

  async #removeAll(): Promise<void> {
    // Until this is done, nothing of the key can be trusted to be there.
    this.#failed = true;
    await setAside(this.#context, this.#directory);
    this.#epochs.clear();
    this.#stored = undefined;
    this.#failed = false;
  }

  #readAgain(): void {
    if (!this.#failed) return;
    this.#recover();
    this.#failed = false;
  }

  #recover(): void {
    this.#epochs.clear();
    this.#stored = undefined;
    this.#sequence = 0;
    removeDropped(this.#directory);
    for (const name of namesIn(this.#directory)) {
      if (!/^(0|[1-9]\d{0,9})$/.test(name)) continue;
      const epoch = Number(name);
      const log = EpochLog.open(this.#context, this.#path(epoch), this.#key, epoch);
      if (log.stored === undefined) continue;
      this.#epochs.set(epoch, log);
      if (log.sequence < this.#sequence) continue;
      this.#sequence = log.sequence;
      this.#stored = log.stored;
    }
    // A crash can leave a higher epoch that was given up: a newer append is of a lower one.
    const newest = this.#stored?.epoch ?? 0;
    for (const epoch of [...this.#epochs.keys()]) if (epoch > newest) this.#epochs.delete(epoch);
  }

  #path(epoch: number): string {
    return `${this.#directory}/${epoch}`;
  }
}
