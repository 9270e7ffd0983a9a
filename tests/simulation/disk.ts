/** Disks that keep what they have said to keep, and may be slow, full, or cut off in a write. */

import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import type { Block } from "../../core/log/block.ts";
import type { VerifiedHead } from "../../core/log/head.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store, StoredHead } from "../../core/log/store.ts";
import type { Chance } from "./chance.ts";
import type { Life } from "./life.ts";
import type { Timeline } from "./timeline.ts";

/** Looks at everything that a disk takes; throws what is wrong with it. */
export type Inspect = (key: Key, blocks: readonly Block[], next: StoredHead) => void;

/** Hears of what a process knows to be durable. */
export type OnStored = (key: Key, next: StoredHead) => void;

/** What outlives the processes that use it. */
export class Disk {
  /** What is durable. */
  readonly kept: MemoryStore = new MemoryStore();
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly inspect: Inspect;
  /** Whether blocks can be read without waiting: files can, databases cannot. */
  readonly isSync: boolean;
  /** Appends fail, and change nothing. */
  isFull = false;
  /** How long an access takes at most, in milliseconds. */
  slownessMs = 2;
  /** How often an append is done and reported as failed, of 1. */
  lostAnswers = 0;
  /** When the last append asked for is done: appends are made in their order. */
  #busyUntil = 0;
  readonly #heads = new Map<Key, VerifiedHead>();
  readonly #asides = new Map<Key, Set<string>>();

  constructor(timeline: Timeline, chance: Chance, inspect: Inspect, isSync: boolean) {
    this.timeline = timeline;
    this.chance = chance;
    this.inspect = inspect;
    this.isSync = isSync;
  }

  /** The store of one process; `onStored` hears of appends when the process does. */
  open(life: Life, onStored: OnStored = () => {}): Store {
    const store = new DiskStore(this, life, onStored);
    if (!this.isSync) return store;
    const blockAtSync: Store["blockAtSync"] = (...where) => this.kept.blockAtSync(...where);
    return Object.assign(store, { blockAtSync });
  }

  /** The head that is durable now. */
  headNow(key: Key): VerifiedHead | undefined {
    return this.#heads.get(key);
  }

  /** An append was made. */
  appended(key: Key, head: VerifiedHead | undefined): void {
    if (head !== undefined) this.#heads.set(key, head);
  }

  /** How many branches are kept aside now. */
  asidesNow(key: Key): number {
    return this.#asides.get(key)?.size ?? 0;
  }

  /** A branch is kept aside, or not any more. */
  keptAside(key: Key, name: string, isKept: boolean): void {
    const asides = this.#asides.get(key) ?? new Set();
    this.#asides.set(key, asides);
    if (isKept) asides.add(name);
    else asides.delete(name);
  }

  /** How long until a write that is asked for now is done. */
  writeDelay(): number {
    const { now } = this.timeline;
    this.#busyUntil = Math.max(this.#busyUntil + 0.01, now + this.delay());
    return this.#busyUntil - now;
  }

  /** How long something takes. */
  delay(): number {
    return this.chance.skewed(0.01, this.slownessMs);
  }
}

/** A process's way to a disk. When the process is gone a write was made wholly or not at all. */
class DiskStore implements Store {
  readonly #disk: Disk;
  readonly #life: Life;
  readonly #onStored: OnStored;

  constructor(disk: Disk, life: Life, onStored: OnStored) {
    this.#disk = disk;
    this.#life = life;
    this.#onStored = onStored;
  }

  async head(key: Key): Promise<StoredHead | undefined> {
    await this.#wait();
    return await this.#disk.kept.head(key);
  }

  async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    const disk = this.#disk;
    await this.#write(async () => {
      if (disk.isFull) throw full();
      disk.inspect(key, blocks, next);
      await disk.kept.append(key, expected, blocks, next);
      disk.appended(key, next.head);
      if (disk.chance.is(disk.lostAnswers)) {
        throw new StreamoError("storage", "the answer of the disk was lost");
      }
    });
    this.#onStored(key, next);
  }

  async *blocks(key: Key, epoch: number, from: number, to: number): AsyncIterable<Block> {
    let count = 0;
    for await (const block of this.#disk.kept.blocks(key, epoch, from, to)) {
      if (count++ % 8 === 0) await this.#wait();
      yield block;
    }
  }

  async blockAt(key: Key, epoch: number, address: number): Promise<Block | undefined> {
    await this.#wait();
    return await this.#disk.kept.blockAt(key, epoch, address);
  }

  async hashes(key: Key, epoch: number, from: number, to: number): Promise<Uint8Array> {
    await this.#wait();
    return await this.#disk.kept.hashes(key, epoch, from, to);
  }

  keys(): AsyncIterable<Key> {
    return this.#disk.kept.keys();
  }

  drop(key: Key, beforeEpoch: number): Promise<void> {
    return this.#write(() => this.#disk.kept.drop(key, beforeEpoch));
  }

  async asides(key: Key): Promise<string[]> {
    await this.#wait();
    return await this.#disk.kept.asides(key);
  }

  async aside(key: Key, name: string): Promise<Uint8Array | undefined> {
    await this.#wait();
    return await this.#disk.kept.aside(key, name);
  }

  keepAside(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    return this.#write(async () => {
      if (this.#disk.isFull && bytes !== undefined) throw full();
      await this.#disk.kept.keepAside(key, name, bytes);
      this.#disk.keptAside(key, name, bytes !== undefined);
    });
  }

  async close(): Promise<void> {}

  #wait(): Promise<void> {
    return new Promise((resolve) => void this.#life.after(this.#disk.delay(), resolve));
  }

  /** The process may die before the write, and between the write and its answer. */
  #write(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#life.after(this.#disk.writeDelay(), () => {
        // Made now: the store in memory changes before it returns its promise.
        const written = work();
        const answer = (then: () => void) => void this.#life.after(this.#disk.delay(), then);
        written.then(() => answer(resolve), (error) => answer(() => reject(error)));
      });
    });
  }
}

function full(): StreamoError {
  return new StreamoError("storage", "no space left on the disk");
}
