/** Several sources as one: what one of them serves wrong is refused, and the next one is asked. */

import type { Reading } from "../codec/reading.ts";
import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import { type Block, findBlock } from "./block.ts";
import { verifyConsistency } from "./consistency_proof.ts";
import { sameHead, type VerifiedHead, verifyHead } from "./head.ts";
import { type BlockSource, checkProven, type ProvenBlocks } from "./source.ts";

/** Gets what a source served wrong, or could not serve; `data.source` is its name. */
export type OnRefused = (error: StreamoError) => void;

/** Asks sources in order, and believes nothing but what a signature covers. */
export class Sources {
  readonly #sources: readonly BlockSource[];
  readonly #crypto: Crypto;
  readonly #onRefused: OnRefused | undefined;

  /** `onRefused` also hears of sources in whose place another one answered. */
  constructor(sources: readonly BlockSource[], crypto: Crypto, onRefused?: OnRefused) {
    this.#sources = sources;
    this.#crypto = crypto;
    this.#onRefused = onRefused;
  }

  /**
   * The newest head that the first good source has, verified: `held`, or one that is shown to extend
   * it; with blocks at its end. Where no source gives one, `held` stays; without it, undefined if none
   * of them has the key. Codes: `wrong_key`, `bad_signature`, `stale` (older than `held`), `conflict`
   * (not extending it), `bad_block`, and the sources'.
   */
  async newest(
    key: Key,
    held: VerifiedHead | undefined,
  ): Promise<{ head: VerifiedHead; end: Block[] } | undefined> {
    const failures: StreamoError[] = [];
    const newest = await this.#ask(failures, async (source) => {
      const found = await source.newest(key, held);
      if (found === undefined) {
        throw new StreamoError("not_found", `nothing is stored of ${key}`);
      }
      const head = await verifyHead(found.head, key, this.#crypto);
      if (held !== undefined) {
        if (sameHead(head, held)) return { head: held, end: [] };
        this.#checkExtends(head, held, found.extension);
      }
      return { head, end: found.end === undefined ? [] : this.#check(head, found.end) };
    });
    if (newest !== undefined) return newest;
    if (held !== undefined) return { head: held, end: [] };
    if (failures.every(({ code }) => code === "not_found")) return undefined;
    throw combine(failures);
  }

  /** The first blocks of [first, end) of `head`: one at least. */
  async blocks(head: VerifiedHead, first: number, end: number): Promise<Block[]> {
    return await this.#proven(async (source) => {
      const what = `block ${first}`;
      const blocks = this.#check(head, there(await source.blocks(head, first, end), what));
      const isRun = blocks.every(({ index }, i) => index === first + i);
      if (isRun && first + blocks.length <= end) return blocks;
      const found = blocks.map(({ index }) => index).join(", ");
      throw new StreamoError("bad_block", `blocks ${found} are not those from ${first} to ${end}`);
    });
  }

  /** The block of `head` that holds the byte at `address`, among others that `reading` may need. */
  async blockAt(head: VerifiedHead, address: number, reading?: Reading): Promise<Block[]> {
    return await this.#proven(async (source) => {
      const what = `the block that holds address ${address}`;
      const blocks = this.#check(head, there(await source.blockAt(head, address, reading), what));
      if (findBlock(blocks, address) !== undefined) return blocks;
      const found = blocks.map(({ index }) => index).join(", ");
      throw new StreamoError("bad_block", `${what} is not among blocks ${found}`);
    });
  }

  #check(head: VerifiedHead, proven: ProvenBlocks): Block[] {
    return checkProven(this.#crypto, head, proven);
  }

  async #proven<T>(ask: (source: BlockSource) => Promise<T>): Promise<T> {
    const failures: StreamoError[] = [];
    const found = await this.#ask(failures, ask);
    if (found === undefined) throw combine(failures);
    return found;
  }

  #checkExtends(
    head: VerifiedHead,
    held: VerifiedHead,
    extension: readonly Uint8Array[],
  ): void {
    if (head.epoch > held.epoch) return;
    if (head.epoch < held.epoch || head.blocks < held.blocks) {
      throw new StreamoError("stale", `a head of ${head.blocks} blocks is older than the one held`);
    }
    const message = `a head of ${head.blocks} blocks is not shown to extend ${held.blocks}`;
    // Two heads of one length are a fork whatever a source proves.
    if (head.blocks === held.blocks) throw new StreamoError("conflict", message);
    try {
      verifyConsistency(this.#crypto, held, head, extension);
    } catch (cause) {
      throw new StreamoError("conflict", message, {}, { cause });
    }
  }

  /** What the first source gives for which `ask` does not throw; undefined if none does. */
  async #ask<T>(
    failures: StreamoError[],
    ask: (source: BlockSource) => Promise<T>,
  ): Promise<T | undefined> {
    for (const source of this.#sources) {
      try {
        return await ask(source);
      } catch (error) {
        if (!(error instanceof StreamoError)) throw error;
        const { code, message, data } = error;
        const named = { ...data, source: source.name };
        const failure = new StreamoError(code, `${source.name}: ${message}`, named, {
          cause: error,
        });
        failures.push(failure);
        this.#onRefused?.(failure);
      }
    }
    return undefined;
  }
}

function there(proven: ProvenBlocks | undefined, what: string): ProvenBlocks {
  if (proven !== undefined) return proven;
  throw new StreamoError("missing_block", `${what} is not there`);
}

/** One error for all: its code is the first's; which one matters most only people can tell. */
function combine(failures: readonly StreamoError[]): StreamoError {
  if (failures.length === 0) throw new TypeError("no source was given to read blocks from");
  const [first] = failures;
  if (failures.length === 1) return first;
  const message = failures.map(({ message }) => message).join("; ");
  return new StreamoError(first.code, message, { ...first.data, failures }, { cause: first });
}
