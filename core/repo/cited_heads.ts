/** Heads that records cite: whose place a merge took, and where an earlier epoch ended. */

import { equal } from "../bytes.ts";
import { isPlainObject, type Value } from "../codec/value.ts";
import type { Head } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import { rootOf } from "../log/merkle.ts";
import { EMPTY, extend } from "../log/run.ts";
import type { Branch } from "./branch.ts";
import { records } from "./history.ts";

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
  { epoch, blocks, root }: Head,
  from: number,
): Promise<CitedHead> {
  const lengths = markedLengths(blocks).filter((length) => length > from);
  const marks = new Uint8Array(lengths.length * MARK_BYTES);
  const mark = (length: number, root: Uint8Array) => {
    const at = lengths.indexOf(length);
    if (at >= 0) marks.set(root.subarray(0, MARK_BYTES), at * MARK_BYTES);
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

/** The heads among what a record cites. */
export function citedHeads(cites: Value): CitedHead[] {
  if (!Array.isArray(cites)) return [];
  return cites.filter(isCitedHead);
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

/** The heads that the records of `branch` from address `since` on cite, the newest first. */
export function citedSince({ space, record }: Branch, since: number): CitedHead[] {
  const cited: CitedHead[] = [];
  if (record === undefined || record.address < since) return cited;
  for (const found of records(space, record)) {
    if (found.address < since) break;
    if (found.citesItem !== undefined) cited.push(...citedHeads(found.cites));
  }
  return cited;
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
  return isMarked(cited, markedLengths(cited.blocks).indexOf(head.blocks), head.root);
}

/** How many blocks, at least, two cited logs of one epoch have in common. */
export function commonOfCited(a: CitedHead, b: CitedHead): number {
  const others = markedLengths(b.blocks);
  const found = markedLengths(a.blocks).find((length, i) => {
    const at = others.indexOf(length);
    return at >= 0 && a.marks !== undefined && isMarked(b, at, markAt(a.marks, i));
  });
  return found ?? 0;
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
  const { epoch, blocks, root, marks } = value;
  return [epoch, blocks].every((count) => Number.isSafeInteger(count) && count as number >= 0) &&
    root instanceof Uint8Array && (marks === undefined || marks instanceof Uint8Array);
}
