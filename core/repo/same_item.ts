/** Whether items are equal values. */

import { equal } from "../bytes.ts";
import { writeScalar } from "../codec/write_scalar.ts";
import { type Item, Ref } from "../codec/value.ts";
import { Writer } from "../codec/writer.ts";
import { ABSENT } from "../codec/find.ts";

/** An item, or that there is none. */
export type Maybe = Item | typeof ABSENT;

/** Whether two items of one log are equal values: by address, or by the bytes of scalars. */
export function sameItem(a: Maybe, b: Maybe): boolean {
  // Not `===`: 0 and -0 are two values.
  if (Object.is(a, b)) return true;
  if (a === ABSENT || b === ABSENT) return false;
  if (a instanceof Ref || b instanceof Ref) {
    return a instanceof Ref && b instanceof Ref && a.address === b.address;
  }
  if (typeof a !== typeof b || typeof a === "string") return false;
  const left = new Writer(16);
  const right = new Writer(16);
  writeScalar(left, a);
  writeScalar(right, b);
  return equal(left.view(), right.view());
}
