/** What a store holds of one log, and how it gets more. */

import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Block } from "./block.ts";
import { sameStored, type VerifiedHead } from "./head.ts";
import { late } from "../late.ts";
import type { Proofs } from "./proofs.ts";
import { rootOf } from "./merkle.ts";
import { EMPTY, type Extent, type Position } from "./run.ts";
import type { Store, StoredHead } from "./store.ts";

const loadProofs = late(() => import("./proofs.ts"));

/** What a store holds of a key: one for a log, its branches and the logs of later epochs. */
interface Slot {
  stored: StoredHead | undefined;
}

/** The stored blocks of one key and epoch. Changes nothing that it does not expect. */
export class Held {
  readonly #store: Store;
  readonly #key: Key;
  readonly #crypto: Crypto;
  #epoch: number;
  #slot: Slot;
  #extent: Extent = EMPTY;
  #proofs: Proofs | undefined;

  /** Nothing, of an epoch of `key`. */
  private constructor(store: Store, key: Key, crypto: Crypto, slot: Slot, epoch: number) {
    this.#store = store;
    this.#key = key;
    this.#crypto = crypto;
    this.#slot = slot;
    this.#epoch = epoch;
  }

  /** What `store` holds of the newest complete log of `key`, or of its first download. */
  static async open(store: Store, key: Key, crypto: Crypto): Promise<Held> {
    const stored = await store.head(key);
    const epoch = stored?.head?.epoch ?? stored?.epoch ?? 0;
    const held = new Held(store, key, crypto, { stored }, epoch);
    if (stored !== undefined) await held.#follow(stored);
    return held;
  }

  /** Which of the key's logs this is. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How far the blocks reach. */
  get extent(): Extent {
    return this.#extent;
  }

  /** The newest head that the store has of any epoch. */
  get newest(): VerifiedHead | undefined {
    return this.#slot.stored?.head;
  }

  /** The newest head of this epoch. */
  get head(): VerifiedHead | undefined {
    return this.newest?.epoch === this.epoch ? this.newest : undefined;
  }

  /** How far the blocks reach, and the root over them; `head` is the newest that is known. */
  position(head: VerifiedHead | undefined): Position {
    const { length, frontier } = this.#extent;
    // Every subscriber asks at every advance: the head states what the frontier would add up to.
    const root = head?.blocks === length ? head.root : rootOf(this.#crypto, frontier);
    return { epoch: this.epoch, blocks: length, root };
  }

  /** What is there of a later epoch. */
  get staged(): Position | undefined {
    const { stored } = this.#slot;
    if (stored === undefined || stored.epoch <= this.epoch) return undefined;
    const { epoch, length: blocks, frontier } = stored;
    return { epoch, blocks, root: rootOf(this.#crypto, frontier) };
  }

  /** Whether the blocks here were replaced by a longer log of a lower epoch. */
  get isGivenUp(): boolean {
    return this.#extent.length > 0 && this.#slot.stored!.epoch < this.epoch;
  }

  /** Roots and proofs over the blocks. */
  async proofs(): Promise<Proofs> {
    const { Proofs } = await loadProofs();
    this.#proofs ??= new Proofs(this.#store, this.#key, this.epoch, this.#crypto);
    return this.#proofs;
  }

  /** The first `length` blocks of this epoch or an earlier one, for a branch. */
  async branch(length: number, epoch: number): Promise<Held> {
    const held = this.raise(epoch, false);
    held.#extent = await (epoch === this.epoch ? this : held).extentAt(length);
    return held;
  }

  /** Nothing of `epoch`; with `resume` what is there of it. */
  raise(epoch: number, resume: boolean): Held {
    const held = new Held(this.#store, this.#key, this.#crypto, this.#slot, epoch);
    const { stored } = this.#slot;
    if (resume && stored?.epoch === epoch) held.#extent = stored;
    return held;
  }

  /** From now on both know of each other's appends. */
  join(other: Held): void {
    this.#slot = other.#slot;
  }

  /** Makes `blocks` the last ones, under the newest head, or under `head`; see {@link Store.append}. */
  async append(
    blocks: readonly Block[],
    extent: Extent,
    epoch: number,
    head: VerifiedHead | undefined = this.newest,
  ): Promise<void> {
    const next: StoredHead = { ...extent, head, epoch };
    await this.#store.append(this.#key, this.#slot.stored, blocks, next).catch(async (error) => {
      // It may have been made and only its answer lost: then the store holds what nobody else can make.
      if (!sameStored(await this.#store.head(this.#key), next)) throw error;
    });
    // Hashes of blocks that were replaced are not to be remembered.
    const isAtEnd = next.length - blocks.length === this.#extent.length && epoch === this.epoch;
    if (!isAtEnd) this.#proofs = undefined;
    this.#slot.stored = next;
    this.#extent = next;
    this.#epoch = epoch;
  }

  /** Looks again; gives what the store holds. It is taken over unless it is of another epoch. */
  async refresh(): Promise<StoredHead | undefined> {
    const stored = await this.#store.head(this.#key);
    const head = stored?.head;
    if (head === undefined || head.epoch !== this.epoch && this.#extent.length > 0) return stored;
    this.#epoch = head.epoch;
    this.#proofs = undefined;
    this.#slot.stored = stored;
    await this.#follow(stored!);
    return stored;
  }

  /** What the store held at the last look. */
  get stored(): StoredHead | undefined {
    return this.#slot.stored;
  }

  /** How far the first `length` blocks reach; `bytes` if that is known. */
  async extentAt(length: number, bytes?: number): Promise<Extent> {
    const held = this.#extent;
    if (length !== held.length) return await (await this.proofs()).extent(length, bytes);
    return { length, bytes: held.bytes, frontier: held.frontier };
  }

  async #follow({ head, epoch, length, bytes, frontier }: StoredHead): Promise<void> {
    // Blocks of a higher epoch that are on their way belong to another log.
    this.#extent = epoch === this.epoch
      ? { length, bytes, frontier }
      : await (await this.proofs()).extent(head!.blocks, head!.bytes);
  }
}
