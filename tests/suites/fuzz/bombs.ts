/** Logs made to hurt: few bytes that stand for much. */

import type { Space } from "../../../core/codec/chunks.ts";
import * as tag from "../../../core/codec/tags.ts";
import { Ref } from "../../../core/codec/value.ts";
import { Writer } from "../../../core/codec/writer.ts";

/** A list that holds the list before it `width` times, and so on, `depth` times: width ^ depth elements. */
export function sharedLists(space: Space, width: number, depth: number): Ref {
  let address = append(space, (chunk) => {
    chunk.u8(tag.SMALL_LIST + 1);
    chunk.u8(7);
  });
  for (let level = 0; level < depth; level++) {
    const child = address;
    address = append(space, (chunk) => {
      chunk.u8(tag.SMALL_LIST + width);
      for (let i = 0; i < width; i++) writeRef(chunk, child);
    });
  }
  return new Ref(address);
}

/** One list whose tree holds one and the same leaf `width` ^ `height` times. */
export function sharedLeaves(space: Space, width: number, height: number): Ref {
  let address = leafOfIntegers(space, 16);
  let size = 16;
  for (let level = 1; level <= height; level++) {
    const child = address;
    const childSize = size;
    address = append(space, (chunk) => {
      chunk.u8(tag.LIST_INNER);
      chunk.u8(level);
      chunk.varint(width);
      for (let i = 0; i < width; i++) {
        chunk.varint(child);
        chunk.varint(childSize);
      }
    });
    size *= width;
  }
  return new Ref(address);
}

/** Lists in lists, each a tree as high as a tree may be: the deepest way down that a reader can be sent. */
export function tallNest(space: Space, depth: number, height: number): Ref {
  let inner: Ref | undefined;
  for (let level = 0; level < depth; level++) inner = tallList(space, inner, height);
  return inner!;
}

function tallList(space: Space, first: Ref | undefined, height: number): Ref {
  let address = append(space, (chunk) => {
    chunk.u8(tag.LIST_LEAF);
    chunk.varint(16);
    for (let i = 0; i < 16; i++) {
      if (first === undefined) chunk.u8(i);
      else writeRef(chunk, first.address);
    }
  });
  for (let level = 1; level <= height; level++) {
    const child = address;
    // The root needs two children; every other inner node is read with one.
    const width = level === height ? 2 : 1;
    address = append(space, (chunk) => {
      chunk.u8(tag.LIST_INNER);
      chunk.u8(level);
      chunk.varint(width);
      for (let i = 0; i < width; i++) {
        chunk.varint(child);
        chunk.varint(16);
      }
    });
  }
  return new Ref(address);
}

/** Large bytes of `width` ^ `height` times one piece of 32 KiB. */
export function sharedPieces(space: Space, width: number, height: number): Ref {
  let address = append(space, (chunk) => {
    chunk.u8(tag.BYTES);
    chunk.varint(tag.PIECE_MAX_BYTES);
    chunk.raw(new Uint8Array(tag.PIECE_MAX_BYTES));
  });
  let size = tag.PIECE_MAX_BYTES;
  for (let level = 1; level <= height; level++) {
    const child = address;
    const childSize = size;
    address = append(space, (chunk) => {
      chunk.u8(tag.BYTES_INNER);
      chunk.u8(level);
      chunk.varint(width);
      for (let i = 0; i < width; i++) {
        chunk.varint(child);
        chunk.varint(childSize);
      }
    });
    size *= width;
  }
  return new Ref(address);
}

/**
 * The leaf of a map: `count` keys of `keyBytes` bytes that differ in their last one only, after the
 * text `first`; it writes their common bytes once.
 */
export function sharedKeys(space: Space, first: string, count: number, keyBytes: number): Ref {
  return new Ref(append(space, (chunk) => {
    const key = new TextEncoder().encode(first.padEnd(keyBytes - 1, "k"));
    chunk.u8(tag.MAP_LEAF);
    chunk.varint(count);
    for (let i = 0; i < count; i++) {
      const shared = i === 0 ? 0 : keyBytes - 1;
      chunk.varint(shared);
      chunk.varint(keyBytes - shared);
      if (i === 0) chunk.raw(key);
      chunk.u8(32 + i);
      chunk.u8(1);
    }
  }));
}

function leafOfIntegers(space: Space, count: number): number {
  return append(space, (chunk) => {
    chunk.u8(tag.LIST_LEAF);
    chunk.varint(count);
    for (let i = 0; i < count; i++) chunk.u8(i);
  });
}

function writeRef(chunk: Writer, address: number): void {
  chunk.u8(tag.REF);
  chunk.varint(address);
}

function append(space: Space, write: (chunk: Writer) => void): number {
  const chunk = new Writer();
  write(chunk);
  return space.append(chunk.view());
}
