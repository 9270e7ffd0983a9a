/** Every state that a crash can leave the files in. */

import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { rejects } from "../../suites/store_checks.ts";
import { seeded, TestLog } from "../../suites/test_log.ts";
import { DiskLog, type Files, type Moment, withFile } from "./disk_log.ts";

const SEGMENT = "0001.log";

Deno.test("a write torn at any byte leaves the log before it or after it", async () => {
  const disk = await threeAppends();
  const [first, second, third] = disk.moments;
  const [end1, end2, end3] = disk.moments.map(({ files }) => files.get(SEGMENT)!.length);
  try {
    for (let length = end1; length <= end3; length++) {
      const moment = length < end2 ? first : length < end3 ? second : third;
      const segment = third.files.get(SEGMENT)!.slice(0, length);
      // The index as it was before the append whose write is torn.
      const files = withFile(moment.files, SEGMENT, segment);
      const store = await disk.reopen(files, moment);
      if (length % 16 === 0) await goesOn(disk, store, moment);
      await store.close();
      if (length % 4 > 0) continue;
      await disk.assertReopens(withFile(files, "index", undefined), moment);
      await disk.assertReopens(withFile(first.files, SEGMENT, segment), moment);
    }
  } finally {
    await disk.dispose();
  }
});

Deno.test("a first write torn at any byte leaves nothing, and the key can start", async () => {
  const log = (await TestLog.create(1)).add(20, 30);
  const disk = await DiskLog.create(log);
  try {
    await disk.put(log, 0);
    const [{ files, stored }] = disk.moments;
    const segment = files.get(SEGMENT)!;
    for (let length = 0; length < segment.length; length++) {
      const store = await disk.reopen(new Map([[SEGMENT, segment.slice(0, length)]]), undefined);
      assert.deepEqual(await Array.fromAsync(store.keys()), []);
      if (length % 16 === 0) await log.put(store, 0, stored);
      await store.close();
    }
    await disk.assertReopens(new Map([[SEGMENT, new Uint8Array(4096)]]), undefined);
  } finally {
    await disk.dispose();
  }
});

Deno.test("a write torn in a new segment leaves the segments before it", async () => {
  const log = (await TestLog.create(1)).add(100, 200, 300);
  const disk = await DiskLog.create(log, { maxSegmentBytes: 800 });
  try {
    await disk.put(log, 0);
    await disk.put(log.add(400, 1), 3);
    const [first, second] = disk.moments;
    const segment = second.files.get("0002.log")!;
    for (let length = 0; length < segment.length; length++) {
      const files = withFile(first.files, "0002.log", segment.slice(0, length));
      await disk.assertReopens(files, first);
    }
    await disk.assertReopens(withFile(first.files, "0002.log", segment), second);
    const zeros = new Uint8Array(segment.length);
    await disk.assertReopens(withFile(first.files, "0002.log", zeros), first);
  } finally {
    await disk.dispose();
  }
});

Deno.test("whatever follows the last append is cut", async () => {
  const disk = await threeAppends();
  const newest = disk.moments[2];
  const segment = newest.files.get(SEGMENT)!;
  const random = seeded(7);
  const noise = (length: number) => Uint8Array.from({ length }, () => random() * 256);
  const repeated = segment.subarray(disk.moments[1].files.get(SEGMENT)!.length);
  const tails = [noise(1), noise(300), noise(9000), new Uint8Array(4096), repeated, segment];
  try {
    for (const tail of tails) {
      for (const index of [newest.files.get("index"), undefined]) {
        const files = withFile(newest.files, SEGMENT, concat([segment, tail]));
        const store = await disk.reopen(withFile(files, "index", index), newest);
        assert.equal(disk.read().get(SEGMENT)!.length, segment.length);
        await goesOn(disk, store, newest);
        await store.close();
      }
    }
  } finally {
    await disk.dispose();
  }
});

Deno.test("pages of a torn write that never arrived leave the log before it", async () => {
  const disk = await threeAppends();
  const [, before, after] = disk.moments;
  const from = before.files.get(SEGMENT)!.length;
  const segment = after.files.get(SEGMENT)!;
  try {
    for (const index of [before.files.get("index"), undefined]) {
      const files = withFile(after.files, "index", index);
      for (
        const [start, end] of [[from, segment.length], [from, from + 60], [from + 60, from + 70]]
      ) {
        const torn = segment.slice().fill(0, start, end);
        await disk.assertReopens(withFile(files, SEGMENT, torn), before);
      }
    }
  } finally {
    await disk.dispose();
  }
});

Deno.test("a torn block that holds valid frames of its own segment leaves the log before it", async () => {
  const log = (await TestLog.create(1)).add(40);
  const disk = await DiskLog.create(log);
  try {
    await disk.put(log, 0);
    const before = disk.moments[0];
    const segment = before.files.get(SEGMENT)!;
    // The block's bytes are a copy of the whole segment, in which the append is valid.
    await disk.put(log.addBytes(segment), 1);
    const after = disk.moments[1].files.get(SEGMENT)!;
    for (let length = segment.length; length < after.length; length += 7) {
      await disk.assertReopens(withFile(before.files, SEGMENT, after.slice(0, length)), before);
    }
    await disk.assertReopens(withFile(before.files, SEGMENT, after), disk.moments[1]);
  } finally {
    await disk.dispose();
  }
});

Deno.test("an acknowledged append that is gone is damaged, not forgotten", async () => {
  const disk = await threeAppends();
  const { files } = disk.moments[2];
  const segment = files.get(SEGMENT)!;
  try {
    for (const length of [segment.length - 1, disk.moments[1].files.get(SEGMENT)!.length, 0]) {
      const cut = withFile(files, SEGMENT, segment.slice(0, length));
      for (let round = 0; round < 2; round++) {
        if (round === 0) disk.restore(cut);
        const store = await disk.open();
        const error = await rejects("damaged", () => store.head(disk.moments[2].log.key));
        assert.match(error.message, /acknowledged blocks .* are gone/);
        await store.close();
      }
      assert.equal(disk.read().get(SEGMENT)!.length, length, "nothing more is cut");
    }
    await disk.assertReopens(
      withFile(withFile(files, SEGMENT, segment.slice(0, -1)), "index", undefined),
      disk.moments[1],
    );
  } finally {
    await disk.dispose();
  }
});

/** Three appends: the second replaces a tail, the third stages past its head. */
async function threeAppends(): Promise<DiskLog> {
  const log = (await TestLog.create(1)).add(30, 40, 50);
  const disk = await DiskLog.create(log);
  await disk.put(log, 0);
  const fork = log.fork(1, 9).add(10, 1, 60);
  await disk.put(fork, 1);
  const head = await fork.head();
  fork.add(70, 2);
  await disk.put(fork, 4, await fork.stored(6, head));
  return disk;
}

/** Appends after a recovery and reads it all again. */
async function goesOn(
  disk: DiskLog,
  store: Awaited<ReturnType<DiskLog["open"]>>,
  { log }: Moment,
): Promise<void> {
  const longer = log.fork(log.blocks.length, 33).add(5, 6);
  const stored = await longer.putRun(store, log.blocks.length);
  await store.close();
  const files: Files = disk.read();
  await disk.assertReopens(files, { log: longer, stored, files });
}
