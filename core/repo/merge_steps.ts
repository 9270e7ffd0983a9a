/** Taking over into one log what another one of the key has, step by step. */

import { Space } from "../codec/chunks.ts";
import { encode } from "../codec/encode.ts";
import { ABSENT } from "../codec/find.ts";
import type { Item, Value } from "../codec/value.ts";
import type { Branch } from "./branch.ts";
import type { RecordContent } from "./branch_writer.ts";
import type { CitedHead } from "./cited_heads.ts";
import type { Choice, OnConflict } from "./conflict.ts";
import { laterWins } from "./conflict.ts";
import { Draft, Stored } from "./draft.ts";
import { MergeAcross } from "./merge_across.ts";
import { Overlay } from "./overlay.ts";
import type { Parting } from "./parting.ts";
import { findRecord, type LogRecord } from "./record.ts";
import { type Maybe, sameItem } from "./same_item.ts";
import type { Step } from "./steps.ts";
import {
  MERGE_MESSAGE,
  mergeCites,
  recordsFrom,
  takenEvents,
  type TakenOptions,
} from "./taken_records.ts";

/** What is written of a merge until no more steps are taken in parts: their states wait in memory. */
const PARTS_BYTES = 2 ** 20;

/** How branches are merged. */
export interface MergeOptions extends TakenOptions {
  /** The clock's time in milliseconds. */
  readonly now: number;
  readonly onConflict: OnConflict;
  readonly parting: Parting;
  /** Records of `mine` past it, the newest first, but for those that are written meanwhile. */
  readonly loaded: readonly LogRecord[];
  /** What `mine` has that `theirs` has not. */
  readonly steps: readonly BringingStep[];
  /** Records of `mine` from this address on came after the steps, and are under no head. */
  readonly end: number;
}

/** A step, and the heads that whoever has it has. */
export interface BringingStep extends Step {
  readonly brings: readonly CitedHead[];
  /** The same in smaller steps, but for the last of them: a third branch may have some of them. */
  readonly parts: readonly BringingStep[];
}

type Change = Pick<Step, "before" | "after" | "known">;

/** How steps are taken. */
interface Rules {
  readonly order: number;
  readonly sharedBytes: number;
  readonly onConflict: OnConflict;
}

/**
 * Appends to `theirs` what `mine` has of its own: its events in order, then records with the value after
 * each step, the last of which cites the head that is replaced, and one for what came after. Nothing if
 * there is nothing. Synchronous: throws MissingBlock before it has appended any record.
 */
export function mergeSteps(mine: Branch, theirs: Branch, options: MergeOptions): void {
  const { parting: { base, ownFrom }, sharedBytes, end, mustCite = false, now, onConflict } =
    options;
  const own = recordsFrom(mine, ownFrom, options.loaded);
  if (own.length === 0 && !mustCite) return;
  // So that a head can be cited which has what comes before the merge, and nothing of it.
  theirs.log.close();
  const newest = theirs.record;
  const order = (own[0]?.time ?? 0) - (newest?.time ?? 0);
  const rules = { order, sharedBytes, onConflict };
  const { merges, brought, root } = recordsOf(options.steps, theirs, rules);
  const late = lateStep(mine, options, end);
  const latest = late === undefined ? root : taken(late, root, theirs.space, rules);
  const isOneLog = theirs.log.epoch === 0 || sharedBytes > 0;
  const isNew = (record: LogRecord) => {
    if (!record.hasEvent || isOneLog) return true;
    const isOld = base !== undefined && record.seq <= base.record.seq;
    return !isKept(record, mine, theirs, rules) && !(isOld && isKept(record, mine, base.of, rules));
  };
  const events = takenEvents(own.filter(isNew), mine, theirs, options);
  const heads = mergeCites(own, mine, options, brought);
  // Of what an epoch has kept there is nothing to tell; what is told of merges must not be lost.
  const isTold = mustCite || heads.length > (isOneLog ? 0 : 1);
  if (!isTold && events.length === 0 && sameItem(latest, newest?.root)) return;
  const isLeft = !sameItem(root, merges.length === 0 ? newest?.root : merges.at(-1)!.root);
  if (heads.length > 0 || isLeft) merges.push(mergeRecord(root, heads, theirs));
  if (!sameItem(latest, root)) merges.push(mergeRecord(latest, [], theirs));
  for (const content of [...events, ...merges]) theirs.append(content, now);
}

function mergeRecord(root: Item, heads: readonly CitedHead[], { space }: Branch): RecordContent {
  const cites = heads.length > 0 ? encode(space, heads as unknown as Value) : undefined;
  return { root, message: MERGE_MESSAGE, cites };
}

/** The value after `steps`, and records for all but what a last step of the branch's own changes. */
function recordsOf(steps: readonly BringingStep[], theirs: Branch, rules: Rules) {
  const merges: RecordContent[] = [];
  const brought: CitedHead[] = [];
  const pending = theirs.log.pendingBytes;
  let root = theirs.record?.root;
  let last = root;
  const add = (next: Item, heads: readonly CitedHead[]): void => {
    if (sameItem(last, next)) return;
    last = next;
    brought.push(...heads);
    merges.push(mergeRecord(next, heads, theirs));
  };
  for (const step of steps) {
    let part = root;
    for (const { brings, ...small } of step.parts) {
      if (theirs.log.pendingBytes - pending > PARTS_BYTES) break;
      // Whoever is asked about conflicts is asked once, about the whole step.
      part = taken(small, part, theirs.space, { ...rules, onConflict: laterWins });
      add(part, brings);
    }
    root = taken(step, root, theirs.space, rules);
    const isLast = step === steps.at(-1) && step.cites.length === 0;
    if (!isLast) add(root, step.brings);
  }
  return { merges, brought, root };
}

/** What was written to `mine` from `end` on. */
function lateStep(mine: Branch, { parting }: MergeOptions, end: number): Change | undefined {
  const { record, space } = mine;
  if (record === undefined || record.address < end) return undefined;
  const before = findRecord(space, record, ({ address }) => address < end);
  const base = parting.base ?? { of: mine, record: undefined };
  return {
    before: before === undefined ? base : { of: mine, record: before },
    after: { of: mine, record },
    known: [],
  };
}

/** The value `root` of `theirs` after a step. */
function taken(
  step: Change,
  root: Item,
  theirs: Space,
  rules: Rules,
): Item {
  const { item, extras } = take(step, root === undefined ? ABSENT : root, theirs, rules);
  const draft = new Draft(theirs, item === ABSENT ? undefined : item as Item);
  for (const { path, item } of extras) draft.set(...path, new Stored(theirs, item));
  return draft.settle();
}

/** The value `onto` in `space` after a step. */
function take(
  { before, after, known }: Change,
  onto: Maybe,
  space: Space,
  rules: Rules,
): { item: Maybe; extras: MergeAcross["extras"] } {
  let [base, from] = [before.of.space, after.of.space];
  let item = rootOf(before.record);
  if (known.length > 0) {
    base = new Space(new Overlay(base));
    if (before.of === after.of) from = base;
    // What the other side has was decided there already.
    const onConflict = (): Choice => "mine";
    for (const step of known) item = take(step, item, base, { ...rules, onConflict }).item;
  }
  const merge = new MergeAcross({ ...rules, base, mine: from, theirs: space });
  return { item: merge.items(item, rootOf(after.record), onto, []), extras: merge.extras };
}

/** The value as of a record. Where only events were published there is none, which wins over none. */
function rootOf(record: LogRecord | undefined): Maybe {
  return record?.root === undefined ? ABSENT : record.root;
}

/** Whether `theirs` has the event, taken along when an epoch was raised. */
function isKept({ seq, time, event }: LogRecord, mine: Branch, theirs: Branch, rules: Rules) {
  const kept = theirs.recordAt(seq);
  if (kept?.seq !== seq || kept.time !== time || !kept.hasEvent) return false;
  const [base, from, to] = [mine.space, mine.space, theirs.space];
  return new MergeAcross({ ...rules, base, mine: from, theirs: to }).isEqual(event, kept.event);
}
