/** Numbers for elements of lists: equal values have equal numbers, wherever they are stored. */

import type { Space } from "../codec/chunks.ts";
import { containerOf, listItems, mapEntries, resolve } from "../codec/container.ts";
import { extentOf } from "../codec/large.ts";
import type { Meter } from "../codec/meter.ts";
import { EMPTY_LIST, EMPTY_MAP, type Item, Link, Ref } from "../codec/value.ts";
import type { Comparer, Place } from "./compare.ts";

/** How many parts of an element go into its fingerprint; what is alike in them is then compared. */
const PARTS_MAX = 64;
/** How much of a text or of bytes does. */
const PART_LENGTH = 80;

/** Gives the same number to equal elements, by content: an equal one may have been stored twice. */
export class ElementIds {
  readonly #comparer: Comparer;
  readonly #byAddress = new Map<Space, Map<number, number>>();
  readonly #byPrint = new Map<string, { readonly place: Place; readonly id: number }[]>();
  #next = 0;

  /** Decides with `comparer` where fingerprints are equal. */
  constructor(comparer: Comparer) {
    this.#comparer = comparer;
  }

  /** The number of `item`. */
  of(space: Space, item: Item): number {
    if (!(item instanceof Ref)) return this.#find({ space, item });
    let known = this.#byAddress.get(space);
    if (known === undefined) this.#byAddress.set(space, known = new Map());
    let id = known.get(item.address);
    if (id === undefined) known.set(item.address, id = this.#find({ space, item }));
    return id;
  }

  #find(place: Place): number {
    const print = fingerprint(place, this.#comparer.meter);
    let alike = this.#byPrint.get(print);
    if (alike === undefined) this.#byPrint.set(print, alike = []);
    const equal = alike.find((other) => this.#comparer.isEqual(other.place, place));
    if (equal !== undefined) return equal.id;
    alike.push({ place, id: this.#next });
    return this.#next++;
  }
}

/** Text that is equal for equal values, and mostly not for others. */
function fingerprint({ space, item }: Place, meter: Meter): string {
  const parts: string[] = [];
  const visit = (item: Item): void => {
    if (parts.length >= PARTS_MAX) return;
    meter.spend(1);
    const found = resolve(space, item);
    if (!(found instanceof Ref)) {
      parts.push(partOf(found));
      return;
    }
    const node = containerOf(space, found);
    if (node === undefined) {
      const { kind, size } = extentOf(space, found)!;
      parts.push(`${kind} ${size}`);
    } else if (node.kind === "list") {
      parts.push(`list ${node.size}`);
      for (const element of listItems(space, node, 0, PARTS_MAX)) visit(element);
    } else {
      parts.push(`map ${node.size}`);
      for (const [key, value] of mapEntries(space, node, { limit: PARTS_MAX })) {
        parts.push(key);
        visit(value);
      }
    }
  };
  visit(item);
  return parts.join("\0");
}

function partOf(scalar: Exclude<Item, Ref>): string {
  if (scalar === EMPTY_MAP) return "map 0";
  if (scalar === EMPTY_LIST) return "list 0";
  if (typeof scalar === "string") return `"${scalar.length} ${scalar.slice(0, PART_LENGTH)}`;
  if (scalar instanceof Uint8Array) {
    return `bytes ${scalar.length} ${scalar.subarray(0, PART_LENGTH)}`;
  }
  if (scalar instanceof Date) return `date ${scalar.getTime()}`;
  if (scalar instanceof Link) return `link ${scalar.key} ${scalar.seq} ${scalar.path.join("/")}`;
  return Object.is(scalar, -0) ? "-0" : `${typeof scalar} ${String(scalar)}`;
}
