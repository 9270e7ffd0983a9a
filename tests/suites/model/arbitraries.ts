/** Values of every kind, and paths that lead somewhere more often than not. */

import fc from "fast-check";
import { Link, type Path, type Step, type Value } from "../../../core/codec/value.ts";
import { keyFromBytes } from "../../../core/identity/key.ts";
import { noise } from "../noise.ts";

/** Keys that meet: few enough that operations hit the same places. */
const NAMES = ["a", "b", "c", "list", "map", "", "é", "\u{1f600}", "\uffff", "__proto__", "7"];

/** A key of a map. */
export const keys: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 60 }).map((i) => `key${i}`) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
);

const links: fc.Arbitrary<Value> = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(keyFromBytes),
  seq: fc.option(fc.maxSafeNat(), { nil: undefined }),
  path: fc.array(fc.oneof(keys, fc.nat(99)), { maxLength: 3 }),
}).map(({ key, seq, path }) => new Link(key, { seq, path }));

/** Text around the sizes at which its form changes: 31 bytes, 64, 32 KiB. */
const longText: fc.Arbitrary<string> = fc.tuple(
  fc.constantFrom("x", "é", "\u{1f600}"),
  fc.constantFrom(13, 14, 31, 32, 60, 63, 64, 10_922, 10_923, 16_384, 32_768, 32_769),
).map(([character, count]) => character.repeat(count));

/** Bytes around the same sizes, not compressible into one repeated piece. */
const longBytes: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.integer(),
  fc.constantFrom(13, 14, 62, 63, 64, 32_767, 32_768, 32_769, 70_000),
).map(([seed, length]) => noise(seed, length));

const smallScalars: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(null, undefined, true, false, -0, NaN, Infinity, 2 ** 53, {}, []),
  fc.integer({ min: -2, max: 130 }),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 80 }),
  links,
);

/** Every kind of scalar, long ones too. */
export const scalars: fc.Arbitrary<Value> = fc.oneof(
  { weight: 12, arbitrary: smallScalars },
  { weight: 1, arbitrary: longText },
  { weight: 1, arbitrary: longBytes },
);

/** Scalars, and maps and lists of up to `most` values that `content` gives. */
const over = (content: fc.Arbitrary<Value>, most: number): fc.Arbitrary<Value> =>
  fc.oneof(
    { weight: 2, arbitrary: scalars },
    { weight: 1, arbitrary: fc.array(content, { maxLength: most, size: "max" }) },
    { weight: 1, arbitrary: mapOf(keys, content, most) },
  );

/** A map or list large enough for a tree of two or three levels. */
const wide: fc.Arbitrary<Value> = fc.oneof(
  mapOf(fc.nat(9999).map((i) => `key${i}`), fc.oneof(fc.nat(99), smallScalars), 600),
  fc.array(fc.oneof(fc.nat(99), smallScalars), { maxLength: 600, size: "max" }),
);

/** Any value: mostly small, now and then wide or long, at most three levels deep. */
export const values: fc.Arbitrary<Value> = fc.oneof(
  { weight: 6, arbitrary: smallScalars },
  { weight: 1, arbitrary: scalars },
  { weight: 4, arbitrary: over(over(over(smallScalars, 4), 4), 6) },
  { weight: 2, arbitrary: over(smallScalars, 40) },
  { weight: 1, arbitrary: wide },
);

/** A path: mostly short, of keys and of small indices. */
export const paths: fc.Arbitrary<Path> = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(keys, fc.integer({ min: 0, max: 20 })),
  { maxLength: 3 },
);

function mapOf(
  names: fc.Arbitrary<string>,
  content: fc.Arbitrary<Value>,
  most: number,
): fc.Arbitrary<Value> {
  // fromEntries and not dictionary(): "__proto__" has to become a property like any other.
  return fc.array(fc.tuple(names, content), { maxLength: most, size: "max" })
    .map((entries) => Object.fromEntries(entries));
}
