/**
 * A process whose files may not grow far: run by system_test.ts with a directory and how many blocks
 * of how many bytes each append brings.
 */

import { FileStore } from "../../../cli/file_store.ts";
import { StreamoError } from "../../../core/errors.ts";
import { assertHolds } from "../../suites/store_checks.ts";
import { TestLog } from "../../suites/test_log.ts";

const [directory, count, size] = Deno.args;
const sizes = Array.from({ length: Number(count) }, () => Number(size));
let store = await FileStore.open(directory);
let log = await TestLog.create(5);
const lengths: number[] = [];
let message = "";
while (message === "") {
  const longer = log.fork(log.blocks.length, 5).add(...sizes);
  try {
    await longer.putRun(store, log.blocks.length);
    log = longer;
  } catch (error) {
    if (!(error instanceof StreamoError) || error.code !== "storage") throw error;
    message = error.message;
  }
  lengths.push((await store.head(log.key))?.length ?? 0);
}
await assertHolds(store, log, await log.stored());
// What still fits is still taken.
const next = log.fork(log.blocks.length, 6).add(1);
await assertHolds(store, next, await next.putRun(store, log.blocks.length));
await store.close();
store = await FileStore.open(directory);
await assertHolds(store, next, await next.stored());
await store.close();
console.log(JSON.stringify({ lengths, message }));
