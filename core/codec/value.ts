/** The values that a log holds. */

import type { Key } from "../identity/key.ts";

/** Anything that can be stored. */
export type Value =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | Link
  | readonly Value[]
  | { readonly [key: string]: Value };

/** One step of a path: a key of a map or an index of a list. */
export type Step = string | number;
/** Where a value is inside another. */
export type Path = readonly Step[];

/** A pointer to a repo, optionally at one record and to a path in its value. */
export class Link {
  /** The repo's key. */
  readonly key: Key;
  /** Sequence number of the record that is meant, or undefined: whatever is newest. */
  readonly seq: number | undefined;
  /** Path inside the value. */
  readonly path: Path;

  /** A link to `key`. */
  constructor(key: Key, options: { seq?: number; path?: Path } = {}) {
    this.key = key;
    this.seq = options.seq;
    this.path = Object.freeze([...options.path ?? []]);
    Object.freeze(this);
  }
}

/** A chunk of this log that stands for a value: what a container holds of its larger children. */
export class Ref {
  /** The chunk's address. */
  readonly address: number;

  /** Points at `address`. */
  constructor(address: number) {
    this.address = address;
  }
}

/**
 * What a container holds for one child, and a record for its value: a scalar as it is, an empty
 * container, or a {@link Ref} to a chunk. Containers with content are always chunks, so that two
 * equal addresses give one and the same (`===`) decoded value.
 */
export type Item = Ref | Value;

/**
 * `item`, or a copy of bytes and dates: they cannot be frozen. What comes in and what is handed out is
 * copied, so that what nodes and writers hold never changes, and no change of it is ever signed.
 */
export function ownCopy<T extends Item>(item: T): T {
  // Not `slice()`, which gives a view of the same bytes where they are a Buffer of Node.
  if (item instanceof Uint8Array) return new Uint8Array(item) as Item as T;
  return item instanceof Date ? new Date(item) as Item as T : item;
}

/** The item of every empty map. */
export const EMPTY_MAP: { readonly [key: string]: Value } = Object.freeze({});
/** The item of every empty list. */
export const EMPTY_LIST: readonly Value[] = Object.freeze([]);

/** `path` as people read it: `a.b[0]["c d"]`; "the value" for the root. */
export function pathText(path: Path): string {
  if (path.length === 0) return "the value";
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
