/** What a session needs to connect: loaded when it does, because many pages never do. */

import { late } from "../late.ts";

type Parts = typeof import("./session_parts.ts");

let loaded: Parts | undefined;

/** Loads it once; what failed is tried again at the next call. */
export async function loadParts(): Promise<Parts> {
  loaded ??= await late(() => import("./session_parts.ts"));
  return loaded;
}
