/** What a map is made from. */

import type { Value } from "./value.ts";

/** Whether `value` is a plain object: a map, and not an instance of some class. */
export function isPlainObject(value: object): value is { readonly [key: string]: Value } {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ||
    // An object of another realm (a frame, a test runner's context).
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}
