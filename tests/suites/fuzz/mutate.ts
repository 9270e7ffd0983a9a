/** Damage: what hostile or broken input looks like when it began as something real. */

import type { RandomSource } from "../random.ts";

/** Bytes at which the format turns: tags, ends of ranges, and the limits of varints. */
const TELLING = [
  ...[0x00, 0x01, 0x3f, 0x40, 0x5f, 0x60, 0x61, 0x6f, 0x70, 0x71, 0x7f, 0x80, 0x81, 0xc0, 0xfe],
  ...Array.from({ length: 0x95 - 0x82 + 1 }, (_, i) => 0x82 + i),
  0xff,
];

/** A copy of `bytes` with one to four pieces of damage in [from, to). */
export function mutate(
  random: RandomSource,
  bytes: Uint8Array,
  from = 0,
  to: number = bytes.length,
): Uint8Array<ArrayBuffer> {
  let damaged = new Uint8Array(bytes);
  for (let left = random.integer(1, 4); left > 0; left--) {
    const end = Math.max(from, Math.min(to, damaged.length));
    damaged = DAMAGES[random.integer(0, DAMAGES.length - 1)](random, damaged, from, end);
  }
  return damaged;
}

/** The same without a change of length: addresses in a log go on meaning what they meant. */
export function overwrite(
  random: RandomSource,
  bytes: Uint8Array,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  const damaged = new Uint8Array(bytes);
  for (let left = random.integer(1, 4); left > 0; left--) {
    OVERWRITES[random.integer(0, OVERWRITES.length - 1)](random, damaged, from, to);
  }
  return damaged;
}

type Damage = (
  random: RandomSource,
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
  to: number,
) => Uint8Array<ArrayBuffer>;

const OVERWRITES: readonly Damage[] = [
  function flipBit(random, bytes, from, to) {
    const at = place(random, from, to);
    if (at < bytes.length) bytes[at] ^= 1 << random.integer(0, 7);
    return bytes;
  },
  function setByte(random, bytes, from, to) {
    const at = place(random, from, to);
    if (at < bytes.length) bytes[at] = random.integer(0, 255);
    return bytes;
  },
  function setTelling(random, bytes, from, to) {
    const at = place(random, from, to);
    if (at < bytes.length) bytes[at] = TELLING[random.integer(0, TELLING.length - 1)];
    return bytes;
  },
  function addOne(random, bytes, from, to) {
    const at = place(random, from, to);
    if (at < bytes.length) bytes[at] += random.integer(0, 1) === 0 ? 1 : -1;
    return bytes;
  },
  function copyWithin(random, bytes, from, to) {
    const at = place(random, from, to);
    const length = random.integer(1, 16);
    const source = place(random, from, to);
    bytes.copyWithin(at, source, Math.min(source + length, to));
    return bytes;
  },
  function longVarint(random, bytes, from, to) {
    const at = place(random, from, to);
    bytes.fill(0xff, at, Math.min(to, at + random.integer(2, 10)));
    return bytes;
  },
];

const DAMAGES: readonly Damage[] = [
  ...OVERWRITES,
  function truncate(random, bytes, from, to) {
    return bytes.slice(0, place(random, from, to));
  },
  function remove(random, bytes, from, to) {
    const at = place(random, from, to);
    return joined(bytes, at, at + random.integer(1, 8), []);
  },
  function insert(random, bytes, from, to) {
    const at = place(random, from, to);
    const more = Array.from({ length: random.integer(1, 8) }, () => random.integer(0, 255));
    return joined(bytes, at, at, more);
  },
  function repeat(random, bytes, from, to) {
    const at = place(random, from, to);
    return joined(bytes, at, at, bytes.subarray(at, at + random.integer(1, 40)));
  },
];

function place(random: RandomSource, from: number, to: number): number {
  return random.integer(from, Math.max(from, to - 1));
}

function joined(
  bytes: Uint8Array,
  at: number,
  next: number,
  insert: ArrayLike<number>,
): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(Math.min(next, bytes.length));
  const out = new Uint8Array(at + insert.length + rest.length);
  out.set(bytes.subarray(0, at));
  out.set(insert, at);
  out.set(rest, at + insert.length);
  return out;
}

/** A copy of `text` with characters, or whole JSON values, replaced. */
export function mutateText(random: RandomSource, text: string): string {
  for (let left = random.integer(1, 3); left > 0; left--) {
    if (random.integer(0, 1) === 0) {
      // One value or name, by what is most unlike it.
      const tokens = [...text.matchAll(/"[^"]*"|-?\d+|null|true|\[[^\]]*\]/g)];
      const token = tokens[random.integer(0, Math.max(0, tokens.length - 1))];
      if (token === undefined) continue;
      const other = ODD[random.integer(0, ODD.length - 1)];
      text = text.slice(0, token.index) + other + text.slice(token.index + token[0].length);
    } else {
      const at = random.integer(0, text.length);
      const next = at + random.integer(0, 3);
      const character = String.fromCharCode(
        random.integer(0, 1) ? random.integer(32, 126) : 0xd800,
      );
      text = text.slice(0, at) + character + text.slice(next);
    }
  }
  return text;
}

const ODD = [
  ...["null", "-1", "0", "1e999", "9007199254740992", "0.5", '""', '"__proto__"', "[]", "{}"],
  ...["[[[[]]]]", '{"type":"hello"}', '"\\ud800"', `"${"0".repeat(64)}"`, "true", '"hello"'],
  `[${Array.from({ length: 40 }, (_, i) => i).join()}]`,
  "[".repeat(5000),
  '[{"0":'.repeat(3000) + "1" + "}]".repeat(3000),
];
