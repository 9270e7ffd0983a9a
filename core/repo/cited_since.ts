/** Walks over what the records of a branch cite, which may be long: others have their turn in between. */

import { type Space, untilThere } from "../codec/chunks.ts";
import { type Item, Ref } from "../codec/value.ts";
import type { Head } from "../log/head.ts";
import { systemPause } from "../platform.ts";
import type { Branch } from "./branch.ts";
import { type CitedHead, headAt, headItems, isCited } from "./cited_heads.ts";
import { type LogRecord, parentOf } from "./record.ts";

/** Records and heads that are looked at without a pause: with all their marks, 16 MB at most. */
const STEP_MAX = 512;

/** The heads that the records of `branch` from address `since` on cite, the newest first. */
export async function citedSince(branch: Branch, since: number): Promise<CitedHead[]> {
  const all: CitedHead[] = [];
  for await (const cited of steps(branch, since)) for (const head of cited) all.push(head);
  return all;
}

/** Which of `heads` those records have taken in. */
export async function takenSince<T extends Pick<Head, "epoch" | "blocks" | "root">>(
  branch: Branch,
  since: number,
  heads: readonly T[],
): Promise<T[]> {
  const taken = new Set<T>();
  for await (const cited of steps(branch, since)) {
    for (const head of heads) if (!taken.has(head) && isCited(head, cited)) taken.add(head);
    if (taken.size === heads.length) break;
  }
  return [...taken];
}

/** What a few records cite. */
interface Step {
  readonly heads: readonly CitedHead[];
  /** Where citations, and elements of them, stand. */
  readonly places: ReadonlySet<number>;
  /** The record to go on with. */
  readonly next: LogRecord | undefined;
}

/** What records cite, some of them at a time. */
async function* steps({ space, record }: Branch, since: number): AsyncGenerator<Step["heads"]> {
  const seen = new Set<number>();
  let next = record;
  while (next !== undefined && next.address >= since) {
    const from: LogRecord = next;
    const step = await untilThere(() => stepFrom(space, from, since, seen));
    for (const place of step.places) seen.add(place);
    yield step.heads;
    next = step.next;
    if (next !== undefined) await systemPause();
  }
}

/** Each head once: a few bytes may cite the same ones any number of times. Throws MissingBlock. */
function stepFrom(
  space: Space,
  from: LogRecord,
  since: number,
  seen: ReadonlySet<number>,
): Step {
  const heads: CitedHead[] = [];
  const places = new Set<number>();
  const isNew = (item: Item) => {
    if (!(item instanceof Ref)) return true;
    return !seen.has(item.address) && places.size < places.add(item.address).size;
  };
  let next: LogRecord | undefined = from;
  for (let looked = 0; looked < STEP_MAX; looked++) {
    const { citesItem } = next;
    const items = isNew(citesItem) ? headItems(space, citesItem).filter(isNew) : [];
    for (const item of items) {
      const head = headAt(space, item);
      if (head !== undefined) heads.push(head);
    }
    looked += items.length;
    next = parentOf(space, next);
    if (next === undefined || next.address < since) return { heads, places, next: undefined };
  }
  return { heads, places, next };
}
