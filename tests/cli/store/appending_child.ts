/**
 * A process that appends until it is killed, and says on stdout what was acknowledged: run by
 * kill_test.ts with a directory.
 */

import { FileStore } from "../../../cli/file_store.ts";
import { TestLog } from "../../suites/test_log.ts";

/** The log of which every process writes the next piece. */
export async function childLog(length: number): Promise<TestLog> {
  const log = await TestLog.create(5);
  while (log.blocks.length < length) log.add(sizeOf(log.blocks.length));
  return log;
}

function sizeOf(index: number): number {
  return index % 13 === 0 ? 40_000 : 1 + (index * 37) % 500;
}

if (import.meta.main) {
  const store = await FileStore.open(Deno.args[0], { maxSegmentBytes: 300_000 });
  const { key } = await TestLog.create(5);
  const held = (await store.head(key))?.length ?? 0;
  const log = await childLog(held);
  for (;;) {
    const from = log.blocks.length;
    for (let i = 0; i <= from % 5; i++) log.add(sizeOf(from + i));
    const { length } = await log.putRun(store, from);
    await Deno.stdout.write(new TextEncoder().encode(`${length}\n`));
  }
}
