/** Bytes that are far larger than what a process may take, and an edit in the middle of many. */

import assert from "node:assert/strict";
import { largeBytes } from "../suites/large_bytes.ts";
import { editInTheMiddle } from "../suites/large_edit.ts";

Deno.test("2 GB are put and read in less than 300 MB of memory", async () => {
  const length = 2e9;
  const found = await largeBytes(length);
  console.log(`  ${JSON.stringify(found)}`);
  assert(found.isSame);
  assert.equal(found.size, length);
  assert(found.logBytes < length * 1.01, `${found.logBytes} bytes in the log`);
  assert(found.peakRss < 300 * 2 ** 20, `${found.peakRss} bytes of memory`);
});

Deno.test("an edit in the middle of 100 MB adds less than 200 KB to the log", async () => {
  await editInTheMiddle(100e6, 200e3);
});
