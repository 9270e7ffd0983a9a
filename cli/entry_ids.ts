/** Names for what a repo holds at an address, which stay right when a part of its log is replaced. */

import { toHex } from "../core/hex.ts";
import type { Repo } from "../core/repo/repo.ts";
import { writeAtomic } from "./write_atomic.ts";

/** More replaced parts than this are not worth telling apart: all names become new once. */
const RANGES_MAX = 64;

/** Addresses from `from` on (up to the next range) have meant the same since they got `tag`. */
interface Range {
  readonly from: number;
  readonly tag: string;
}

/** What the file holds: the ranges, and the log that they are about. */
interface Saved {
  readonly blocks: number;
  readonly root: string;
  readonly ranges: readonly Range[];
}

/** The names of addresses in one repo, kept in a file across runs. */
export class EntryIds {
  readonly #repo: Repo;
  readonly #file: string;
  #ranges: readonly Range[];
  #saved = "";

  private constructor(repo: Repo, file: string, ranges: readonly Range[]) {
    this.#repo = repo;
    this.#file = file;
    this.#ranges = ranges;
    repo.on("replaced", ({ sharedBytes }) => this.#replaced(sharedBytes));
  }

  /** Goes on with the names in `file`, unless they are about another log than the repo has now. */
  static async open(repo: Repo, file: string): Promise<EntryIds> {
    const saved = await readSaved(file);
    const root = saved && await repo.log.rootAt(saved.blocks);
    const isSame = root !== undefined && toHex(root) === saved!.root;
    return new EntryIds(repo, file, isSame ? saved!.ranges : [freshRange(0)]);
  }

  /** The name of what is at `address`. */
  of(address: number): string {
    return `${this.#tagAt(address)}:${address}`;
  }

  /** The address that `id` names, if what it named is still there. */
  address(id: string): number | undefined {
    const [tag, digits] = id.split(":");
    const address = Number(digits);
    return /^\d+$/.test(digits ?? "") && this.#tagAt(address) === tag ? address : undefined;
  }

  /** Makes the names last: call it before anybody else writes them down. */
  async save(): Promise<void> {
    const { head } = this.#repo;
    const saved: Saved = {
      blocks: head?.blocks ?? 0,
      root: toHex(head?.root ?? await (await this.#repo.log.proofs()).root(0)),
      ranges: this.#ranges,
    };
    const text = JSON.stringify(saved);
    if (text === this.#saved) return;
    await writeAtomic(this.#file, text);
    this.#saved = text;
  }

  #tagAt(address: number): string {
    return this.#ranges.findLast(({ from }) => from <= address)!.tag;
  }

  #replaced(sharedBytes: number): void {
    const kept = this.#ranges.filter(({ from }) => from < sharedBytes);
    this.#ranges = kept.length < RANGES_MAX ? [...kept, freshRange(sharedBytes)] : [freshRange(0)];
    if (this.#ranges[0].from > 0) this.#ranges = [freshRange(0)];
  }
}

function freshRange(from: number): Range {
  return { from, tag: toHex(crypto.getRandomValues(new Uint8Array(6))) };
}

/** The file's content; undefined if there is none or it is not whole: then all names are new. */
async function readSaved(file: string): Promise<Saved | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const { blocks, root, ranges } = JSON.parse(text) as Saved;
    const fits = Number.isSafeInteger(blocks) && typeof root === "string" &&
      Array.isArray(ranges) && ranges[0]?.from === 0 &&
      ranges.every(({ from, tag }) => Number.isSafeInteger(from) && typeof tag === "string");
    return fits ? { blocks, root, ranges } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
