import assert from "node:assert/strict";
import { Desk } from "./memory_tree.ts";

Deno.test("sync() leaves out .git, .env*, the data directory, and what nested .gitignore files name", async () => {
  await using desk = await Desk.open();
  const kept = [
    ".gitignore",
    "sub/.gitignore",
    "src/main.ts",
    "keep.log",
    "sub/deep/x.tmp",
    "env",
    "sub/only-top",
    "#x",
  ];
  desk.write(".gitignore", "*.log\n!keep.log\n/build/\n/only-top\nnode_modules\n*.tmp\n");
  desk.write("sub/.gitignore", "!*.tmp\nlocal\n");
  for (const path of kept.slice(2)) desk.write(path, path);
  const left = [
    ".git/config",
    ".git/hooks/x",
    ".env",
    ".env.local",
    "sub/.env",
    "a.log",
    "sub/b.log",
    "build/keep.log",
    "only-top",
    "x.tmp",
    "sub/local",
    "sub/deep/local/y",
    "node_modules/a/index.js",
    "sub/node_modules/b",
    ".streamo/key",
    "data/state",
  ];
  for (const path of left) desk.write(path, "private");
  const report = await desk.sync({ baseFile: desk.at("data/base") });
  assert.deepEqual(report.problems, []);
  assert.deepEqual(Object.keys(desk.repoListing()), kept.sort());
});

Deno.test("sync() neither sends, deletes nor writes what the rules name, in both directions", async () => {
  await using desk = await Desk.open();
  desk.write("a.log", "here");
  desk.tree.put(".gitignore", "*.log\n");
  desk.tree.put("a.log", "there");
  desk.tree.put("b.log", "there");
  desk.tree.put("sub/.env", "there");
  const report = await desk.sync();
  assert.deepEqual(desk.listing(), { ".gitignore": "*.log\n", "a.log": "here" });
  assert.equal(report.pending, false);
  assert.equal(desk.tree.text("b.log"), "there");
  assert.equal(desk.tree.commits, 0);
});

Deno.test("sync() forgets what the rules come to name, so that it is not deleted later", async () => {
  await using desk = await Desk.open();
  desk.write("a.log", "a");
  desk.write("b", "b");
  await desk.sync();
  desk.write(".gitignore", "*.log\n");
  await desk.sync();
  desk.remove("a.log");
  await desk.sync();
  assert.equal(desk.tree.text("a.log"), "a");
  desk.remove(".gitignore");
  await desk.sync();
  assert.equal(desk.tree.text("a.log"), "a");
  assert.equal(desk.read("a.log"), "a");
});

Deno.test("sync() leaves a folder alone whose rules cannot be read", async () => {
  await using desk = await Desk.open();
  desk.write("sub/.gitignore", "secret\n" + "#".repeat(300_000));
  desk.write("sub/secret", "s");
  desk.write("a", "a");
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]), [["sub", "too_large"]]);
  assert.deepEqual(desk.repoListing(), { a: "a" });
});
