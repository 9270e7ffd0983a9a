/** From a value to what stands somewhere in it. */

import type { Space } from "./chunks.ts";
import { child, containerOf, elementAt, lowerBound } from "./container.ts";
import type { Node } from "./node.ts";
import { isLatin1 } from "./text.ts";
import type { Item, Path, Step } from "./value.ts";

/** What a path that leads nowhere gives. */
export const ABSENT: unique symbol = Symbol("absent");

/** What stands at `path` of the value `root`, or {@link ABSENT}. */
export function findItem(space: Space, root: Item, path: Path): Item | typeof ABSENT {
  let item = root;
  for (const step of path) {
    const next = childItem(space, item, step);
    if (next === ABSENT) return ABSENT;
    item = next;
  }
  return item;
}

/** What the container `item` holds under `step`, or {@link ABSENT}. */
export function childItem(space: Space, item: Item, step: Step): Item | typeof ABSENT {
  const node = containerOf(space, item);
  if (node === undefined) return ABSENT;
  if (typeof step === "string") {
    if (node.kind !== "map") return ABSENT;
    return lookup(space, node, step);
  }
  const isIndex = node.kind === "list" && Number.isInteger(step) && step >= 0 && step < node.size;
  return isIndex ? elementAt(space, node, step) : ABSENT;
}

function lookup(space: Space, node: Node, key: string): Item | typeof ABSENT {
  const isLatin = isLatin1(key);
  let at = lowerBound(node.keys, key, isLatin);
  while (node.height > 0) {
    if (at === node.keys.length) return ABSENT;
    node = child(space, node, at);
    at = lowerBound(node.keys, key, isLatin);
  }
  return at < node.keys.length && node.keys[at] === key ? node.items[at] : ABSENT;
}
