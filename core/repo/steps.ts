/** What one branch is to bring to another: step by step, without what is there already. */

import { untilThere } from "../codec/chunks.ts";
import type { Branch } from "./branch.ts";
import { type CitedHead, citedHeads, commonOfAll, isCited } from "./cited_heads.ts";
import { citedSince } from "./cited_since.ts";
import { hasPrefix } from "./known_heads.ts";
import { bytesAt, type Parting } from "./parting.ts";
import { findRecord, type LogRecord } from "./record.ts";
import { loadRecords, MERGE_MESSAGE } from "./taken_records.ts";

/** Merges within merges that are looked into: each was made by somebody who had merged the one before. */
const DEPTH = 8;

/** A state of one of the branches. */
export interface State {
  readonly of: Branch;
  /** Undefined before the first. */
  readonly record: LogRecord | undefined;
}

/** One change of a branch: its own, or what a merge brought. */
export interface Step {
  readonly before: State;
  readonly after: { readonly of: Branch; readonly record: LogRecord };
  /** What leads from one to the other, oldest first. */
  readonly records: readonly LogRecord[];
  /** The heads that it brought, if it is a merge; the first has all that the others have. */
  readonly cites: readonly CitedHead[];
  /** What the other side has of what it brought: these steps, taken by `before`, are no change. */
  readonly known: readonly Step[];
}

/** A record, and the heads that it cites: those that it has merged, if that is what it does. */
interface Entry {
  readonly record: LogRecord;
  readonly heads: readonly CitedHead[];
  readonly isMerge: boolean;
}

/** A part of a branch: from a state on, up to an address. */
interface Stretch {
  readonly base: State;
  readonly branch: Branch;
  readonly from: number;
  readonly end: number;
}

/** The steps of `mine` past its `parting` from `theirs` up to `end`, oldest first, but for those that `theirs` has. */
export async function stepsOf(
  mine: Branch,
  theirs: Branch,
  { base, ownFrom, parts = [{ branch: mine, from: ownFrom }] }: Parting,
  end: number,
  sharedBytes: number,
): Promise<Step[]> {
  const finder = new Steps(sharedBytes);
  const steps: Step[] = [];
  let before: State = { of: base?.of ?? mine, record: base?.record };
  for (const { branch, from } of parts.toReversed()) {
    const own = { base: before, branch, from, end: branch === mine ? end : Infinity };
    steps.push(...await finder.of(own, theirs, Infinity, undefined, DEPTH));
    before = { of: branch, record: branch.record };
  }
  return steps;
}

/** Finds steps of two branches that are equal up to an address. */
class Steps {
  readonly #sharedBytes: number;
  readonly #entries = new Map<Branch, Promise<Entry[]>>();
  readonly #citedHeads = new Map<Branch, Promise<CitedHead[]>>();

  constructor(sharedBytes: number) {
    this.#sharedBytes = sharedBytes;
  }

  /** Those of a stretch that `others` lacks in what it has below `end`, as far as they are within heads. */
  async of(
    stretch: Stretch,
    others: Branch,
    end: number,
    within: readonly CitedHead[] | undefined,
    depth: number,
  ): Promise<Step[]> {
    const { branch } = stretch;
    const ownEnd = within === undefined ? Infinity : await bytesWithin(branch, within);
    const steps: Step[] = [];
    for (const { before, entries } of split(stretch, await this.#past(stretch))) {
      const known: Step[] = [];
      const [{ record, heads, isMerge }] = entries;
      const last = entries.findLast(({ record: { address } }) => address < ownEnd);
      if (isMerge) {
        const isWithin = last !== undefined || isCited(heads[0], within!);
        if (!isWithin || await this.#has(others, end, heads[0])) continue;
        if (depth > 0) {
          const lacking = await this.#lacking(others, end, branch, record.address);
          known.push(...await this.of(lacking, branch, record.address, heads, depth - 1));
        }
      } else if (last === undefined) continue;
      const after = { of: branch, record: last?.record ?? record };
      const records = entries.map(({ record }) => record)
        .filter(({ address }) => address <= after.record.address);
      steps.push({ before, after, records, cites: isMerge ? heads : [], known });
    }
    return steps;
  }

  /** What `branch` has below `end` past what `others` has of its log below `othersEnd`. */
  async #lacking(
    branch: Branch,
    end: number,
    others: Branch,
    othersEnd: number,
  ): Promise<Stretch> {
    const cited = await this.#cited(others, othersEnd);
    const from = Math.max(this.#sharedBytes, await bytesWithin(branch, cited));
    const { space, record: newest } = branch;
    const record = newest &&
      await untilThere(() => findRecord(space, newest, ({ address }) => address < from));
    return { base: { of: branch, record }, branch, from, end };
  }

  /** Whether `branch` has all that a head covers in what it has below `end`. */
  async #has(branch: Branch, end: number, head: CitedHead): Promise<boolean> {
    const { log } = branch;
    if (isCited(head, await this.#cited(branch, end))) return true;
    return await hasPrefix(log, head) && (await log.extentAt(head.blocks)).bytes <= end;
  }

  async #cited(branch: Branch, end: number): Promise<readonly CitedHead[]> {
    // Asked for each merge: of a whole branch it needs no records.
    if (end === Infinity) return await this.#citedAll(branch);
    const entries = (await this.#all(branch)).filter(({ record }) => record.address < end);
    return entries.flatMap(({ heads }) => heads);
  }

  /** The records of a stretch, oldest first. */
  async #past({ branch, from, end }: Stretch): Promise<Entry[]> {
    const entries = await (this.#entries.get(branch) ?? entriesFrom(branch, from));
    return entries.filter(({ record: { address } }) => address >= from && address < end);
  }

  /** The records of `branch` past what both have, oldest first. */
  #all(branch: Branch): Promise<Entry[]> {
    return memo(this.#entries, branch, () => entriesFrom(branch, this.#sharedBytes));
  }

  #citedAll(branch: Branch): Promise<CitedHead[]> {
    return memo(this.#citedHeads, branch, () => citedSince(branch, this.#sharedBytes));
  }
}

function memo<T>(known: Map<Branch, T>, branch: Branch, make: () => T): T {
  const found = known.get(branch) ?? make();
  known.set(branch, found);
  return found;
}

/** The records of `branch` from an address on, oldest first. */
async function entriesFrom(branch: Branch, from: number): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const record of await loadRecords(branch, from)) {
    entries.push(await untilThere(() => entryOf(branch, record)));
  }
  return entries.reverse();
}

function entryOf({ space }: Branch, record: LogRecord): Entry {
  const { message, hasEvent, citesItem } = record;
  // What an event came from is not here with it, but with the merge that follows.
  const heads = hasEvent || citesItem === undefined ? [] : citedHeads(space, citesItem);
  return { record, heads, isMerge: message === MERGE_MESSAGE && heads.length > 0 };
}

/** Runs of records without merges, and merges one by one. */
function* split(
  { base, branch: of }: Stretch,
  entries: readonly Entry[],
): Generator<{ before: State; entries: Entry[] }> {
  let before = base;
  let run: Entry[] = [];
  for (const entry of entries) {
    const isEnd = entry.isMerge || run[0]?.isMerge;
    if (isEnd && run.length > 0) {
      yield { before, entries: run };
      before = { of, record: run.at(-1)!.record };
      run = [];
    }
    run.push(entry);
  }
  if (run.length > 0) yield { before, entries: run };
}

/** How many bytes of the log of `branch`, at least, heads have. */
async function bytesWithin(branch: Branch, heads: readonly CitedHead[]): Promise<number> {
  return await bytesAt(branch, await commonOfAll(branch.log, heads));
}
