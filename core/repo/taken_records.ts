/** What a merge appends for the records of a branch that does not go on. */

import { encode } from "../codec/encode.ts";
import type { Value } from "../codec/value.ts";
import type { Head } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import { rootOf } from "../log/merkle.ts";
import { extend } from "../log/run.ts";
import type { Branch } from "./branch.ts";
import type { RecordContent } from "./branch_writer.ts";
import { type CitedHead, citedHeads, isCited } from "./cited_heads.ts";
import { copyItem } from "./copy.ts";
import { loadHistory } from "./load_history.ts";
import type { LogRecord } from "./record.ts";

/** Heads that a merge cites besides the one that it replaces: those that this one had merged. */
const CARRIED_MAX = 64;

/** The message of a record that merges. */
export const MERGE_MESSAGE = "merge";

/** Up to where a log reaches with one of its blocks. */
export interface Origin {
  /** Address of the first byte after it. */
  readonly end: number;
  /** The log up to there, as a record cites it. */
  readonly cited: CitedHead;
}

/** The origins in `log` for the blocks from `from` on that its `head` covers. */
export async function originsOf(log: Log, from: number, head: Head): Promise<Origin[]> {
  const origins: Origin[] = [];
  const { epoch, blocks } = head;
  let extent = await log.extentAt(from);
  const add = (bytes: Uint8Array) => {
    extent = extend(log.crypto, extent, [bytes]).extent;
    const root = rootOf(log.crypto, extent.frontier);
    origins.push({ end: extent.bytes, cited: { epoch, blocks: extent.length, root } });
  };
  const stored = Math.min(blocks, log.length);
  if (from < stored) { for await (const { bytes } of log.blocks(from, stored)) add(bytes); }
  for (const { index, bytes } of log.heldBlocks) if (index >= from && index < blocks) add(bytes);
  return origins;
}

/** How records are taken over. */
export interface TakenOptions {
  /** Addresses below this mean the same in both branches. */
  readonly sharedBytes: number;
  /** The head of `mine`, if it was signed. */
  readonly replaced: CitedHead | undefined;
  /** Where the blocks of `mine` end, for those that its head covers past the common part. */
  readonly origins: readonly Origin[];
  /** What `theirs` has merged as well: events that came from there are not repeated. */
  readonly both: readonly CitedHead[];
  /** Whether the head is cited even if nothing is taken over: then nobody looks again. */
  readonly mustCite?: boolean;
}

/** The records of `branch` from address `from` on, the newest first, fetching what is not at hand. */
export async function loadRecords(branch: Branch, from: number): Promise<LogRecord[]> {
  const own: LogRecord[] = [];
  for await (const record of loadHistory(branch)) {
    if (record.address < from) break;
    own.push(record);
  }
  return own;
}

/** The same, of which `loaded` were loaded before: what came since is at hand. */
export function recordsFrom(
  branch: Branch,
  from: number,
  loaded: readonly LogRecord[],
): LogRecord[] {
  const own: LogRecord[] = [];
  for (const record of branch.history()) {
    if (record.address < from) break;
    if (record.address === loaded[0]?.address) return [...own, ...loaded];
    own.push(record);
  }
  return own;
}

/**
 * The events among `own` records of `mine`, oldest first, for `theirs`. Each cites where it came from, so
 * that another device which has merged the same branch does not repeat it.
 */
export function takenEvents(
  own: readonly LogRecord[],
  mine: Branch,
  theirs: Branch,
  { sharedBytes, origins, both }: TakenOptions,
): RecordContent[] {
  const contents: RecordContent[] = [];
  const root = theirs.record?.root;
  for (const record of own) {
    const { event, message, hasEvent, citesItem } = record;
    const known = citedHeads(mine.space, citesItem);
    if (!hasEvent || known.some((origin) => isCited(origin, both))) continue;
    const origin = origins.find(({ end }) => end > record.address);
    const isMarked = known.length > 0 || origin === undefined;
    const from = isMarked ? record.cites : withOrigin(record.cites, origin.cited);
    contents.push({
      root,
      message,
      event: copyItem(mine.space, event, theirs.space, sharedBytes),
      hasEvent,
      cites: from === undefined ? undefined : encode(theirs.space, from),
    });
  }
  return contents.reverse();
}

/**
 * What the last record of a merge cites: the head that it replaces, and what was merged there, but for
 * what the records `before` cite.
 */
export function mergeCites(
  own: readonly LogRecord[],
  { space }: Branch,
  { replaced, both }: TakenOptions,
  before: readonly CitedHead[],
): readonly CitedHead[] {
  const cited: CitedHead[] = replaced === undefined ? [] : [replaced];
  for (const { citesItem, hasEvent } of own) {
    // What an event came from is within what the merge that brought it cites.
    if (citesItem === undefined || hasEvent) continue;
    for (const head of citedHeads(space, citesItem)) {
      const isKnown = [both, cited, before].some((heads) => isCited(head, heads));
      if (!isKnown && cited.length <= CARRIED_MAX) cited.push(head);
    }
  }
  return cited;
}

function withOrigin(
  cites: Value,
  { epoch, blocks, root }: Pick<Head, "epoch" | "blocks" | "root">,
) {
  const origin = { epoch, blocks, root };
  if (cites === undefined) return [origin];
  // First, where it is looked for: an author may cite any number of things.
  return Array.isArray(cites) ? [origin, ...cites] : [origin, cites];
}
