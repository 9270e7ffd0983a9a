/** The log of the next epoch: the present value, and the last records if they are asked for. */

import { untilThere } from "../codec/chunks.ts";
import { encode } from "../codec/encode.ts";
import type { Item } from "../codec/value.ts";
import type { Branch } from "./branch.ts";
import { citedHeads, citeEnd, citeEnds } from "./cited_heads.ts";
import type { CitedHead } from "./cited_heads.ts";
import { epochStart, isMarked, MESSAGE } from "./epoch_start.ts";
import { walkRecords } from "./history.ts";
import { loaded, loadHistory } from "./load_history.ts";
import { LogCopy } from "./log_copy.ts";
import { type LogRecord, readRecord } from "./record.ts";

/** Bytes that are made durable at a time. */
const STEP_BYTES = 4 * 2 ** 20;

/** Records that are searched for heads that were taken in. */
const TAKEN_RECORDS = 100_000;

/** What compaction takes along. */
export interface CompactOptions {
  /** How many of the last records stay, with their events, messages, times and states; 0 by default. */
  readonly keepRecords?: number;
}

/** The heads that `branch` has taken in up to `newest`, and where epochs before ended, the last one first. */
async function takenIn(branch: Branch, newest: LogRecord): Promise<CitedHead[]> {
  const start = await epochStart(branch);
  const taken: CitedHead[] = [];
  const from = Math.max(start?.record.seq ?? newest.first, newest.seq - TAKEN_RECORDS);
  const { space } = branch;
  for await (
    const { citesItem } of loaded(walkRecords(space, newest, { last: newest.seq - from }))
  ) {
    if (citesItem === undefined) continue;
    const cited = await untilThere(() => citedHeads(space, citesItem));
    for (const head of cited) if (isMarked(head)) taken.push(head);
  }
  return [...taken, ...start?.ends ?? []];
}

/** Copies what is to stay of one branch into another, which is empty and of the next epoch. */
export class Compaction {
  readonly #from: Branch;
  readonly #to: Branch;
  readonly #copy: LogCopy;
  /** The newest record that was copied, and its value in the new log. */
  #newest: LogRecord | undefined;
  #root: Item;

  constructor(from: Branch, to: Branch) {
    this.#from = from;
    this.#to = to;
    const stage = () => to.log.pendingBytes >= STEP_BYTES ? to.log.stage() : undefined;
    this.#copy = new LogCopy(from.space, to.space, stage);
  }

  /** Copies what the sealed head of the old log covers. */
  async run({ keepRecords = 0 }: CompactOptions): Promise<void> {
    const from = this.#from;
    const head = from.log.head!;
    const { space } = from;
    const newest = await untilThere(() => readRecord(space, head.record!));
    const kept = await Array.fromAsync(loaded(walkRecords(space, newest, { last: keepRecords })));
    const taken = await takenIn(from, newest);
    const end = await citeEnd(from.log, head);
    for (const record of kept.reverse()) await this.#take(record);
    if (kept.length === 0) this.#root = await this.#copy.copy(newest.root);
    const cites = encode(this.#to.space, citeEnds(end, taken));
    const content = { root: this.#root, message: MESSAGE, cites };
    // The value is as old as it was: compacting it wins no conflict.
    this.#to.append(content, newest.time, newest.seq + 1);
    this.#newest = newest;
  }

  /** Whether the new log has all records of the old one. */
  get isCurrent(): boolean {
    return this.#from.record?.seq === this.#newest?.seq;
  }

  /** Copies the records that came since. */
  async catchUp(): Promise<void> {
    const late = await Array.fromAsync(loadHistory(this.#from, { after: this.#newest!.seq }));
    for (const found of late) await this.#take(found);
  }

  async #take(record: LogRecord): Promise<void> {
    const { message, hasEvent } = record;
    const before = this.#newest;
    const root = before === undefined
      ? await this.#copy.copy(record.root)
      : await this.#copy.copyChange(before.root, record.root, this.#root);
    const event = await this.#copy.copy(record.event);
    const cites = await this.#copy.copy(record.citesItem);
    this.#to.append({ root, message, event, hasEvent, cites }, record.time, record.seq);
    this.#root = root;
    this.#newest = record;
  }
}
