/**
 * What a mirror does with files that it may not read or write. `permissions_test.ts` runs these in a
 * process of its own: who acts is one for all threads of a process.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { StreamoError } from "../../../core/errors.ts";
import { Desk } from "./memory_tree.ts";

/** Runs `test` as somebody whom permissions bind, also where the tests run as root. */
async function unprivileged(desk: Desk, test: () => Promise<void>): Promise<void> {
  if (Deno.uid() !== 0) return await test();
  const nobody = 65534;
  const give = (path: string): void => {
    Deno.chownSync(path, nobody, nobody);
    if (Deno.lstatSync(path).isDirectory) {
      for (const { name } of Deno.readDirSync(path)) give(`${path}/${name}`);
    }
  };
  give(desk.outside(""));
  process.seteuid?.(nobody);
  try {
    await test();
  } finally {
    process.seteuid?.(0);
  }
}

function isCoded(code: string): (error: unknown) => boolean {
  return (error) => error instanceof StreamoError && error.code === code;
}

Deno.test("an unreadable folder or file is reported, never taken as deleted, and the rest goes on", async () => {
  await using desk = await Desk.open();
  for (const path of ["dir/a", "dir/sub/b", "file", "other"]) desk.write(path, path);
  await desk.sync();
  desk.write("file", "changed");
  desk.write("big", new Uint8Array(2 << 20));
  desk.write("new", "new");
  for (const path of ["dir", "file", "big"]) Deno.chmodSync(desk.at(path), 0);
  desk.write("other", "changed");
  desk.tree.put("dir/new", "from there");
  await unprivileged(desk, async () => {
    const report = await desk.sync();
    assert.deepEqual(report.problems.map(({ path, code }) => [path, code]).sort(), [
      ["big", "storage"],
      ["dir", "storage"],
      ["file", "storage"],
    ]);
  });
  assert.deepEqual([...desk.tree.entries.keys()].sort(), [
    "dir/a",
    "dir/new",
    "dir/sub/b",
    "file",
    "new",
    "other",
  ]);
  assert.equal(desk.tree.text("other"), "changed");
  assert.equal(desk.tree.text("file"), "file");

  Deno.chmodSync(desk.at("dir"), 0o755);
  Deno.chmodSync(desk.at("file"), 0o644);
  Deno.chmodSync(desk.at("big"), 0o644);
  assert.deepEqual((await desk.sync()).problems, []);
  assert.deepEqual(desk.repoListing(), desk.listing());
  assert.equal(desk.read("dir/new"), "from there");
});

Deno.test("an unreadable top folder is a coded error and deletes nothing", async () => {
  await using desk = await Desk.open();
  desk.write("a", "a");
  const mirror = await desk.mirror();
  await mirror.sync();
  Deno.chmodSync(desk.folder, 0);
  await unprivileged(desk, async () => {
    await assert.rejects(mirror.sync(), isCoded("storage"));
  });
  assert.equal(desk.tree.text("a"), "a");
  Deno.chmodSync(desk.folder, 0o755);
});

Deno.test("a folder that cannot be written to is reported, and nothing is deleted for it later", async () => {
  await using desk = await Desk.open();
  desk.write("dir/a", "a");
  desk.write("dir/b", "b");
  await desk.sync();
  desk.tree.put("dir/a", "a2");
  desk.tree.put("dir/c", "c");
  desk.tree.put("free", "f");
  desk.tree.remove("dir/b");
  Deno.chmodSync(desk.at("dir"), 0o555);
  await unprivileged(desk, async () => {
    const report = await desk.sync();
    assert.deepEqual(report.problems.map(({ path, code }) => [path, code]).sort(), [
      ["dir/a", "storage"],
      ["dir/b", "storage"],
      ["dir/c", "storage"],
    ]);
  });
  assert.equal(desk.read("free"), "f");
  assert.equal(desk.tree.text("dir/a"), "a2");
  Deno.chmodSync(desk.at("dir"), 0o755);
  await desk.sync();
  assert.deepEqual(desk.listing(), { "dir/a": "a2", "dir/c": "c", "free": "f" });
  assert.deepEqual(desk.repoListing(), desk.listing());
});
