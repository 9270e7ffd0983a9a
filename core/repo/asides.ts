/**
 * Branches that lost against the log of their key, kept beside it. Whoever acknowledged them keeps
 * them until a record of the log says that they were merged.
 */

import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import { type Aside, type AsideBranch, asideName, decodeAside, encodeAside } from "../log/aside.ts";
import { memoryOf } from "../log/block.ts";
import { proveFork } from "../log/fork_proof.ts";
import type { Head, VerifiedHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import type { Branch } from "./branch.ts";
import { takenSince } from "./cited_since.ts";
import { hasPrefix } from "./known_heads.ts";

/** Branches kept of one key. */
export const ASIDES_MAX = 16;
/** What their blocks take in memory, in all: they are there when they are kept, sent or merged. */
export const ASIDES_BYTES: number = 16 * 2 ** 20;

/** What is kept aside of one key. */
export class Asides {
  readonly #store: Store;
  readonly #key: Key;
  #all: readonly Aside[];
  /** Nothing that is kept is cited by the records up to `#seen` of `#branch`. */
  #branch: Branch | undefined;
  #seen = 0;

  private constructor(store: Store, key: Key, all: readonly Aside[]) {
    this.#store = store;
    this.#key = key;
    this.#all = all;
  }

  /** What `store` keeps of `key`. */
  static async open(store: Store, key: Key): Promise<Asides> {
    const all: Aside[] = [];
    for (const name of await store.asides(key)) {
      const bytes = await store.aside(key, name);
      if (bytes === undefined) continue;
      const { head, from, start } = decodeAside(key, bytes);
      all.push({ head, from, start });
    }
    return new Asides(store, key, all);
  }

  /** All of them, without their blocks. */
  get all(): readonly Aside[] {
    return this.#all;
  }

  /** The one under `head`. */
  find(head: Pick<Head, "epoch" | "root">): Aside | undefined {
    const name = asideName(head);
    return this.#all.find((aside) => asideName(aside.head) === name);
  }

  /** Keeps `branch`; `too_large` past the limits: then nothing has changed. */
  async keep(branch: AsideBranch): Promise<void> {
    const { head, from, start } = branch;
    const others = this.#all.filter((aside) => asideName(aside.head) !== asideName(head));
    const bytes = [...others, branch].reduce((sum, aside) => sum + memoryOfAside(aside), 0);
    if (others.length >= ASIDES_MAX || bytes > ASIDES_BYTES) {
      const message = `cannot keep ${bytes} bytes in ${
        others.length + 1
      } branches of ${this.#key} aside`;
      throw new StreamoError("too_large", message, { key: this.#key });
    }
    await this.#store.keepAside(this.#key, asideName(head), encodeAside(branch));
    this.#all = [...others, { head, from, start }];
    this.#branch = undefined;
  }

  /** Keeps `branch`, which is held in memory. */
  async keepBranch(branch: Log): Promise<void> {
    const blocks = branch.heldBlocks.map(({ bytes }) => bytes);
    await this.keep({
      head: branch.newest!,
      from: branch.length,
      start: branch.sealedBytes,
      blocks,
    });
  }

  /**
   * Keeps what `log` has past what it shares with `winner`, which is about to take its place, unless that
   * has taken it in; what was kept before and parts from `log` later is kept from there on too. Gives
   * the head that lost, if one does.
   */
  async keepLoser(
    log: Log,
    winner: Branch,
  ): Promise<VerifiedHead | undefined> {
    const { head } = log;
    const isFork = head?.epoch === winner.log.epoch && !await hasPrefix(winner.log, head);
    if (!isFork) return undefined;
    const { length: from, sealedBytes: start } = winner.log;
    const bytes = memoryOfAside({ head, from, start });
    if (bytes > ASIDES_BYTES) {
      const message = `cannot keep ${bytes} bytes of ${this.#key} aside`;
      throw new StreamoError("too_large", message, { key: this.#key });
    }
    const tail: Uint8Array[] = [];
    for await (const { bytes } of log.blocks(from, head.blocks)) tail.push(bytes);
    for (const aside of this.#all) {
      if (aside.head.epoch !== head.epoch || aside.from <= from) continue;
      const { blocks } = await this.#read(aside);
      const whole = [...tail.slice(0, aside.from - from), ...blocks];
      await this.keep({ head: aside.head, from, start, blocks: whole });
    }
    const taken = await takenSince(winner, start, [head]);
    if (taken.length === 0) await this.keep({ head, from, start, blocks: tail });
    return head;
  }

  /** `aside` as a branch of `log`, verified. */
  async branchOf(aside: Aside, log: Log): Promise<Log> {
    const { head, from, blocks } = await this.#read(aside);
    const branch = await log.branch(from, head.epoch);
    await branch.hold({ head, first: from, blocks, proof: [] });
    return branch;
  }

  /** The proof that `lost` and the stored `log` are two branches, if what lost is kept. */
  async proofOf(lost: Head, log: Log): Promise<Uint8Array | undefined> {
    const aside = this.find(lost);
    if (aside === undefined) return undefined;
    const { head, from, start, blocks } = await this.#read(aside);
    let at = start;
    const placed = blocks.map((bytes, i) => {
      const block = { index: from + i, start: at, bytes };
      at += bytes.length;
      return block;
    });
    const stored = { head: log.head!, proofs: await log.proofs() };
    return await proveFork(log.crypto, stored, { head, blocks: placed });
  }

  /** Forgets `aside`. */
  async forget({ head }: Aside): Promise<void> {
    const name = asideName(head);
    await this.#store.keepAside(this.#key, name, undefined);
    this.#all = this.#all.filter((aside) => asideName(aside.head) !== name);
  }

  /** Forgets those that `branch` has: as its records say, or because it begins with them. */
  async settle(branch: Branch): Promise<void> {
    const { log, record } = branch;
    // Records that came since the last look are looked at once.
    const since = this.#branch === branch
      ? this.#seen + 1
      : Math.min(...this.#all.map(({ head, start }) => head.epoch === log.epoch ? start : 0));
    const heads = this.#all.map(({ head }) => head);
    const taken = new Set(await takenSince(branch, since, heads));
    for (const aside of this.#all) {
      if (taken.has(aside.head) || await hasPrefix(log, aside.head)) await this.forget(aside);
    }
    this.#branch = branch;
    this.#seen = record?.address ?? -1;
  }

  async #read({ head }: Aside): Promise<AsideBranch> {
    const name = asideName(head);
    const bytes = await this.#store.aside(this.#key, name);
    if (bytes !== undefined) return decodeAside(this.#key, bytes);
    throw new StreamoError("not_found", `no branch "${name}" of ${this.#key} is kept aside`);
  }
}

/** What the blocks that are kept of a branch take in memory. */
export function memoryOfAside({ head, from, start }: Aside): number {
  return memoryOf(head.blocks - from, head.bytes - start);
}
