/** The value as of one record: everything that reads. */

import { MissingBlock, type Space } from "../codec/chunks.ts";
import {
  containerOf,
  type ListRange,
  listRange,
  mapEntries,
  type Range,
} from "../codec/container.ts";
import { type Budget, decode } from "../codec/decode.ts";
import { ABSENT, findItem } from "../codec/find.ts";
import { extentOf, readContent } from "../codec/large.ts";
import type { Reading } from "../codec/reading.ts";
import {
  type Item,
  ownCopy,
  type Path,
  pathText,
  Ref,
  type Step,
  type Value,
} from "../codec/value.ts";

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

/**
 * One state of a repo. Reads are synchronous and throw MissingBlock (code `missing_block`) where a
 * block is not at hand; `Repo.read` fetches it, with what else the reading takes, and runs again.
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
    return ownCopy(this.#root);
  }

  /** The value at `path`, decoded and frozen (bytes and dates are copies); undefined if there is none. */
  get(...path: Step[]): Value {
    return this.value(path);
  }

  /** The value at `path`; `budget` if it takes more to decode than `budget` allows. */
  value(path: Path, budget?: Budget): Value {
    try {
      const item = findItem(this.#space, this.#root, path);
      return item === ABSENT ? undefined : decode(this.#space, item, budget);
    } catch (error) {
      throw this.#while("value", path, error);
    }
  }

  /** Whether there is a value at `path`, also an undefined one. */
  has(...path: Step[]): boolean {
    return this.find(path) !== ABSENT;
  }

  /** Keys of the map at `path`, in order; nothing if there is no map. */
  *keys(path: Path = [], range: Range = {}): Generator<string> {
    for (const [key] of this.#entries("keys", path, range)) yield key;
  }

  /** Keys and values of the map at `path`, in order, decoded one by one. */
  entries(path: Path = [], range: Range = {}): Generator<[string, Value]> {
    return this.#entries("entries", path, range, (item) => decode(this.#space, item));
  }

  /** Elements of the list at `path`, decoded one by one; nothing if there is no list. */
  *elements(path: Path = [], range: ListRange = {}): Generator<Value> {
    try {
      const node = this.#container(path);
      if (node?.kind !== "list") return;
      for (const item of listRange(this.#space, node, range)) yield decode(this.#space, item);
    } catch (error) {
      throw this.#while("elements", path, error, range);
    }
  }

  /** Entries of the map or elements of the list at `path`; bytes of text or bytes; else 0. */
  size(...path: Step[]): number {
    const stat = this.stat(...path);
    return stat === undefined || stat.kind === "scalar" ? 0 : stat.size;
  }

  /** What stands at `path`, without reading its content. */
  stat(...path: Step[]): Stat | undefined {
    try {
      const item = findItem(this.#space, this.#root, path);
      return item === ABSENT ? undefined : statItem(this.#space, item);
    } catch (error) {
      throw this.#while("place", path, error);
    }
  }

  /** Keys of the map at `path` with their {@link Stat.address}: reads nothing but the map itself. */
  addresses(path: Path = [], range: Range = {}): Generator<[string, number | undefined]> {
    const addressOf = (item: Item) => item instanceof Ref ? item.address : undefined;
    return this.#entries("keys", path, range, addressOf);
  }

  /** Keys of the map at `path` with what stands under each, without reading contents. */
  stats(path: Path = [], range: Range = {}): Generator<[string, Stat]> {
    return this.#entries("stats", path, range, (item) => statItem(this.#space, item));
  }

  /** The bytes (of text: UTF-8) at `path`, piece by piece. TypeError if it is neither. */
  content(path: Path, { start = 0, end = Infinity }: ByteRange = {}): Generator<Uint8Array> {
    try {
      const item = findItem(this.#space, this.#root, path);
      if (item !== ABSENT && extentOf(this.#space, item) !== undefined) {
        return this.#content(item, path, start, end);
      }
    } catch (error) {
      throw this.#while("bytes", path, error, { start, end });
    }
    throw new TypeError(`cannot read bytes of ${pathText(path)}: it is neither text nor bytes`);
  }

  /**
   * The item at `path`, or {@link ABSENT}.
   * @ignore
   */
  find(path: Path): Item | typeof ABSENT {
    try {
      return findItem(this.#space, this.#root, path);
    } catch (error) {
      throw this.#while("place", path, error);
    }
  }

  *#content(item: Item, path: Path, start: number, end: number): Generator<Uint8Array> {
    try {
      // Copies: parts are views into nodes and blocks, and a reader may change or transfer them.
      for (const part of readContent(this.#space, item, start, end)) yield new Uint8Array(part);
    } catch (error) {
      throw this.#while("bytes", path, error, { start, end });
    }
  }

  *#entries<T = Item>(
    kind: Reading["kind"],
    path: Path,
    range: Range,
    read: (item: Item) => T = (item) => item as T,
  ): Generator<[string, T]> {
    try {
      const node = this.#container(path);
      if (node?.kind !== "map") return;
      for (const [key, item] of mapEntries(this.#space, node, range)) yield [key, read(item)];
    } catch (error) {
      throw this.#while(kind, path, error, range);
    }
  }

  #container(path: Path) {
    const item = findItem(this.#space, this.#root, path);
    return item === ABSENT ? undefined : containerOf(this.#space, item);
  }

  /** `error`, which tells whoever fetches a missing block what it is read for. */
  #while(kind: Reading["kind"], path: Path, error: unknown, range?: Reading["range"]): unknown {
    if (error instanceof MissingBlock && this.#root instanceof Ref) {
      error.reading ??= { kind, root: this.#root.address, path, range };
    }
    return error;
  }
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
