import assert from "node:assert/strict";
import { Desk } from "./memory_tree.ts";

Deno.test("sync() refuses hostile paths of a repo by name and the rest goes on", async () => {
  await using desk = await Desk.open();
  const hostile = [
    "../escaped",
    "/tmp/streamo-escaped",
    "a/../../escaped",
    "x\0y",
    "a//b",
    ".git/hooks/post-checkout",
    ".GIT./config",
    "git~1/config",
    "n".repeat(256),
    ".streamo/key",
    "mydata/base",
    "",
    ".",
  ];
  for (const path of hostile) desk.tree.put(path, "evil");
  desk.tree.put("good", "good");
  const report = await desk.sync({ baseFile: desk.at("mydata/base") });
  assert.deepEqual(
    report.problems.map(({ path }) => path).sort(),
    [...hostile].sort(),
  );
  assert.ok(report.problems.every(({ code }) => code === "refused"));
  desk.remove("mydata");
  assert.deepEqual(desk.listing(), { good: "good" });
  assert.deepEqual([...Deno.readDirSync(desk.outside(""))].map(({ name }) => name).sort(), [
    "folder",
  ]);
  assert.equal(desk.tree.entries.size, hostile.length + 1, "nothing is deleted for it");
});

Deno.test("sync() refuses symlinks of a repo that leave the folder", async () => {
  await using desk = await Desk.open();
  desk.tree.put("a", { symlink: "/etc" });
  desk.tree.put("b/c", { symlink: "../../x" });
  desk.tree.put("d", { symlink: "b/../../x" });
  desk.tree.put("ok", { symlink: "good" });
  desk.tree.put("good", "good");
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]).sort(), [
    ["a", "refused"],
    ["b/c", "refused"],
    ["d", "refused"],
  ]);
  assert.deepEqual(desk.listing(), { good: "good", ok: "-> good" });
});

Deno.test("sync() never writes through a symlinked folder", async () => {
  await using desk = await Desk.open();
  Deno.mkdirSync(desk.outside("target"));
  Deno.writeTextFileSync(desk.outside("target/passwd"), "untouched");
  // A link that the user made, to the outside: nothing below it is read, written or deleted.
  Deno.symlinkSync(desk.outside("target"), desk.at("out"));
  desk.write("real/x", "x");
  Deno.symlinkSync("real", desk.at("in"));
  desk.tree.put("out/passwd", "evil");
  desk.tree.put("out/new", "evil");
  const report = await desk.sync();
  assert.deepEqual([...Deno.readDirSync(desk.outside("target"))].map(({ name }) => name), [
    "passwd",
  ]);
  assert.equal(Deno.readTextFileSync(desk.outside("target/passwd")), "untouched");
  assert.ok(report.problems.some(({ path, code }) => path === "out" && code === "refused"));
  assert.equal(desk.tree.text("out/passwd"), "evil", "out of sight is not deleted");
});

Deno.test("sync() of a repo with a symlink and paths below it makes a real folder", async () => {
  await using desk = await Desk.open();
  desk.write("real/x", "x");
  await desk.sync();
  desk.tree.put("link", { symlink: "real" });
  desk.tree.put("link/x", "evil");
  desk.tree.put("etc", { symlink: "/etc" });
  desk.tree.put("etc/passwd", "evil");
  await desk.sync();
  assert.deepEqual(desk.listing(), {
    "etc/passwd": "evil",
    "link.conflict-2026-01-31-deviceaa": "-> real",
    "link/x": "evil",
    "real/x": "x",
  });
});

Deno.test("sync() does not write through a folder that became a symlink after the scan", async () => {
  await using desk = await Desk.open();
  Deno.mkdirSync(desk.outside("target"));
  desk.write("dir/a", "a");
  await desk.sync();
  desk.tree.put("dir/b", "b");
  desk.tree.beforeOpen = () => {
    Deno.renameSync(desk.at("dir"), desk.outside("dir"));
    Deno.symlinkSync(desk.outside("target"), desk.at("dir"));
    desk.tree.beforeOpen = () => undefined;
  };
  const report = await desk.sync();
  assert.deepEqual([...Deno.readDirSync(desk.outside("target"))], []);
  assert.ok(report.problems.some(({ code }) => code === "refused"));
  assert.equal(desk.tree.text("dir/a"), "a");
});

Deno.test("sync() reports malformed entries and the rest goes on", async () => {
  await using desk = await Desk.open();
  desk.write("b", "b");
  await desk.sync();
  desk.tree.put("a", { malformed: "a number" });
  desk.tree.put("b", { malformed: "a list" });
  desk.tree.put("c", "c");
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]).sort(), [
    ["a", "malformed"],
    ["b", "malformed"],
  ]);
  assert.deepEqual(desk.listing(), { b: "b", c: "c" });
  assert.equal(desk.tree.entries.size, 3);
});

Deno.test("sync() leaves out symlinks of the folder that lead elsewhere, and says so", async () => {
  await using desk = await Desk.open();
  desk.write("data/a", "a");
  await desk.sync({ allowEmpty: true });
  // Moved to another disk: out of sight, not deleted.
  Deno.renameSync(desk.at("data"), desk.outside("moved"));
  Deno.symlinkSync(desk.outside("moved"), desk.at("data"));
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]), [["data", "refused"]]);
  assert.equal(desk.tree.text("data/a"), "a");
});

Deno.test("sync() reports paths that the file system takes for one", async () => {
  await using desk = await Desk.open();
  desk.write("README", "here");
  desk.tree.put("readme", "there");
  desk.tree.put("Docs/a", "a");
  desk.tree.put("docs/b", "b");
  const fold = (path: string): string => path.toLowerCase();
  const report = await desk.sync({ fold });
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]), [
    ["docs/b", "refused"],
    ["readme", "refused"],
  ]);
  assert.deepEqual(desk.listing(), { "Docs/a": "a", "README": "here" });
  assert.equal(desk.tree.entries.size, 4);
});
