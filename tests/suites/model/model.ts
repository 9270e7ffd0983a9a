/** The slow, obvious version of a repo's value: plain JS values, copied at every change. */

import { isPlainObject } from "../../../core/codec/plain_object.ts";
import { Link, type Path, pathText, type Step, type Value } from "../../../core/codec/value.ts";

/** That there is nothing at a place; undefined is a value. */
export const NOTHING: unique symbol = Symbol("nothing");
/** A value or nothing. */
export type Place = Value | typeof NOTHING;
/** A map as a plain object. */
export type PlainMap = { readonly [key: string]: Value };

/** Whether `value` is a map. */
export function isMap(value: Place): value is PlainMap {
  return typeof value === "object" && value !== null && !isLeaf(value) && !Array.isArray(value);
}

function isLeaf(value: object): boolean {
  return value instanceof Date || value instanceof Uint8Array || value instanceof Link ||
    !Array.isArray(value) && !isPlainObject(value);
}

/** What is at `path`. */
export function modelGet(value: Place, path: Path): Place {
  for (const step of path) value = stepInto(value, step);
  return value;
}

function stepInto(value: Place, step: Step): Place {
  if (typeof step === "string") {
    return isMap(value) && Object.hasOwn(value, step) ? value[step] : NOTHING;
  }
  return Array.isArray(value) && step < value.length ? value[step] : NOTHING;
}

/** `value` with `change` of what is at `path`; TypeError or RangeError where there is no such place. */
export function modelChange(value: Place, path: Path, change: (before: Place) => Place): Place {
  if (path.length === 0) return change(value);
  const [step, ...rest] = path;
  const isNamed = typeof step === "string";
  const from = value === NOTHING || value === undefined ? isNamed ? {} : [] : value;
  if (isNamed ? !isMap(from) : !Array.isArray(from)) {
    throw new TypeError(`cannot set inside ${pathText(path)}`);
  }
  const before = stepInto(from, step);
  const after = modelChange(before, rest, change);
  if (after === before) return value;
  if (isNamed) return withKey(from as PlainMap, step, after);
  const list = from as readonly Value[];
  if (step > list.length) throw new RangeError(`cannot set ${pathText(path)}`);
  return list.toSpliced(step, 1, after as Value);
}

function withKey(map: PlainMap, key: string, value: Place): PlainMap {
  const entries = Object.entries(map).filter(([name]) => name !== key);
  if (value !== NOTHING) entries.push([key, value]);
  return Object.fromEntries(entries);
}

/** `value` with a list at `path` spliced; nothing and undefined are empty lists. */
export function modelSplice(
  value: Place,
  path: Path,
  at: number | "end",
  remove: number,
  insert: readonly Value[],
): Place {
  const found = modelGet(value, path);
  const list = found === NOTHING || found === undefined ? [] : found;
  if (!Array.isArray(list)) throw new TypeError(`${pathText(path)} is not a list`);
  const from = at === "end" ? list.length : at;
  if (from > list.length) throw new RangeError(`${pathText(path)} has no element ${from}`);
  return modelChange(value, path, () => list.toSpliced(from, remove, ...insert));
}
