/** What the file store makes of locks, permissions and full disks. */

import assert from "node:assert/strict";
import { FileStore } from "../../../cli/file_store.ts";
import { FilePool } from "../../../cli/store/file_pool.ts";
import { assertHolds, rejects } from "../../suites/store_checks.ts";
import { TestLog } from "../../suites/test_log.ts";
import { DiskLog } from "./disk_log.ts";

Deno.test("a second store of a directory is locked out until the first is closed", async () => {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  try {
    const first = await FileStore.open(directory);
    const error = await rejects("locked", () => FileStore.open(directory));
    assert.match(error.message, new RegExp(`cannot open "${directory}": process ${Deno.pid} `));
    assert.equal(error.data.pid, Deno.pid);
    await first.close();
    await (await FileStore.open(directory)).close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a directory that cannot be made is a storage error with the system's reason", async () => {
  const file = await Deno.makeTempFile();
  try {
    for (const path of [`${file}/below`, file]) {
      const error = await rejects("storage", () => FileStore.open(path));
      assert.match(error.message, /exists|director/i);
    }
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("an append that the system refuses changes nothing, and the next one works", async () => {
  const log = (await TestLog.create(1)).add(100, 200, 300);
  const disk = await DiskLog.create(log, { maxSegmentBytes: 700 });
  try {
    await disk.put(log, 0);
    const store = await disk.open();
    // The next segment cannot be created: its name is taken by a folder.
    Deno.mkdirSync(`${disk.folder}/0002.log/x`, { recursive: true });
    const longer = log.fork(3, 1).add(700);
    for (let round = 0; round < 2; round++) {
      const error = await rejects("storage", () => longer.putRun(store, 3));
      assert.match(error.message, /0002\.log/);
    }
    await Deno.remove(`${disk.folder}/0002.log`, { recursive: true });
    await assertHolds(store, log, disk.moments[0].stored);
    await assertHolds(store, longer, await longer.putRun(store, 3));
    await store.close();
    await disk.assertReopens(disk.read(), {
      log: longer,
      stored: await longer.stored(),
      files: new Map(),
    });
  } finally {
    await disk.dispose();
  }
});

Deno.test("an index that cannot be written fails the append, which leaves nothing", async () => {
  const log = (await TestLog.create(1)).add(100);
  const disk = await DiskLog.create(log);
  try {
    const store = await disk.open();
    Deno.mkdirSync(`${disk.folder}/index`, { recursive: true });
    await rejects("storage", () => log.putRun(store, 0));
    await Deno.remove(`${disk.folder}/index`);
    assert.equal(await store.head(log.key), undefined);
    await assertHolds(store, log, await log.putRun(store, 0));
    await store.close();
  } finally {
    await disk.dispose();
  }
});

// The limit on file sizes, which the shell sets, stands for a full disk. Large blocks reach it in a
// segment; many small ones in the index, when the segment is written already.
for (const [file, count, size] of [["0001.log", "2", "30000"], ["index", "100", "1"]]) {
  Deno.test({
    name: `a write that only half fits in ${file} is undone`,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      const directory = await Deno.makeTempDir({ prefix: "streamo-" });
      try {
        const script = new URL("./filling_child.ts", import.meta.url).pathname;
        const command = `trap '' XFSZ; ulimit -f 200; exec "$0" run -A --no-check "$@"`;
        const { stdout, stderr, code } = await new Deno.Command("bash", {
          args: ["-c", command, Deno.execPath(), script, directory, count, size],
        }).output();
        assert.equal(code, 0, new TextDecoder().decode(stderr));
        const { lengths, message } = JSON.parse(new TextDecoder().decode(stdout));
        assert.match(message, new RegExp(`cannot write ".*${file}": .*(large|limit|space)`, "i"));
        assert.ok(lengths.length > 1);
        assert.equal(new Set(lengths.slice(-2)).size, 1, "what is held stays the same");
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

Deno.test("no more files are open than the limit", async () => {
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  const files = new FilePool(5);
  try {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 20; i++) {
        files.write(`${directory}/${i}`, round, new Uint8Array([i, round]));
        assert.deepEqual([...files.read(`${directory}/${i}`, round, 9)], [i, round]);
        assert.ok(files.size <= 5);
      }
    }
    await Promise.all(Array.from({ length: 20 }, (_, i) => files.sync(`${directory}/${i}`)));
    files.read(`${directory}/1`, 0, 1);
  } finally {
    files.close();
    assert.equal(files.size, 0);
    await Deno.remove(directory, { recursive: true });
  }
});
