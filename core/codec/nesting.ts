/** How deep values nest: what is moved as it is must still be readable where it goes. */

import { StreamoError } from "../errors.ts";
import type { Space } from "./chunks.ts";
import { containerOf, listItems, mapEntries } from "./container.ts";
import { DEFAULT_BUDGET } from "./decode.ts";
import { Meter } from "./meter.ts";
import type { Node } from "./node.ts";
import { DEPTH_MAX } from "./tags.ts";
import { type Item, Ref } from "./value.ts";

/**
 * How many containers with content stand one inside the other; 0 for a scalar. `budget` for what could
 * not be read, and past `most` entries and elements.
 */
export function nestingOf(
  space: Space,
  item: Item,
  most: number = DEFAULT_BUDGET.elements,
): number {
  const known = new Map<number, number>();
  const meter = new Meter("measuring a value", most);
  const visit = (item: Item, depth: number): number => {
    if (!(item instanceof Ref)) return 0;
    const { address } = item;
    const found = known.get(address);
    if (found !== undefined) return found;
    if (depth > DEPTH_MAX) throw new StreamoError("budget", `values nest deeper than ${DEPTH_MAX}`);
    const root = containerOf(space, item);
    let nesting = 0;
    if (root !== undefined) {
      for (const child of itemsOf(space, root)) {
        meter.spend(1);
        nesting = Math.max(nesting, visit(child, depth + 1));
      }
      nesting++;
    }
    known.set(address, nesting);
    return nesting;
  };
  return visit(item, 0);
}

function* itemsOf(space: Space, root: Node): Generator<Item> {
  if (root.kind === "list") return yield* listItems(space, root);
  for (const [, item] of mapEntries(space, root)) yield item;
}
