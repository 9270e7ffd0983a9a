/**
 * Nodes: the chunks that maps, lists and large bytes are made of.
 *
 *     small map    [0x60 + count] ([key length] [key] [item])*
 *     map leaf     [0x8e] [count] ([shared] [rest length] [rest of key] [item])*
 *     map inner    [0x8f] [height] [count] ([shared] [rest length] [rest of last key] [address] [size])*
 *     small list   [0x70 + count] ([item])*
 *     list leaf    [0x90] [count] ([item])*
 *     list inner   [0x91] [height] [count] ([address] [size])*
 *     bytes inner  [0x92] [height] [count] ([address] [size in bytes])*
 *
 * `shared` is how many bytes a key has in common with the key before it.
 */

import { readAddress, readScalar } from "./scalar.ts";
import * as tag from "./tags.ts";
import { decodeUtf8 } from "./text.ts";
import { type Item, Ref } from "./value.ts";
import { malformed, Reader } from "./reader.ts";

/** What a tree is over. */
export type Kind = "map" | "list" | "bytes";

/** One parsed node. */
export interface Node {
  readonly kind: Kind;
  /** 0 for leaves and small containers. */
  readonly height: number;
  /** Whether the whole container is this one chunk in its small form. */
  readonly small: boolean;
  /** Keys of a map's leaf; last keys of the children of a map's inner node; else empty. */
  readonly keys: readonly string[];
  /** Children: items in a leaf, references in an inner node. */
  readonly items: readonly Item[];
  /** Entries (or bytes) below each child of an inner node; empty in a leaf. */
  readonly sizes: readonly number[];
  /** Entries (or bytes) below this node. */
  readonly size: number;
  /** Bytes of this chunk with every key written out: what it takes up once it is read. */
  readonly bytes: number;
}

/** Whether a chunk that starts with `first` is a node that {@link parseNode} reads. */
export function isNode(first: number): boolean {
  return isSmallNode(first) || first >= tag.MAP_LEAF && first <= tag.BYTES_INNER;
}

/** Whether a chunk that starts with `first` is a whole map or list in its small form. */
export function isSmallNode(first: number): boolean {
  return first >= tag.SMALL_MAP && first < tag.NULL;
}

/** Parses the node at `address`; `malformed` unless it is one. */
export function parseNode(bytes: Uint8Array, address: number): Node {
  const reader = new Reader(bytes);
  const first = reader.u8();
  // An empty container is never a chunk: it sits inside its parent.
  if (first === tag.SMALL_MAP || first === tag.SMALL_LIST) throw malformed("an empty chunk");
  if (first >= tag.SMALL_MAP && first < tag.SMALL_LIST) {
    return parseSmallMap(reader, first - tag.SMALL_MAP, address);
  }
  if (first >= tag.SMALL_LIST && first < tag.NULL) {
    return parseItems(reader, first - tag.SMALL_LIST, true, address);
  }
  switch (first) {
    case tag.MAP_LEAF:
      return parseMap(reader, 0, address);
    case tag.MAP_INNER:
      return parseMap(reader, readHeight(reader), address);
    case tag.LIST_LEAF:
      return parseItems(reader, readCount(reader), false, address);
    case tag.LIST_INNER:
      return parseInner(reader, "list", address);
    case tag.BYTES_INNER:
      return parseInner(reader, "bytes", address);
    default:
      throw malformed(`the chunk at ${address} is not a map, list or bytes node`);
  }
}

function parseSmallMap(reader: Reader, count: number, address: number): Node {
  const keys: string[] = [];
  const items: Item[] = [];
  let previous = 0;
  let previousLength = 0;
  let keyBytes = 0;
  for (let i = 0; i < count; i++) {
    const length = reader.varint();
    // Places instead of views: views of a few bytes cost more than reading them.
    const key = reader.skip(length);
    const isAfter = sortsAfter(reader.bytes, key, length, previous, previousLength);
    if (i > 0 && !isAfter) throw unordered();
    previous = key;
    previousLength = length;
    keyBytes += length;
    keys.push(decodeUtf8(reader.bytes, key, key + length));
    items.push(readItem(reader, address, tag.INLINE_SMALL));
  }
  if (keyBytes > tag.SMALL_KEY_BYTES) throw malformed("the keys of a small map are too long");
  return leaf("map", true, keys, items, reader.at);
}

function parseItems(reader: Reader, count: number, small: boolean, address: number): Node {
  const items: Item[] = [];
  const inlineMax = small ? tag.INLINE_SMALL : tag.INLINE_TREE;
  for (let i = 0; i < count; i++) items.push(readItem(reader, address, inlineMax));
  return leaf("list", small, [], items, reader.at);
}

/** Reads an item; a scalar of more than `inlineMax` bytes would be a chunk of its own. */
export function readItem(reader: Reader, address: number, inlineMax: number): Item {
  const start = reader.at;
  const item = readScalar(reader, address);
  if (reader.at - start > inlineMax) throw malformed("a scalar is too long for its container");
  return item;
}

function leaf(kind: Kind, small: boolean, keys: string[], items: Item[], bytes: number): Node {
  return { kind, height: 0, small, keys, items, sizes: [], size: items.length, bytes };
}

/** Scratch for the key being read; grows to the longest key. */
let scratch = new Uint8Array(256);

function parseMap(reader: Reader, height: number, address: number): Node {
  const count = readCount(reader);
  const keys: string[] = [];
  const items: Item[] = [];
  const sizes: number[] = [];
  let size = 0;
  let previousLength = -1;
  let keyBytes = 0;
  let sharedBytes = 0;
  for (let i = 0; i < count; i++) {
    // A writer ends the node here; else a few bytes could stand for 64 of the longest keys.
    if (i > 1 && keyBytes >= tag.NODE_KEY_BYTES) throw malformed("the keys of a node are too long");
    const shared = reader.varint();
    previousLength = readKey(reader, shared, previousLength);
    sharedBytes += shared;
    keyBytes += previousLength;
    keys.push(decodeUtf8(scratch, 0, previousLength));
    if (height === 0) {
      items.push(readItem(reader, address, tag.INLINE_TREE));
      continue;
    }
    items.push(new Ref(readAddress(reader, address)));
    sizes.push(readSize(reader));
    size = addSize(size, sizes[i]);
  }
  const bytes = reader.at + sharedBytes;
  if (height === 0) return leaf("map", false, keys, items, bytes);
  return { kind: "map", height, small: false, keys, items, sizes, size, bytes };
}

/** Reads the rest of a key into `scratch`, where the one before it still stands; gives its length. */
function readKey(reader: Reader, shared: number, previousLength: number): number {
  const rest = reader.raw(reader.varint());
  const length = shared + rest.length;
  if (length > tag.KEY_MAX_BYTES) throw malformed("a key is too long");
  if (previousLength < 0) {
    if (shared !== 0) throw malformed("a first key shares bytes with nothing");
  } else if (
    shared > previousLength || rest.length === 0 ||
    shared < previousLength && rest[0] <= scratch[shared]
  ) {
    // Also stops a `shared` that is shorter than it could be: then the next bytes would be equal.
    throw unordered();
  }
  if (length > scratch.length) {
    const grown = new Uint8Array(length * 2);
    grown.set(scratch);
    scratch = grown;
  }
  scratch.set(rest, shared);
  return length;
}

function parseInner(reader: Reader, kind: Kind, address: number): Node {
  const height = readHeight(reader);
  const count = readCount(reader);
  const items: Item[] = [];
  const sizes: number[] = [];
  let size = 0;
  for (let i = 0; i < count; i++) {
    items.push(new Ref(readAddress(reader, address)));
    sizes.push(readSize(reader));
    size = addSize(size, sizes[i]);
  }
  return { kind, height, small: false, keys: [], items, sizes, size, bytes: reader.at };
}

function readHeight(reader: Reader): number {
  const height = reader.u8();
  // Every level holds at least 2 entries a node, so 53 levels reach past every safe integer.
  if (height < 1 || height > 53) throw malformed(`a node of height ${height}`);
  return height;
}

function readCount(reader: Reader): number {
  const count = reader.varint();
  if (count < 1 || count > tag.NODE_MAX) throw malformed(`a node with ${count} entries`);
  return count;
}

function readSize(reader: Reader): number {
  const size = reader.varint();
  if (size === 0) throw malformed("a node has an empty child");
  return size;
}

function addSize(sum: number, size: number): number {
  if (!Number.isSafeInteger(sum + size)) throw malformed("the sizes of a node are past 2^53 - 1");
  return sum + size;
}

function unordered(): Error {
  return malformed("keys are not in order, or not in their shortest form");
}

/** Whether the text at `a` sorts after the one at `b`. */
function sortsAfter(
  bytes: Uint8Array,
  a: number,
  aLength: number,
  b: number,
  bLength: number,
): boolean {
  const length = Math.min(aLength, bLength);
  for (let i = 0; i < length; i++) {
    if (bytes[a + i] !== bytes[b + i]) return bytes[a + i] > bytes[b + i];
  }
  return aLength > bLength;
}
