/** Random values, and random changes of them: for properties of diffs and merges. */

import type { Value } from "../../core/codec/value.ts";
import type { RandomSource } from "./random.ts";

type Tree = { [key: string]: Value };

/** A value of some size; at the root mostly a map or list. */
export function randomValue(random: RandomSource, depth = 3): Value {
  const kind = depth === 0 ? random.integer(0, 5) : random.integer(0, 11);
  switch (kind) {
    case 0:
      return random.integer(0, 5);
    case 1:
      return [null, undefined, true, -0, NaN, 7n][random.integer(0, 5)];
    case 2:
      return `text ${random.integer(0, 9)}`;
    case 3:
      return "twenty to forty bytes of text ".repeat(random.integer(1, 3)) + random.integer(0, 9);
    case 4:
      return randomText(random);
    case 5:
      return new Uint8Array(random.integer(0, 40)).fill(random.integer(0, 3));
    case 6:
    case 7:
    case 8:
      return Array.from({ length: randomSize(random) }, () => randomValue(random, depth - 1));
    default: {
      const map: Tree = {};
      for (let i = randomSize(random); i > 0; i--) {
        map[`key${random.integer(0, 40)}`] = randomValue(random, depth - 1);
      }
      return map;
    }
  }
}

/** `value` with a few changes at random places. */
export function randomChange(random: RandomSource, value: Value, depth = 3): Value {
  let changed = value;
  for (let i = random.integer(0, 3); i > 0; i--) changed = changeOnce(random, changed, depth);
  return changed;
}

/** Mostly small, sometimes past what fits a small container. */
function randomSize(random: RandomSource): number {
  return random.integer(0, 9) === 0 ? random.integer(0, 120) : random.integer(0, 5);
}

function randomText(random: RandomSource): string {
  return Array.from(
    { length: random.integer(0, 6) },
    () => `line ${random.integer(0, 20)}${random.integer(0, 5) ? "\n" : "\r\n"}`,
  ).join("");
}

function changeOnce(random: RandomSource, value: Value, depth: number): Value {
  if (Array.isArray(value)) return changeList(random, value, depth);
  if (typeof value === "string" && value.includes("\n")) {
    const lines = value.split(/(?<=\n)/);
    lines.splice(random.integer(0, lines.length), random.integer(0, 1), randomText(random));
    return lines.join("");
  }
  const isMap = typeof value === "object" && value !== null &&
    Object.getPrototypeOf(value) === Object.prototype;
  if (!isMap || random.integer(0, 15) === 0) return randomValue(random, depth);
  const map = { ...value as Tree };
  const keys = Object.keys(map);
  const key = keys.length > 0 && random.integer(0, 2) > 0
    ? keys[random.integer(0, keys.length - 1)]
    : `key${random.integer(0, 40)}`;
  const action = random.integer(0, 3);
  if (action === 0) delete map[key];
  else if (action === 1) map[key] = randomValue(random, depth - 1 < 0 ? 0 : depth - 1);
  else map[key] = changeOnce(random, map[key], Math.max(0, depth - 1));
  return map;
}

function changeList(random: RandomSource, value: readonly Value[], depth: number): Value {
  const list = [...value];
  const at = random.integer(0, list.length);
  const below = Math.max(0, depth - 1);
  const more = () => Array.from({ length: random.integer(1, 3) }, () => randomValue(random, below));
  switch (random.integer(0, 4)) {
    case 0:
      list.splice(at, random.integer(1, 4));
      break;
    case 1:
      list.splice(at, 0, ...more());
      break;
    case 2:
      list.push(...more());
      break;
    case 3:
      list.splice(at, random.integer(0, 3), ...more());
      break;
    default:
      if (at < list.length) list[at] = changeOnce(random, list[at], below);
  }
  return list;
}
