/**
 * Builds the tree of a map, list or large bytes from its entries in order, reusing whole subtrees of
 * an older tree where it can. Where nodes end depends only on their entries, so equal content gives
 * equal nodes whatever the order of edits (the idea of prolly trees; boundaries are normalised as in
 * FastCDC: rare up to NODE_LOOSE entries, frequent after, so that sizes vary little).
 */

import type { Space } from "./chunks.ts";
import type { Kind } from "./node.ts";
import { NotStorable, writeScalar } from "./write_scalar.ts";
import * as tag from "./tags.ts";
import { type Item, Ref } from "./value.ts";
import { borrowWriter, giveBack, type Writer } from "./writer.ts";

/** The nodes being filled at one height. */
interface Level {
  /** The entries so far, encoded. */
  readonly body: Writer;
  /** UTF-8 of the last key, for the prefix that the next one shares. */
  lastBytes: Writer;
  /** The key being added. */
  nextBytes: Writer;
  count: number;
  size: number;
  keyBytes: number;
  /** Bytes that keys share with the ones before them: they are not written again. */
  sharedBytes: number;
  lastKey: string;
  /** The entries as the parsed node will hold them; undefined if it is not kept. */
  parsed: Parsed | undefined;
  /** The only child, while there is just one: a root with one child is that child. */
  only: number;
}

/** The parts of a {@link Node}. */
interface Parsed {
  readonly keys: string[];
  readonly items: Item[];
  readonly sizes: number[];
}

/** A node that was written: what its parent holds of it. */
export interface Written {
  readonly address: number;
  readonly size: number;
}

/** Takes entries and subtrees in order; {@link finish} gives the root. */
export class TreeBuilder {
  readonly #space: Space;
  readonly #kind: Kind;
  readonly #keeps: boolean;
  readonly #levels: Level[] = [];

  /**
   * An empty tree of `kind` whose chunks go to `space`. With `keeps` its nodes are at hand there
   * afterwards, unread: what was edited is mostly edited again.
   */
  constructor(space: Space, kind: Kind, keeps = false) {
    this.#space = space;
    this.#kind = kind;
    this.#keeps = keeps;
  }

  /** Adds a leaf entry. */
  push(key: string, item: Item): void {
    const level = this.#level(0);
    const start = level.body.at;
    if (this.#kind === "map") writeKey(level, key);
    const written = writeItem(this.#space, level.body, item, tag.INLINE_TREE);
    this.#keep(level, key, written);
    this.#added(0, key, 1, start);
  }

  /** Adds the node at `address` of `height` (0: a leaf, or a piece of bytes), unread. */
  pushNode(height: number, key: string, address: number, size: number): void {
    const level = this.#level(height + 1);
    const start = level.body.at;
    if (this.#kind === "map") writeKey(level, key);
    level.body.varint(address);
    level.body.varint(size);
    if (this.#keeps) {
      this.#keep(level, key, new Ref(address));
      level.parsed?.sizes.push(size);
    }
    level.only = address;
    this.#added(height + 1, key, size, start);
  }

  /** Whether a node of `height` could be reused here: nothing is waiting at its height or below. */
  isAligned(height: number): boolean {
    for (let i = 0; i <= height && i < this.#levels.length; i++) {
      if (this.#levels[i].count > 0) return false;
    }
    return true;
  }

  /** Writes what is left and gives the root, or undefined if nothing was added. */
  finish(): Written | undefined {
    for (let height = 0; height < this.#levels.length; height++) {
      const level = this.#levels[height];
      if (level.count === 0) continue;
      const top = height === this.#levels.length - 1;
      if (top && height > 0 && level.count === 1) {
        const root = { address: level.only, size: level.size };
        this.#releaseAll();
        return root;
      }
      if (top) {
        const root = this.#write(height, level);
        this.#releaseAll();
        return root;
      }
      this.#close(height, level);
    }
    this.#releaseAll();
    return undefined;
  }

  /** Remembers an entry for the node that is kept. */
  #keep(level: Level, key: string, item: Item): void {
    if (level.parsed === undefined) return;
    if (this.#kind === "map") level.parsed.keys.push(key);
    level.parsed.items.push(item);
  }

  #added(height: number, key: string, size: number, start: number): void {
    const level = this.#levels[height];
    level.count++;
    level.size += size;
    level.lastKey = key;
    const { count } = level;
    if (count < tag.NODE_MIN && level.keyBytes < tag.NODE_KEY_BYTES) return;
    const hash = this.#kind === "map"
      ? hashBytes(level.lastBytes.bytes, 0, level.lastBytes.at, height)
      : hashBytes(level.body.bytes, start, level.body.at, height);
    const boundary = count >= tag.NODE_MIN && (hash & (count < tag.NODE_LOOSE ? 15 : 3)) === 0;
    const full = count >= tag.NODE_MAX || count > 1 && level.keyBytes >= tag.NODE_KEY_BYTES;
    if (boundary || full) this.#close(height, level);
  }

  #close(height: number, level: Level): void {
    const { lastKey } = level;
    const { address, size } = this.#write(height, level);
    this.pushNode(height, lastKey, address, size);
  }

  #write(height: number, level: Level): Written {
    const chunk = borrowWriter();
    chunk.u8(nodeTag(this.#kind, height));
    if (height > 0) chunk.u8(height);
    chunk.varint(level.count);
    chunk.raw(level.body.bytes, 0, level.body.at);
    const address = this.#space.append(chunk.view());
    const { size, parsed } = level;
    if (parsed !== undefined) {
      const { keys, items, sizes } = parsed;
      const kind = this.#kind;
      const bytes = chunk.at + level.sharedBytes;
      const node = { kind, height, small: false, keys, items, sizes, size, bytes };
      this.#space.keep(address, node);
    }
    giveBack(chunk);
    reset(level, this.#keeps);
    return { address, size };
  }

  #level(height: number): Level {
    while (this.#levels.length <= height) {
      const level: Level = {
        body: borrowWriter(),
        lastBytes: borrowWriter(),
        nextBytes: borrowWriter(),
        count: 0,
        size: 0,
        keyBytes: 0,
        sharedBytes: 0,
        lastKey: "",
        parsed: this.#keeps ? { keys: [], items: [], sizes: [] } : undefined,
        only: 0,
      };
      this.#levels.push(level);
    }
    return this.#levels[height];
  }

  #releaseAll(): void {
    for (const level of this.#levels) {
      for (const writer of [level.body, level.lastBytes, level.nextBytes]) {
        giveBack(writer);
      }
    }
    this.#levels.length = 0;
  }
}

/**
 * Writes `item` into a container; a scalar of more than `inlineMax` bytes becomes a chunk. Gives what
 * the container holds then.
 */
export function writeItem(space: Space, writer: Writer, item: Item, inlineMax: number): Item {
  const start = writer.at;
  writeScalar(writer, item);
  if (writer.at - start <= inlineMax || item instanceof Ref) return item;
  const address = space.append(writer.view(start));
  writer.at = start;
  writer.u8(tag.REF);
  writer.varint(address);
  return new Ref(address);
}

/** The UTF-8 bytes of `key` into `writer`; NotStorable if it is too long or not well formed. */
export function writeKeyBytes(writer: Writer, key: string): number {
  let length = 0;
  try {
    length = writer.utf8(key);
  } catch (error) {
    throw new NotStorable(`a key has a lone surrogate`, { cause: error });
  }
  if (length > tag.KEY_MAX_BYTES) {
    throw new NotStorable(`a key of ${length} bytes is longer than ${tag.KEY_MAX_BYTES}`);
  }
  return length;
}

function writeKey(level: Level, key: string): void {
  const { body, lastBytes, nextBytes } = level;
  nextBytes.at = 0;
  const length = writeKeyBytes(nextBytes, key);
  const most = level.count === 0 ? 0 : Math.min(length, lastBytes.at);
  let shared = 0;
  while (shared < most && lastBytes.bytes[shared] === nextBytes.bytes[shared]) shared++;
  body.varint(shared);
  body.varint(length - shared);
  body.raw(nextBytes.bytes, shared, length);
  level.keyBytes += length;
  level.sharedBytes += shared;
  level.lastBytes = nextBytes;
  level.nextBytes = lastBytes;
}

function reset(level: Level, keeps: boolean): void {
  level.parsed = keeps ? { keys: [], items: [], sizes: [] } : undefined;
  level.body.at = 0;
  level.count = 0;
  level.size = 0;
  level.keyBytes = 0;
  level.sharedBytes = 0;
}

function nodeTag(kind: Kind, height: number): number {
  if (kind === "map") return height === 0 ? tag.MAP_LEAF : tag.MAP_INNER;
  if (kind === "list") return height === 0 ? tag.LIST_LEAF : tag.LIST_INNER;
  return tag.BYTES_INNER;
}

/** FNV-1a, 32 bits, over the bytes and the height, then the finaliser of MurmurHash3 (signed). */
export function hashBytes(
  bytes: Uint8Array,
  from: number,
  to: number,
  height: number,
): number {
  let hash = 0x811c9dc5 ^ height;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
