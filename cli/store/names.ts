/** Which folder names are keys. */

import { StreamoError } from "../../core/errors.ts";
import { type Key, parseKey } from "../../core/identity/key.ts";

/** Whether `name` is the text of a key. */
export function isKey(name: string): name is Key {
  try {
    return parseKey(name) === name;
  } catch (error) {
    if (error instanceof StreamoError) return false;
    throw error;
  }
}
