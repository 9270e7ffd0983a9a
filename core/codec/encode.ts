/** Values to items: children are written before their parents. */

import { TreeBuilder, writeKeyBytes } from "./builder.ts";
import type { Space } from "./chunks.ts";
import { writeList, writeMap } from "./edit.ts";
import { PieceWriter, writeLargeText } from "./pieces.ts";
import { NotStorable, writeScalar } from "./write_scalar.ts";
import * as tag from "./tags.ts";
import { compareText } from "./text.ts";
import { isPlainObject } from "./plain_object.ts";
import {
  EMPTY_LIST,
  EMPTY_MAP,
  type Item,
  Link,
  ownCopy,
  type Path,
  pathText,
  Ref,
  type Value,
} from "./value.ts";
import { borrowWriter, giveBack, Writer } from "./writer.ts";

/**
 * `value`, which will stand at `path`, as an item of its own: later changes of `value` do not change it.
 * TypeError that names the path if a part of it cannot be stored, or nests too deep there.
 */
export function encode(space: Space, value: unknown, path: Path = []): Item {
  try {
    checkDepth(path.length);
    const item = encodeItem(space, value as Value, path.length);
    // A container checks its children as it writes them; a lone scalar is checked here.
    if (!(item instanceof Ref)) checkScalar(item);
    return ownCopy(item);
  } catch (error) {
    if (!(error instanceof NotStorable)) throw error;
    const found = findUnstorable(value, path);
    const reason = found?.reason ?? error.message;
    throw new TypeError(`cannot store ${pathText(found?.path ?? path)}: ${reason}`, {
      cause: error,
    });
  }
}

function checkScalar(item: Item): void {
  const writer = borrowWriter();
  writeScalar(writer, item);
  giveBack(writer);
}

function encodeItem(space: Space, value: Value | Ref, depth: number): Item {
  if (typeof value === "string") {
    return value.length * 3 > tag.PIECE_MAX_BYTES ? encodeLongText(space, value) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return encodeList(space, value, depth + 1);
  if (value instanceof Uint8Array) {
    if (value.length <= tag.PIECE_MAX_BYTES) return value;
    const pieces = new PieceWriter(space);
    pieces.push(value);
    return pieces.finish();
  }
  if (value instanceof Date || value instanceof Link || value instanceof Ref) return value;
  if (isPlainObject(value)) return encodeMap(space, value, depth + 1);
  return value;
}

function encodeLongText(space: Space, text: string): Item {
  const writer = borrowWriter();
  try {
    const length = writer.utf8(text);
    return length <= tag.PIECE_MAX_BYTES ? text : writeLargeText(space, writer.view());
  } catch (error) {
    if (error instanceof TypeError) throw new NotStorable(error.message);
    throw error;
  } finally {
    giveBack(writer);
  }
}

function encodeMap(space: Space, map: { readonly [key: string]: Value }, depth: number): Item {
  const keys = sortedKeys(map);
  if (keys.length === 0) return EMPTY_MAP;
  checkDepth(depth);
  if (keys.length <= tag.SMALL_MAX) {
    return writeMap(space, keys, keys.map((key) => encodeItem(space, map[key], depth)));
  }
  const builder = new TreeBuilder(space, "map");
  for (const key of keys) builder.push(key, encodeItem(space, map[key], depth));
  return new Ref(builder.finish()!.address);
}

function encodeList(space: Space, list: readonly Value[], depth: number): Item {
  if (list.length === 0) return EMPTY_LIST;
  checkDepth(depth);
  if (list.length <= tag.SMALL_MAX) {
    return writeList(space, list.map((value) => encodeItem(space, value, depth)));
  }
  const builder = new TreeBuilder(space, "list");
  // By index and not `for of`: holes are undefined, extra properties are ignored.
  for (let i = 0; i < list.length; i++) builder.push("", encodeItem(space, list[i], depth));
  return new Ref(builder.finish()!.address);
}

/** Objects of one shape come in runs: their keys are sorted once. */
const SHAPES: { keys: string[]; sorted: string[] }[] = [];

function sortedKeys(map: object): string[] {
  const keys = Object.keys(map);
  if (keys.length > tag.SMALL_MAX) return keys.sort(compareText);
  const shape = SHAPES[keys.length];
  if (shape !== undefined) {
    let same = true;
    for (let i = 0; same && i < keys.length; i++) same = keys[i] === shape.keys[i];
    if (same) return shape.sorted;
  }
  const sorted = keys.slice().sort(compareText);
  SHAPES[keys.length] = { keys, sorted };
  return sorted;
}

function checkDepth(depth: number): void {
  if (depth > tag.DEPTH_MAX) {
    throw new NotStorable(`values nest deeper than ${tag.DEPTH_MAX} (or contain themselves)`);
  }
}

/** Looks again for what could not be stored, this time with its path: only errors pay for it. */
function findUnstorable(
  value: unknown,
  path: Path,
): { path: Path; reason: string } | undefined {
  try {
    if (
      value !== null && typeof value === "object" && (Array.isArray(value) ||
        !(value instanceof Uint8Array) && isPlainObject(value))
    ) {
      checkDepth(path.length + 1);
      for (const key of Object.keys(value)) {
        const step = Array.isArray(value) ? Number(key) : key;
        writeKeyBytes(new Writer(), key);
        const child = (value as Record<string, unknown>)[key];
        const found = findUnstorable(child, [...path, step]);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    writeScalar(new Writer(), value as Item);
    return undefined;
  } catch (error) {
    if (error instanceof NotStorable) return { path, reason: error.message };
    throw error;
  }
}
