/** {@link largeValues} with a million entries each. */

import assert from "node:assert/strict";
import { largeValues } from "../suites/large_values.ts";

/** Mostly what the one transaction that makes them holds before it is written. */
const MEMORY_MAX_BYTES = 2 * 2 ** 30;

Deno.test("a map and a list of 1,000,000 entries", async () => {
  await largeValues(1_000_000);
  const { rss } = Deno.memoryUsage();
  assert.ok(rss < MEMORY_MAX_BYTES, `${rss} bytes of memory`);
});
