/** Taking values of any size from one log into another, in bounded memory. */

import { TreeBuilder } from "../codec/builder.ts";
import { Cache } from "../codec/cache.ts";
import { type Space, untilThere } from "../codec/chunks.ts";
import { containerOf, listItems, mapEntries, resolve } from "../codec/container.ts";
import { DEFAULT_BUDGET } from "../codec/decode.ts";
import { editMap, type MapEdit, writeList, writeMap } from "../codec/edit.ts";
import { extentOf, readContent } from "../codec/large.ts";
import { PieceWriter, textOver } from "../codec/pieces.ts";
import { Meter } from "../codec/meter.ts";
import type { Node } from "../codec/node.ts";
import { DEPTH_MAX, PIECE_MAX_BYTES, SMALL_MAX } from "../codec/tags.ts";
import { type Item, Ref } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import { ABSENT, childItem } from "../codec/find.ts";
import { diffEntries } from "./diff_map.ts";
import { sameItem } from "./same_item.ts";

/** Copied chunks that are remembered, 16 each. */
const COPIED_WEIGHT = 16 * 200_000;
/** Entries and elements that are read at a time. */
const STEP = 64;
/** Bytes of large content that are read at a time. */
const STEP_BYTES = 256 * 1024;

/** Copies from one log to another; `pause` is called often and may make what is written durable. */
export class LogCopy {
  readonly #from: Space;
  readonly #to: Space;
  readonly #pause: () => Promise<void> | undefined;
  /** Where chunks have gone: one that stands in many places is copied once. */
  readonly #copied = new Cache<Ref>(COPIED_WEIGHT);

  constructor(from: Space, to: Space, pause: () => Promise<void> | undefined) {
    this.#from = from;
    this.#to = to;
    this.#pause = pause;
  }

  /** `item` as an item of the other log; `budget` if it nests too deep. */
  async copy(item: Item, depth = 0): Promise<Item> {
    const known = this.#known(item);
    if (known !== undefined || !(item instanceof Ref)) return known;
    if (depth > DEPTH_MAX) throw new StreamoError("budget", `values nest deeper than ${DEPTH_MAX}`);
    const node = await untilThere(() => containerOf(this.#from, item));
    const copied = node === undefined
      ? await this.#content(item)
      : await this.#container(node, depth);
    if (copied instanceof Ref) this.#copied.set(item.address, copied, 16);
    await this.#pause();
    return copied;
  }

  /**
   * `after`, given that `copied` is the copy of `before`: in time proportional to the change, as far
   * as maps go.
   */
  async copyChange(before: Item, after: Item, copied: Item): Promise<Item> {
    if (sameItem(before, after)) return copied;
    const changes = await untilThere(() => {
      const [a, b] = [containerOf(this.#from, before), containerOf(this.#from, after)];
      if (a?.kind !== "map" || b?.kind !== "map") return undefined;
      return diffEntries(this.#from, a, b, new Meter("copying", DEFAULT_BUDGET.elements));
    });
    if (changes === undefined) return await this.copy(after);
    const edits: MapEdit[] = [];
    for (const { key, before, after } of changes) {
      const child = await untilThere(() => childItem(this.#to, copied, key));
      if (after === ABSENT) edits.push({ key, put: false, item: undefined });
      else {
        const isNew = before === ABSENT || child === ABSENT;
        const item = isNew ? await this.copy(after) : await this.copyChange(before, after, child);
        edits.push({ key, put: true, item });
      }
    }
    return await untilThere(() => editMap(this.#to, containerOf(this.#to, copied)!, edits));
  }

  #known(item: Item): Item {
    return item instanceof Ref ? this.#copied.get(item.address) : item;
  }

  async #child(item: Item, depth: number): Promise<Item> {
    return await this.copy(item, depth + 1);
  }

  async #container(node: Node, depth: number): Promise<Item> {
    const isSmall = node.size <= SMALL_MAX;
    const builder = new TreeBuilder(this.#to, node.kind);
    const keys: string[] = [];
    const items: Item[] = [];
    for await (const [key, item] of this.#children(node)) {
      // Most children are scalars: those are not waited for.
      const copied = this.#known(item) ?? await this.#child(item, depth);
      if (!isSmall) builder.push(key, copied);
      else {
        keys.push(key);
        items.push(copied);
      }
    }
    if (!isSmall) return new Ref(builder.finish()!.address);
    return node.kind === "list" ? writeList(this.#to, items) : writeMap(this.#to, keys, items);
  }

  async *#children(node: Node): AsyncGenerator<[string, Item]> {
    let start = "";
    for (let at = 0; at < node.size; at += STEP) {
      const found = await untilThere((): [string, Item][] =>
        node.kind === "list"
          ? [...listItems(this.#from, node, at, at + STEP)].map((item) => ["", item])
          : [...mapEntries(this.#from, node, { start, limit: STEP })]
      );
      yield* found;
      // The next key in the order of bytes.
      start = `${found[found.length - 1]?.[0]}\0`;
    }
  }

  async #content(item: Ref): Promise<Item> {
    const extent = await untilThere(() => extentOf(this.#from, item));
    if (extent === undefined || extent.size <= PIECE_MAX_BYTES) {
      return await untilThere(() => resolve(this.#from, item));
    }
    const pieces = new PieceWriter(this.#to);
    for (let at = 0; at < extent.size; at += STEP_BYTES) {
      const end = Math.min(at + STEP_BYTES, extent.size);
      for (const part of await untilThere(() => [...readContent(this.#from, item, at, end)])) {
        pieces.push(part);
      }
      await this.#pause();
    }
    const copied = pieces.finish();
    return extent.kind === "string" ? textOver(this.#to, copied as Ref) : copied;
  }
}
