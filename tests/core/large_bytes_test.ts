/** Large bytes: bounded memory, and edits that cost what they change. The soak has the real sizes. */

import assert from "node:assert/strict";
import { largeBytes } from "../suites/large_bytes.ts";
import { editInTheMiddle } from "../suites/large_edit.ts";

Deno.test("an edit in the middle of 20 MB adds less than 200 KB to the log", async () => {
  await editInTheMiddle(20e6, 200e3);
});

Deno.test("100 MB are put and read in less than 300 MB of memory", async () => {
  const found = await largeBytes(100e6);
  assert(found.isSame);
  assert.equal(found.size, 100e6);
  assert(found.peakRss < 300 * 2 ** 20, `${found.peakRss} bytes of memory`);
});
