/** Heads that records cite: whose place a merge took, and where an earlier epoch ended. */

import { equal } from "../bytes.ts";
import type { Space } from "../codec/chunks.ts";
import { containerOf, listRange } from "../codec/container.ts";
import { decode } from "../codec/decode.ts";
import { isPlainObject } from "../codec/plain_object.ts";
import type { Item, Value } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import type { Head } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import { HASH_BYTES, rootOf } from "../log/merkle.ts";
import { EMPTY, extend } from "../log/run.ts";

/** Lengths whose roots are cited one by one, from the end. */
const DENSE = 256;
/** Before those, as many at each distance; then the distance doubles: 1/64 of the way back at most. */
const SPARSE = 64;
/** Bytes of a root that are kept to tell it from others. */
const MARK_BYTES = 8;
/** Ends that are cited in any case: a device that was away for longer may merge without a base. */
const ENDS = 8;
/** Ends that are cited at most, as long as there are no more bytes of marks. */
const ENDS_MAX = 64;
const MARKS_MAX_BYTES = 16 * 1024;

/** Elements of a citation that are looked at for heads: the one that a merge replaced, and 64 more. */
const HEADS_MAX = 65;
/** Bytes of marks that a head has at most: those of a log of 2^53 blocks are 25 KB. */
const HEAD_MARKS_MAX_BYTES = 32 * 1024;
/** What is enough to read any head. */
const HEAD_BUDGET = { elements: 16, bytes: 2 * HEAD_MARKS_MAX_BYTES };

/** A head as a record cites it. */
export interface CitedHead {
  readonly epoch: number;
  readonly blocks: number;
  readonly root: Uint8Array;
  /** The first bytes of the roots over {@link markedLengths}, as far back as they are of use. */
  readonly marks?: Uint8Array;
}

/** The lengths of a log of `blocks` blocks that are marked, longest first. */
export function markedLengths(blocks: number): number[] {
  const lengths: number[] = [];
  let step = 1;
  for (let at = blocks; at > 0; at -= step) {
    lengths.push(at);
    const past = lengths.length - DENSE;
    if (past >= 0 && past % SPARSE === 0) step *= 2;
  }
  return lengths;
}

/** Where in {@link markedLengths} a length is; -1 if it is not marked. */
export function markIndex(blocks: number, length: number): number {
  let back = blocks - length;
  if (length < 1 || back < DENSE) return length < 1 || back < 0 ? -1 : back;
  back -= DENSE - 1;
  let index = DENSE - 1;
  let step = 2;
  for (; back > SPARSE * step; step *= 2) {
    back -= SPARSE * step;
    index += SPARSE;
  }
  return back % step === 0 ? index + back / step : -1;
}

/** The end of a log, cited so that whoever has a part of it can tell how much. */
export async function citeEnd(log: Log, { epoch, blocks, root }: Head): Promise<CitedHead> {
  const lengths = markedLengths(blocks);
  const marks = new Uint8Array(lengths.length * MARK_BYTES);
  // Shortest first: roots over blocks that are held are made one after the other.
  for (let i = lengths.length - 1; i >= 0; i--) {
    const found = await log.rootAt(lengths[i]) ?? await heldRoot(log, lengths[i]);
    marks.set(found.subarray(0, MARK_BYTES), i * MARK_BYTES);
  }
  return { epoch, blocks, root, marks };
}

/**
 * A head whose place is taken by a branch that has its first `from` blocks: marked from there on, so
 * that whoever holds less of it sees that this is in it too.
 */
export async function citeReplaced(
  log: Log,
  { epoch, blocks, root }: CitedHead,
  from: number,
): Promise<CitedHead> {
  const lengths = markedLengths(blocks).filter((length) => length > from);
  const marks = new Uint8Array(lengths.length * MARK_BYTES);
  const mark = (length: number, root: Uint8Array) => {
    const at = markIndex(blocks, length);
    if (at >= 0 && at < lengths.length) marks.set(root.subarray(0, MARK_BYTES), at * MARK_BYTES);
  };
  for (const length of lengths) {
    if (length <= log.length) mark(length, (await log.rootAt(length))!);
  }
  // Blocks that are held in memory: each is hashed once.
  const { heldBlocks } = log;
  let extent = heldBlocks.length === 0 ? EMPTY : await log.extentAt(heldBlocks[0].index);
  for (const { bytes } of heldBlocks) {
    extent = extend(log.crypto, extent, [bytes]).extent;
    mark(extent.length, rootOf(log.crypto, extent.frontier));
  }
  return { epoch, blocks, root, marks };
}

/** What the first record of a new epoch cites: the end of the last one, and what came `before`. */
export function citeEnds(end: CitedHead, before: readonly CitedHead[]): readonly CitedHead[] {
  const cited = [end];
  let bytes = 0;
  for (const head of before) {
    if (cited.length >= ENDS_MAX) break;
    if (isCited(head, cited)) continue;
    bytes += head.marks!.length;
    if (cited.length < ENDS || bytes <= MARKS_MAX_BYTES) cited.push(head);
  }
  return cited;
}

/** The heads among what a record cites: in the first of its elements, as any number may be there. */
export function citedHeads(space: Space, cites: Item): CitedHead[] {
  return headItems(space, cites).map((item) => headAt(space, item)).filter((head) => !!head);
}

/** Those elements of a citation that may be heads. */
export function headItems(space: Space, cites: Item): Item[] {
  const node = containerOf(space, cites);
  return node?.kind === "list" ? [...listRange(space, node, { limit: HEADS_MAX })] : [];
}

/** The head that an element of a citation is, if it is one. */
export function headAt(space: Space, item: Item): CitedHead | undefined {
  try {
    const value = decode(space, item, HEAD_BUDGET);
    return isCitedHead(value) ? value : undefined;
  } catch (error) {
    // What takes more to read is no head.
    if (error instanceof StreamoError && error.code === "budget") return undefined;
    throw error;
  }
}

/** How many blocks of `log`, at least, the cited log of its epoch begins with. */
export async function commonBlocks(log: Log, cited: CitedHead): Promise<number> {
  if (cited.marks === undefined) {
    const isWhole = cited.blocks <= log.heldLength &&
      equal(await heldRoot(log, cited.blocks), cited.root);
    return isWhole ? cited.blocks : 0;
  }
  const lengths = markedLengths(cited.blocks);
  const most = log.heldLength;
  // Both begin alike up to some length: of the marks, longest first, those from `low` on are equal.
  const marked = cited.marks.length / MARK_BYTES;
  let low = lengths.findIndex((length) => length <= most);
  if (low < 0 || low >= marked) return 0;
  let high = marked;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isMarked(cited, middle, await heldRoot(log, lengths[middle]))) high = middle;
    else low = middle + 1;
  }
  return low < marked ? lengths[low] : 0;
}

/** How many blocks of `log`, at least, one of the cited logs begins with. */
export async function commonOfAll(log: Log, cited: readonly CitedHead[]): Promise<number> {
  let most = 0;
  // Of heads that were merged in parts, one after the other, the last of a run has marks of all.
  const telling = cited.filter((head, i) => head.marks !== undefined || i === cited.length - 1);
  for (const head of telling) {
    if (head.epoch === log.epoch) most = Math.max(most, await commonBlocks(log, head));
  }
  return most;
}

/** Whether one of `cited` is `head`, or has all of it as far as marks tell. */
export function isCited(
  head: Pick<Head, "epoch" | "blocks" | "root">,
  cited: readonly CitedHead[],
): boolean {
  return cited.some((one) =>
    one.epoch === head.epoch &&
    (one.blocks === head.blocks && equal(one.root, head.root) || isWithin(head, one))
  );
}

/** The root over blocks that may wait in memory. */
async function heldRoot(log: Log, length: number): Promise<Uint8Array> {
  return rootOf(log.crypto, (await log.extentAt(length)).frontier);
}

/** Whether the cited log begins with all that `head` covers, as far as the marks tell. */
function isWithin(head: Pick<Head, "blocks" | "root">, cited: CitedHead): boolean {
  return isMarked(cited, markIndex(cited.blocks, head.blocks), head.root);
}

function isMarked({ marks }: CitedHead, index: number, root: Uint8Array): boolean {
  return marks !== undefined && index >= 0 &&
    equal(markAt(marks, index), root.subarray(0, MARK_BYTES));
}

function markAt(marks: Uint8Array, index: number): Uint8Array {
  return marks.subarray(index * MARK_BYTES, (index + 1) * MARK_BYTES);
}

function isCitedHead(value: Value): value is CitedHead & { readonly [key: string]: Value } {
  if (typeof value !== "object" || value === null || !isPlainObject(value)) return false;
  const { epoch, blocks, root, marks, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  return [epoch, blocks].every((count) => Number.isSafeInteger(count) && count as number >= 0) &&
    root instanceof Uint8Array && root.length === HASH_BYTES &&
    (marks === undefined ||
      marks instanceof Uint8Array && marks.length <= HEAD_MARKS_MAX_BYTES);
}
