/** Two branches of one log, without blocks and records. */

import { Space } from "../../core/codec/chunks.ts";
import { encode } from "../../core/codec/encode.ts";
import type { Item, Value } from "../../core/codec/value.ts";
import { MemoryChunks } from "./memory_chunks.ts";

/** A branch, and its newest value. */
export interface TestBranch {
  readonly space: Space;
  readonly chunks: MemoryChunks;
  item: Item;
}

/** A base, and how many bytes its branches share. */
export interface TestBase extends TestBranch {
  readonly sharedBytes: number;
}

/** A log that holds `value`. */
export function baseOf(value: Value): TestBase {
  const chunks = new MemoryChunks();
  // So that the smallest address of a branch is not 0.
  chunks.append(new Uint8Array(7));
  const space = new Space(chunks);
  const item = encode(space, value);
  return { space, chunks, item, sharedBytes: chunks.size };
}

/**
 * A branch of `base` with a new `value`. With `forgets` its writer does not know what the base holds,
 * as after opening a log again: everything is stored anew.
 */
export function branchOf(base: TestBase, value: Value, { forgets = false } = {}): TestBranch {
  const chunks = new MemoryChunks();
  for (const chunk of base.chunks.byAddress.values()) chunks.append(chunk);
  if (forgets) chunks.forget();
  const space = new Space(chunks);
  return { space, chunks, item: encode(space, value) };
}
