/** Questions about a log, as URLs and messages carry them, and their answers. */

import { type Reading, READING_KINDS } from "../codec/reading.ts";
import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { Position } from "../log/run.ts";
import type { StoreSource } from "../log/store_source.ts";
import type { Newest, ProvenBlocks } from "../log/source.ts";
import { encodeNewest, encodeProven } from "./proof_body.ts";

/**
 * What is asked of one key. Without `at` and `first`: the newest head, for an asker that holds `log`.
 * With `at` or `first`: blocks of the log that `log` names, the newest or an earlier one.
 */
export interface Ask {
  readonly log: Position | undefined;
  /** The block that holds this byte, */
  readonly at?: number;
  /** and others that this takes. */
  readonly reading?: Reading;
  /** Blocks from this one on, */
  readonly first?: number;
  /** but not this one. */
  readonly end?: number;
}

/** Characters of a {@link Reading} as JSON: paths that are longer are read block by block. */
export const READING_MAX = 4096;
/** Steps of its path. */
const STEPS_MAX = 500;

/** The answer to `ask` as bytes, see `proof_body.ts`. Codes: `not_found`, `stale`, `conflict`, the store's. */
export async function answer(
  source: StoreSource,
  key: Key,
  { log, at, reading, first, end }: Ask,
): Promise<Uint8Array<ArrayBuffer>> {
  const tree = log && { key, ...log };
  if (at === undefined && first === undefined) {
    const newest: Newest | undefined = await source.newest(key, tree);
    if (newest !== undefined) return encodeNewest(newest);
    throw new StreamoError("not_found", `nothing is stored of ${key}`);
  }
  if (tree === undefined) throw new StreamoError("malformed", "blocks of no log are asked for");
  await checkHeld(source, key, tree);
  const proven: ProvenBlocks | undefined = at === undefined
    ? await blocks(source, tree, first!, end ?? first! + 1)
    : await source.blockAt(tree, at, reading);
  if (proven !== undefined) return encodeProven(proven);
  throw new StreamoError("not_found", `no block of ${key} holds address ${at}`);
}

function blocks(
  source: StoreSource,
  tree: Position & { readonly key: Key },
  first: number,
  end: number,
): Promise<ProvenBlocks> {
  if (first < end && end <= tree.blocks) return source.blocks(tree, first, end);
  throw new StreamoError("not_found", `blocks ${first} to ${end} are not in ${tree.blocks}`);
}

/** Blocks past the newest signed head are nobody's business yet. */
async function checkHeld(
  source: StoreSource,
  key: Key,
  { epoch, blocks }: Position,
): Promise<void> {
  const head = await source.head(key);
  if (head === undefined) throw new StreamoError("not_found", `nothing is stored of ${key}`);
  if (epoch < head.epoch) {
    throw new StreamoError("stale", `epoch ${epoch} of ${key} is over; now it is ${head.epoch}`);
  }
  if (epoch > head.epoch || blocks > head.blocks) {
    const message = `${blocks} blocks in epoch ${epoch} of ${key} are not held here`;
    throw new StreamoError("not_found", message);
  }
}

/**
 * `reading` for a question; undefined if it is too long for one, or of numbers that nobody else has to
 * understand: then its blocks are asked for one by one.
 */
export function readingText(reading: Reading | undefined): string | undefined {
  const text = JSON.stringify(reading, (_name, value) => value === Infinity ? undefined : value);
  const fits = text !== undefined && text.length <= READING_MAX;
  return fits && readingOf(JSON.parse(text)) !== undefined ? text : undefined;
}

/** The opposite of {@link readingText}; `malformed` or `too_large`. */
export function parseReading(text: string): Reading {
  if (text.length > READING_MAX) {
    throw new StreamoError("too_large", `a reading of ${text.length} characters`);
  }
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw new StreamoError("malformed", "a reading is not JSON", {}, { cause: error });
  }
  const reading = readingOf(fields);
  if (reading !== undefined) return reading;
  throw new StreamoError("malformed", `not a reading: ${text.slice(0, 80)}`);
}

function readingOf(value: unknown): Reading | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind: name, root, path, range, since } = value as Record<string, unknown>;
  const kind = READING_KINDS.find((kind) => kind === name);
  const isPath = Array.isArray(path) && path.length <= STEPS_MAX &&
    path.every((step) => isText(step) || isCount(step));
  if (kind === undefined || !isCount(root) || !isPath) return undefined;
  if (since !== undefined && !isCount(since)) return undefined;
  if (range === undefined) return { kind, root, path, since };
  const parts = rangeOf(range, kind === "bytes" || kind === "elements" ? isCount : isText);
  return parts && { kind, root, path, range: parts, since };
}

/** `isEdge`: what a range begins and ends with. */
function rangeOf(value: unknown, isEdge: (value: unknown) => boolean): Reading["range"] {
  if (typeof value !== "object" || value === null) return undefined;
  const { prefix, start, end, limit, reverse } = value as Record<string, unknown>;
  const isRange = [start, end].every((edge) => edge === undefined || isEdge(edge)) &&
    (prefix === undefined || isText(prefix)) && (limit === undefined || isCount(limit)) &&
    (reverse === undefined || typeof reverse === "boolean");
  return isRange ? { prefix, start, end, limit, reverse } as Reading["range"] : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
