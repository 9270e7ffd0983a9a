/** The value as of one record: everything that reads. */

import type { Space } from "../codec/chunks.ts";
import {
  containerOf,
  elementAt,
  type ListRange,
  listRange,
  lookup,
  mapEntries,
  type Range,
} from "../codec/container.ts";
import { type Budget, decode } from "../codec/decode.ts";
import { extentOf, readContent } from "../codec/large.ts";
import { type Item, type Path, pathText, Ref, type Step, type Value } from "../codec/value.ts";

/** What stands at a path, without its content. */
export interface Stat {
  /** What it is; `scalar` for everything without parts. */
  readonly kind: "map" | "list" | "string" | "bytes" | "scalar";
  /** Entries, elements, or bytes (of text: in UTF-8); 1 for other scalars. */
  readonly size: number;
  /** Address of its chunk, by which content is compared; undefined if it sits inside its parent. */
  readonly address: number | undefined;
}

/** Which bytes of text or bytes. */
export interface ByteRange {
  /** First byte; 0 by default. */
  readonly start?: number;
  /** Byte after the last; the end by default. */
  readonly end?: number;
}

/** What {@link Snapshot.find} gives for a path that leads nowhere. */
export const ABSENT: unique symbol = Symbol("absent");

/**
 * One state of a repo. Reads are synchronous and throw MissingBlock (code `missing_block`) where a
 * block is not at hand; `Repo.read` fetches it and runs again.
 */
export class Snapshot {
  readonly #space: Space;
  readonly #root: Item;

  /** The state whose value is `root` in `space`. */
  constructor(space: Space, root: Item) {
    this.#space = space;
    this.#root = root;
  }

  /** The value's item: equal items of one log are equal values. */
  get root(): Item {
    return this.#root;
  }

  /** The value at `path`, decoded and frozen; undefined if there is none. */
  get(...path: Step[]): Value {
    return this.value(path);
  }

  /** The value at `path`; `budget` if it takes more to decode than `budget` allows. */
  value(path: Path, budget?: Budget): Value {
    const item = this.find(path);
    return item === ABSENT ? undefined : decode(this.#space, item, budget);
  }

  /** Whether there is a value at `path`, also an undefined one. */
  has(...path: Step[]): boolean {
    return this.find(path) !== ABSENT;
  }

  /** Keys of the map at `path`, in order; nothing if there is no map. */
  *keys(path: Path = [], range: Range = {}): Generator<string> {
    for (const [key] of this.#entries(path, range)) yield key;
  }

  /** Keys and values of the map at `path`, in order, decoded one by one. */
  *entries(path: Path = [], range: Range = {}): Generator<[string, Value]> {
    for (const [key, item] of this.#entries(path, range)) yield [key, decode(this.#space, item)];
  }

  /** Elements of the list at `path`, decoded one by one; nothing if there is no list. */
  *elements(path: Path = [], range: ListRange = {}): Generator<Value> {
    const node = this.#container(path);
    if (node?.kind !== "list") return;
    for (const item of listRange(this.#space, node, range)) yield decode(this.#space, item);
  }

  /** Entries of the map or elements of the list at `path`; bytes of text or bytes; else 0. */
  size(...path: Step[]): number {
    const stat = this.stat(...path);
    return stat === undefined || stat.kind === "scalar" ? 0 : stat.size;
  }

  /** What stands at `path`, without reading its content. */
  stat(...path: Step[]): Stat | undefined {
    const item = this.find(path);
    return item === ABSENT ? undefined : statItem(this.#space, item);
  }

  /** Keys of the map at `path` with their {@link Stat.address}: reads nothing but the map itself. */
  *addresses(path: Path = [], range: Range = {}): Generator<[string, number | undefined]> {
    for (const [key, item] of this.#entries(path, range)) {
      yield [key, item instanceof Ref ? item.address : undefined];
    }
  }

  /** Keys of the map at `path` with what stands under each, without reading contents. */
  *stats(path: Path = [], range: Range = {}): Generator<[string, Stat]> {
    for (const [key, item] of this.#entries(path, range)) yield [key, statItem(this.#space, item)];
  }

  /** The bytes (of text: UTF-8) at `path`, piece by piece. TypeError if it is neither. */
  content(path: Path, { start = 0, end = Infinity }: ByteRange = {}): Generator<Uint8Array> {
    const item = this.find(path);
    if (item === ABSENT || extentOf(this.#space, item) === undefined) {
      throw new TypeError(`cannot read bytes of ${pathText(path)}: it is neither text nor bytes`);
    }
    return readContent(this.#space, item, start, end);
  }

  /**
   * The item at `path`, or {@link ABSENT}.
   * @ignore
   */
  find(path: Path): Item | typeof ABSENT {
    let item = this.#root;
    for (const step of path) {
      const next = childItem(this.#space, item, step);
      if (next === ABSENT) return ABSENT;
      item = next;
    }
    return item;
  }

  #entries(path: Path, range: Range): Iterable<[string, Item]> {
    const node = this.#container(path);
    return node?.kind === "map" ? mapEntries(this.#space, node, range) : [];
  }

  #container(path: Path) {
    const item = this.find(path);
    return item === ABSENT ? undefined : containerOf(this.#space, item);
  }
}

/** What the container `item` holds under `step`, or {@link ABSENT}. */
export function childItem(space: Space, item: Item, step: Step): Item | typeof ABSENT {
  const node = containerOf(space, item);
  if (node === undefined) return ABSENT;
  if (typeof step === "string") {
    if (node.kind !== "map") return ABSENT;
    const { found, item: child } = lookup(space, node, step);
    return found ? child : ABSENT;
  }
  const isIndex = node.kind === "list" && Number.isInteger(step) && step >= 0 && step < node.size;
  return isIndex ? elementAt(space, node, step) : ABSENT;
}

/** What `item` is, without reading its content. */
export function statItem(space: Space, item: Item): Stat {
  const address = item instanceof Ref ? item.address : undefined;
  const container = containerOf(space, item);
  if (container !== undefined) {
    return { kind: container.kind as "map" | "list", size: container.size, address };
  }
  const extent = extentOf(space, item);
  return extent === undefined ? { kind: "scalar", size: 1, address } : { ...extent, address };
}
