/** What is being read of a value: whoever holds its blocks can find all that the reading takes. */

import type { Space } from "./chunks.ts";
import { containerOf, type ListRange, listRange, mapEntries, type Range } from "./container.ts";
import { decode } from "./decode.ts";
import { ABSENT, findItem } from "./find.ts";
import { extentOf, readContent } from "./large.ts";
import { Meter } from "./meter.ts";
import { type Item, type Path, Ref } from "./value.ts";

/** A part of a value. What is read of what stands at the path: */
export type ReadingKind =
  /** all of it */
  | "value"
  /** what it is, without its content */
  | "place"
  /** bytes, or text as UTF-8 */
  | "bytes"
  /** keys of a map, without what is under them */
  | "keys"
  /** keys of a map, with what stands under each, without its content */
  | "stats"
  /** entries of a map */
  | "entries"
  /** elements of a list */
  | "elements";

/** Every {@link ReadingKind}. */
export const READING_KINDS: readonly ReadingKind[] = [
  "value",
  "place",
  "bytes",
  "keys",
  "stats",
  "entries",
  "elements",
];

/** One reading of one value. */
export interface Reading {
  /** What is read of it. */
  readonly kind: ReadingKind;
  /** Address of the value that the path leads through. */
  readonly root: number;
  /** Where in that value it stands. */
  readonly path: Path;
  /** Which bytes, entries or elements; all by default. */
  readonly range?: Range | ListRange;
  /** The same was read when the log had so many blocks: what it took of them is at hand. */
  readonly since?: number;
}

/** A few stored bytes can stand for any amount, see {@link decode}: what one reading may decode, */
const VALUE_BUDGET = { elements: 100_000, bytes: 8 * 2 ** 20 };
/** what one entry of many may, so that it stays in the cache wherever else it stands, */
const ENTRY_BUDGET = { elements: 2000, bytes: 256 * 1024 };
/** how many of them may be decoded, */
const ENTRIES_MAX = 2000;
/** and how many keys, or pieces of bytes, may be looked at. */
const STEPS_MAX = 20_000;

/**
 * Reads what `reading` says, for the sake of the blocks that it takes. Ends early where there is nothing
 * of that kind; throws what decoding throws, and `budget`.
 */
export function follow(space: Space, { kind, root, path, range = {} }: Reading): void {
  const item = findItem(space, new Ref(root), path);
  if (item === ABSENT) return;
  if (kind === "value") return void decode(space, item, VALUE_BUDGET);
  if (kind === "bytes") return followBytes(space, item, range as ListRange);
  const node = containerOf(space, item);
  if (node === undefined) return void extentOf(space, item);
  if (kind === "elements" && node.kind === "list") {
    const meter = new Meter("reading a list ahead", ENTRIES_MAX);
    for (const element of listRange(space, node, range as ListRange)) {
      meter.spend(1);
      decode(space, element, ENTRY_BUDGET);
    }
  }
  if (node.kind !== "map" || kind === "place") return;
  const meter = new Meter("reading a map ahead", kind === "entries" ? ENTRIES_MAX : STEPS_MAX);
  for (const [, child] of mapEntries(space, node, range as Range)) {
    meter.spend(1);
    if (kind === "entries") decode(space, child, ENTRY_BUDGET);
    if (kind === "stats" && child instanceof Ref) containerOf(space, child);
  }
}

function followBytes(space: Space, item: Item, { start, end }: ListRange): void {
  if (extentOf(space, item) === undefined) return;
  const meter = new Meter("reading bytes ahead", STEPS_MAX);
  for (const _ of readContent(space, item, start, end)) meter.spend(1);
}
