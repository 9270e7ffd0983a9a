/** Bytes that change on the disk: the right bytes, or `damaged`, never wrong ones. */

import assert from "node:assert/strict";
import { readBlocks, rejects } from "../../suites/store_checks.ts";
import { seeded, TestLog } from "../../suites/test_log.ts";
import { DiskLog, flipped, withFile } from "./disk_log.ts";

const SEGMENT = "0001.log";

Deno.test("a flipped byte of a segment is damaged where it matters", async () => {
  const disk = await smallLog();
  const moment = disk.moments[disk.moments.length - 1];
  const segment = moment.files.get(SEGMENT)!;
  const seen = { holds: 0, damaged: 0 };
  try {
    for (let at = 0; at < segment.length; at += 3) {
      const files = withFile(moment.files, SEGMENT, flipped(segment, at, 1 << at % 8));
      seen[await disk.holdsOrDamaged(files, moment)]++;
    }
    assert.ok(seen.damaged > 0 && seen.holds > 0, JSON.stringify(seen));
  } finally {
    await disk.dispose();
  }
});

Deno.test("a flipped byte of a segment without index is damaged, or a torn last append", async () => {
  const disk = await smallLog();
  const [before, moment] = disk.moments.slice(-2);
  const lastFrom = before.files.get(SEGMENT)!.length;
  const segment = moment.files.get(SEGMENT)!;
  const files = withFile(moment.files, "index", undefined);
  try {
    for (let at = 0; at < segment.length; at += 3) {
      const changed = withFile(files, SEGMENT, flipped(segment, at, 1 << at % 8));
      // Nothing but the index tells a torn last append from a damaged one.
      if (at >= lastFrom) await disk.assertReopens(changed, before);
      else await disk.holdsOrDamaged(changed, moment);
    }
  } finally {
    await disk.dispose();
  }
});

Deno.test("a damaged block does not keep others from being read", async () => {
  const log = (await TestLog.create(1)).add(1000, 2000, 3000, 4000);
  const disk = await DiskLog.create(log);
  try {
    await disk.put(log, 0);
    const { files } = disk.moments[0];
    const segment = files.get(SEGMENT)!;
    const at = segment.length - 8000; // in block 1
    disk.restore(withFile(files, SEGMENT, flipped(segment, at)));
    const store = await disk.open();
    const error = await rejects("damaged", () => readBlocks(store, log.key, 0, 1, 2));
    assert.match(error.message, /0001\.log" is damaged: block 1 /);
    await rejects("damaged", () => store.blockAt(log.key, 0, 1500));
    assert.throws(() => store.blockAtSync(log.key, 0, 1500), /damaged/);
    assert.deepEqual(await readBlocks(store, log.key, 0, 2, 4), log.blocks.slice(2));
    assert.deepEqual(await store.blockAt(log.key, 0, 0), log.blocks[0]);
    await store.close();
  } finally {
    await disk.dispose();
  }
});

Deno.test("a flipped byte of the index changes nothing", async () => {
  const disk = await smallLog();
  const moment = disk.moments[disk.moments.length - 1];
  const index = moment.files.get("index")!;
  try {
    for (let at = 0; at < index.length; at += 5) {
      await disk.assertReopens(withFile(moment.files, "index", flipped(index, at)), moment);
    }
  } finally {
    await disk.dispose();
  }
});

Deno.test("an index that is missing, old, cut or of another log is made again", async () => {
  const log = (await TestLog.create(1)).add(...Array.from({ length: 600 }, (_, i) => i % 7 + 1));
  const disk = await DiskLog.create(log, { maxSegmentBytes: 20_000 });
  try {
    await disk.put(log, 0);
    await disk.put(log.fork(300, 4).add(1, 2, 3), 300);
    await disk.put(log.fork(300, 4).add(1, 2, 3, 4, 5), 303);
    const [first, second, moment] = disk.moments;
    const index = moment.files.get("index")!;
    const old = first.files.get("index")!;
    const random = seeded(3);
    for (
      const other of [
        undefined,
        new Uint8Array(0),
        new Uint8Array(index.length),
        index.slice(0, -1),
        index.slice(0, 64 * 100),
        old,
        old.slice(0, 9000),
        second.files.get("index"),
        Uint8Array.from({ length: 6400 }, () => random() * 256),
      ]
    ) {
      const store = await disk.reopen(withFile(moment.files, "index", other), moment);
      await store.close();
      assert.deepEqual(disk.read().get("index"), index, "the same index is made");
    }
  } finally {
    await disk.dispose();
  }
});

Deno.test("an index that changes while the store is open is made again", async () => {
  const log = (await TestLog.create(1)).add(...Array.from({ length: 600 }, () => 3));
  const disk = await DiskLog.create(log);
  try {
    await disk.put(log, 0);
    const store = await disk.open();
    await store.head(log.key);
    const path = `${disk.folder}/index`;
    Deno.writeFileSync(path, new Uint8Array(Deno.statSync(path).size));
    assert.deepEqual(await readBlocks(store, log.key, 0, 0, 600), log.blocks);
    assert.deepEqual(await store.blockAt(log.key, 0, 900), log.blocks[300]);
    const longer = log.fork(600, 3).add(8);
    await longer.putRun(store, 600);
    await store.close();
    const again = await disk.open();
    assert.deepEqual(await readBlocks(again, log.key, 0, 0, 601), longer.blocks);
    await again.close();
  } finally {
    await disk.dispose();
  }
});

Deno.test("a missing segment is damaged", async () => {
  const log = (await TestLog.create(1)).add(900);
  const disk = await DiskLog.create(log, { maxSegmentBytes: 1000 });
  try {
    await disk.put(log, 0);
    await disk.put(log.add(900), 1);
    await disk.put(log.add(900), 2);
    const { files } = disk.moments[2];
    for (const name of ["0001.log", "0002.log", "0003.log"]) {
      disk.restore(withFile(files, name, undefined));
      const store = await disk.open();
      await rejects("damaged", () => store.head(log.key));
      assert.deepEqual(await Array.fromAsync(store.keys()), [log.key]);
      await store.close();
    }
  } finally {
    await disk.dispose();
  }
});

/** Four appends, with a replaced tail and blocks staged past the head. */
async function smallLog(): Promise<DiskLog> {
  const log = (await TestLog.create(1)).add(100, 50);
  const disk = await DiskLog.create(log);
  await disk.put(log, 0);
  await disk.put(log.add(1, 80), 2);
  const fork = log.fork(3, 9).add(90);
  await disk.put(fork, 3);
  const head = await fork.head();
  await disk.put(fork.add(40, 2), 4, await fork.stored(6, head));
  return disk;
}
