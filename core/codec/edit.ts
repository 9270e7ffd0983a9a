/** Changing maps and lists: only the nodes on the way to a change are written again. */

import { TreeBuilder, writeItem, writeKeyBytes } from "./builder.ts";
import type { Space } from "./chunks.ts";
import { child, listItems, mapEntries, resolve } from "./container.ts";
import type { Node } from "./node.ts";
import * as tag from "./tags.ts";
import { compareText } from "./text.ts";
import { EMPTY_LIST, EMPTY_MAP, type Item, Ref } from "./value.ts";
import { borrowWriter, giveBack, type Writer } from "./writer.ts";

/** One change of a map: a new item, or none to delete the key. */
export interface MapEdit {
  readonly key: string;
  readonly put: boolean;
  readonly item: Item;
}

/** One change of a list: at index `at` (of the list as it was) remove some and insert some. */
export interface Splice {
  readonly at: number;
  readonly remove: number;
  readonly insert: readonly Item[];
}

/** A map of these entries, whose keys are sorted and distinct. */
export function writeMap(space: Space, keys: readonly string[], items: readonly Item[]): Item {
  if (keys.length === 0) return EMPTY_MAP;
  if (keys.length <= tag.SMALL_MAX) {
    const small = writeSmallMap(space, keys, items);
    if (small !== undefined) return small;
  }
  const builder = new TreeBuilder(space, "map");
  for (let i = 0; i < keys.length; i++) builder.push(keys[i], items[i]);
  return new Ref(builder.finish()!.address);
}

/** A list of these elements. */
export function writeList(space: Space, items: readonly Item[]): Item {
  if (items.length === 0) return EMPTY_LIST;
  if (items.length > tag.SMALL_MAX) {
    const builder = new TreeBuilder(space, "list");
    for (const item of items) builder.push("", item);
    return new Ref(builder.finish()!.address);
  }
  const writer = borrowWriter();
  writer.u8(tag.SMALL_LIST + items.length);
  for (const item of items) writeItem(space, writer, item, tag.INLINE_SMALL);
  return finishSmall(space, writer);
}

/** `node` with `edits`, which are sorted by key and distinct. */
export function editMap(space: Space, node: Node, edits: readonly MapEdit[]): Item {
  const deletes = edits.reduce((count, edit) => count + (edit.put ? 0 : 1), 0);
  if (node.small || node.size - deletes <= tag.SMALL_MAX) {
    const keys: string[] = [];
    const items: Item[] = [];
    const entries = [...mapEntries(space, node)];
    const before = { keys: entries.map(([key]) => key), items: entries.map(([, item]) => item) };
    mergeEntries(before, edits, 0, edits.length, (key, item) => {
      keys.push(key);
      items.push(resolve(space, item));
    });
    return writeMap(space, keys, items);
  }
  const builder = new TreeBuilder(space, "map", true);
  const push = (key: string, item: Item) => builder.push(key, item);
  const visit = (part: Node, from: number, to: number): void => {
    if (part.height === 0) return mergeEntries(part, edits, from, to, push);
    for (let i = 0; i < part.items.length; i++) {
      const last = i === part.items.length - 1;
      const end = last ? to : firstAfter(edits, from, to, part.keys[i]);
      if (from === end && builder.isAligned(part.height - 1)) {
        const { address } = part.items[i] as Ref;
        builder.pushNode(part.height - 1, part.keys[i], address, part.sizes[i]);
      } else {
        visit(child(space, part, i), from, end);
      }
      from = end;
    }
  };
  visit(node, 0, edits.length);
  const root = builder.finish();
  return root === undefined ? EMPTY_MAP : new Ref(root.address);
}

/** `node` with `splices`, which are sorted and do not overlap. */
export function editList(space: Space, node: Node, splices: readonly Splice[]): Item {
  const size = splices.reduce((sum, { remove, insert }) => sum - remove + insert.length, node.size);
  const target = new Splicer(splices);
  if (node.small || size <= tag.SMALL_MAX) {
    const items: Item[] = [];
    const keep = (item: Item) => items.push(resolve(space, item));
    let at = 0;
    for (const item of listItems(space, node)) target.step(at++, item, keep);
    target.step(at, undefined, keep, true);
    return writeList(space, items);
  }
  const builder = new TreeBuilder(space, "list", true);
  const push = (item: Item) => builder.push("", item);
  const visit = (part: Node, start: number): void => {
    for (let i = 0; i < part.items.length; i++) {
      if (part.height === 0) {
        target.step(start++, part.items[i], push);
        continue;
      }
      const end = start + part.sizes[i];
      if (target.covers(end)) target.skip(part.sizes[i]);
      else if (target.isQuiet(end, node.size) && builder.isAligned(part.height - 1)) {
        const { address } = part.items[i] as Ref;
        builder.pushNode(part.height - 1, "", address, part.sizes[i]);
      } else visit(child(space, part, i), start);
      start = end;
    }
  };
  visit(node, 0);
  target.step(node.size, undefined, push, true);
  const root = builder.finish();
  return root === undefined ? EMPTY_LIST : new Ref(root.address);
}

/** Applies splices to elements that pass by in order. */
class Splicer {
  readonly #splices: readonly Splice[];
  #next = 0;
  #removing = 0;

  constructor(splices: readonly Splice[]) {
    this.#splices = splices;
  }

  /** The element at `at` passes; `end` says that this is the place after the last one. */
  step(at: number, item: Item, keep: (item: Item) => void, end = false): void {
    while (this.#splices[this.#next]?.at === at) {
      const { remove, insert } = this.#splices[this.#next++];
      insert.forEach(keep);
      this.#removing += remove;
    }
    if (end) return;
    if (this.#removing > 0) this.#removing--;
    else keep(item);
  }

  /** Whether all elements up to `end` are being removed and nothing is inserted among them. */
  covers(end: number): boolean {
    const next = this.#splices[this.#next];
    return this.#removing > 0 && (next === undefined || next.at >= end) &&
      this.#removing >= end - this.#from(end);
  }

  /** Passes `count` removed elements at once. */
  skip(count: number): void {
    this.#removing -= count;
  }

  /** Whether elements up to `end` are untouched; what is added at the very end touches the last. */
  isQuiet(end: number, size: number): boolean {
    const next = this.#splices[this.#next];
    return this.#removing === 0 &&
      (next === undefined || next.at > end || next.at === end && end < size);
  }

  #from(end: number): number {
    const previous = this.#splices[this.#next - 1];
    return Math.min(end, previous.at + previous.remove - this.#removing);
  }
}

function writeSmallMap(
  space: Space,
  keys: readonly string[],
  items: readonly Item[],
): Item | undefined {
  const writer = borrowWriter();
  const key = borrowWriter();
  writer.u8(tag.SMALL_MAP + keys.length);
  let keyBytes = 0;
  for (let i = 0; i < keys.length && keyBytes <= tag.SMALL_KEY_BYTES; i++) {
    key.at = 0;
    const length = writeKeyBytes(key, keys[i]);
    keyBytes += length;
    writer.varint(length);
    writer.raw(key.view());
    writeItem(space, writer, items[i], tag.INLINE_SMALL);
  }
  giveBack(key);
  if (keyBytes > tag.SMALL_KEY_BYTES) {
    giveBack(writer);
    return undefined;
  }
  return finishSmall(space, writer);
}

function finishSmall(space: Space, writer: Writer): Ref {
  const address = space.append(writer.view());
  giveBack(writer);
  return new Ref(address);
}

/** Merges sorted entries with edits [from, to). */
function mergeEntries(
  { keys, items }: Pick<Node, "keys" | "items">,
  edits: readonly MapEdit[],
  from: number,
  to: number,
  keep: (key: string, item: Item) => void,
): void {
  for (let i = 0; i < keys.length; i++) {
    let order = -1;
    while (from < to && (order = compareText(edits[from].key, keys[i])) < 0) {
      put(edits[from++], keep);
    }
    if (from < to && order === 0) put(edits[from++], keep);
    else keep(keys[i], items[i]);
  }
  while (from < to) put(edits[from++], keep);
}

function put(edit: MapEdit, keep: (key: string, item: Item) => void): void {
  if (edit.put) keep(edit.key, edit.item);
}

/** The first edit in [from, to) whose key is after `key`. */
function firstAfter(edits: readonly MapEdit[], from: number, to: number, key: string): number {
  while (from < to && compareText(edits[from].key, key) <= 0) from++;
  return from;
}
