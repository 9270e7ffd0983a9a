/** Parts of the library that are loaded when they are needed first: few pages need all of it. */

import { StreamoError } from "./errors.ts";

/**
 * What `load` imports; `unreachable` if that cannot be had now. Trying again later helps, except in
 * browsers that keep to HTML's rule of before 2026: they remember a failed import until the page is
 * loaded again.
 */
export async function late<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const message = `cannot load a part of the library: ${(error as Error).message}`;
    throw new StreamoError("unreachable", message, {}, { cause: error });
  }
}
