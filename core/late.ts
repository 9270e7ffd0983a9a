/** Parts of the library that are loaded when they are needed first: few pages need all of it. */

import { StreamoError } from "./errors.ts";

/**
 * What gives a part of the library, which `load` imports at the first call; `unreachable` if it cannot be
 * had now. A later call tries again, which helps except in browsers that keep to HTML's rule of before
 * 2026: they remember a failed import until the page is loaded again.
 */
export function late<T>(load: () => Promise<T>): () => Promise<T> {
  let part: Promise<T> | undefined;
  return () =>
    part ??= load().catch((error) => {
      part = undefined;
      const message = `cannot load a part of the library: ${error.message}`;
      throw new StreamoError("unreachable", message, {}, { cause: error });
    });
}
