/** Several sources as one: what one of them serves wrong is refused, and the next one is asked. */

import { StreamoError } from "../errors.ts";
import type { Crypto } from "../identity/crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Block } from "./block.ts";
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
   * it. Where no source gives one, `held` stays; without it, undefined if none of them has the key.
   * Codes: `wrong_key`, `bad_signature`, `stale` (older than `held`), `conflict` (not extending it),
   * and the sources'.
   */
  async head(key: Key, held: VerifiedHead | undefined): Promise<VerifiedHead | undefined> {
    const failures: StreamoError[] = [];
    const head = await this.#ask(failures, async (source) => {
      const found = await source.head(key);
      if (found === undefined) {
        throw new StreamoError("not_found", `nothing is stored of ${key}`);
      }
      const head = await verifyHead(found, key, this.#crypto);
      if (held === undefined) return head;
      if (sameHead(head, held)) return held;
      await this.#checkExtends(source, head, held);
      return head;
    });
    if (head !== undefined || held !== undefined) return head ?? held;
    if (failures.every(({ code }) => code === "not_found")) return undefined;
    throw combine(failures);
  }

  /** Blocks [first, end) of `head`. */
  async blocks(
    head: VerifiedHead,
    first: number,
    end: number,
  ): Promise<{ placed: Block[]; proof: readonly Uint8Array[] }> {
    return await this.#proven(async (source) => {
      const proven = there(await source.blocks(head, first, end), `block ${first}`);
      if (proven.first !== first || proven.blocks.length !== end - first) {
        const found = `${proven.blocks.length} blocks from ${proven.first}`;
        throw new StreamoError("bad_block", `${found} are not blocks ${first} to ${end}`);
      }
      return { placed: checkProven(this.#crypto, head, proven), proof: proven.proof };
    });
  }

  /** The block of `head` that holds the byte at `address`. */
  async blockAt(head: VerifiedHead, address: number): Promise<Block> {
    return await this.#proven(async (source) => {
      const what = `the block that holds address ${address}`;
      const proven = there(await source.blockAt(head, address), what);
      const [block, ...others] = checkProven(this.#crypto, head, proven);
      const holds = address >= block.start && address < block.start + block.bytes.length;
      if (holds && others.length === 0) return block;
      throw new StreamoError("bad_block", `block ${proven.first} is not ${what}`);
    });
  }

  async #proven<T>(ask: (source: BlockSource) => Promise<T>): Promise<T> {
    const failures: StreamoError[] = [];
    const found = await this.#ask(failures, ask);
    if (found === undefined) throw combine(failures);
    return found;
  }

  async #checkExtends(source: BlockSource, head: VerifiedHead, held: VerifiedHead): Promise<void> {
    if (head.epoch > held.epoch) return;
    if (head.epoch < held.epoch || head.blocks < held.blocks) {
      throw new StreamoError("stale", `a head of ${head.blocks} blocks is older than the one held`);
    }
    const message = `a head of ${head.blocks} blocks is not shown to extend ${held.blocks}`;
    // Two heads of one length are a fork whatever a source proves.
    if (head.blocks === held.blocks) throw new StreamoError("conflict", message);
    const proof = await source.consistency(head, held.blocks);
    try {
      verifyConsistency(this.#crypto, held, head, proof ?? []);
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
