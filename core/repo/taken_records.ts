/** What a merge appends for the records of a branch that does not go on. */

import type { Space } from "../codec/chunks.ts";
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
  for await (const { bytes } of log.blocks(from, Math.min(blocks, log.length))) add(bytes);
  for (const { index, bytes } of log.heldBlocks) if (index < blocks) add(bytes);
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

/** The records of `mine` from address `from` on, the newest first. */
export function recordsFrom(mine: Branch, from: number): LogRecord[] {
  const own: LogRecord[] = [];
  for (const record of mine.history()) {
    if (record.address < from) break;
    own.push(record);
  }
  return own;
}

/** A part of a branch: from one state to another. */
export interface Stretch {
  readonly before: LogRecord | undefined;
  readonly after: LogRecord;
  /** The head that `after` has merged, if that is all it does. */
  readonly merged: CitedHead | undefined;
}

/**
 * What `own` records of `branch`, the newest first, have changed since `base`, oldest first: all but the merges
 * of what is in `both`, which are no changes of this branch. Over one base what they brought would
 * count as changes, and what came after as unchanged.
 */
export function stretchesOf(
  { space }: Branch,
  own: readonly LogRecord[],
  base: LogRecord | undefined,
  both: readonly CitedHead[],
): Stretch[] {
  const stretches: Stretch[] = [];
  let [before, after] = [base, base];
  const end = (merged?: CitedHead) => {
    if (after !== undefined && after !== before) stretches.push({ before, after, merged });
    before = after;
  };
  for (const record of own.toReversed()) {
    const merged = mergedBy(space, record);
    if (merged !== undefined) end();
    after = record;
    if (merged === undefined) continue;
    if (isCited(merged, both)) before = record;
    else end(merged);
  }
  end();
  return stretches;
}

/** What a record has merged: the first head that it cites has all that the others have. */
function mergedBy(
  space: Space,
  { message, hasEvent, citesItem }: LogRecord,
): CitedHead | undefined {
  return message === MERGE_MESSAGE && !hasEvent ? citedHeads(space, citesItem)[0] : undefined;
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

/** What the record of a merge cites: the head that it replaces, and what that had merged. */
export function mergeCites(
  own: readonly LogRecord[],
  mine: Branch,
  theirs: Branch,
  { replaced, both }: TakenOptions,
): RecordContent["cites"] {
  if (replaced === undefined) return undefined;
  const cited: CitedHead[] = [replaced];
  for (const { citesItem, hasEvent } of own) {
    // What an event came from is within what the merge that brought it cites.
    if (citesItem === undefined || hasEvent) continue;
    for (const head of citedHeads(mine.space, citesItem)) {
      const isKnown = isCited(head, both) || isCited(head, cited);
      if (!isKnown && cited.length <= CARRIED_MAX) cited.push(head);
    }
  }
  return encode(theirs.space, cited as unknown as Value);
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
