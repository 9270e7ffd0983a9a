import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import { Desk } from "./memory_tree.ts";

function isCoded(code: string): (error: unknown) => boolean {
  return (error) => error instanceof StreamoError && error.code === code;
}

Deno.test("the first sync deletes nothing on either side and keeps both where they differ", async () => {
  await using desk = await Desk.open();
  desk.write("here", "h");
  desk.write("same", "s");
  desk.write("both", "mine");
  // `unzip` and `cp -p` keep old times: they say nothing about who is right.
  Deno.utimeSync(desk.at("here"), 1, 1);
  Deno.utimeSync(desk.at("both"), 1, 1);
  desk.tree.put("there", "t");
  desk.tree.put("same", "s");
  desk.tree.put("both", "theirs");
  const report = await desk.sync();
  assert.deepEqual(desk.listing(), {
    "both": "theirs",
    "both.conflict-2026-01-31-deviceaa": "mine",
    "here": "h",
    "same": "s",
    "there": "t",
  });
  assert.deepEqual(desk.repoListing(), desk.listing());
  assert.equal(report.deleted + report.removed, 0);
});

Deno.test("file times never decide who wins", async () => {
  await using desk = await Desk.open();
  for (const [time, name] of [[1, "old"], [4_000_000_000, "future"]] as const) {
    desk.write(name, "1");
    await desk.sync();
    desk.write(name, "2");
    Deno.utimeSync(desk.at(name), time, time);
    await desk.sync();
    assert.equal(desk.tree.text(name), "2");
    desk.tree.put(name, "3");
    await desk.sync();
    assert.equal(desk.read(name), "3");
  }
});

Deno.test("sync() sees an edit that leaves size and time as they were", async () => {
  await using desk = await Desk.open();
  const mirror = await desk.mirror();
  desk.write("a", "0");
  for (let n = 1; n < 10; n++) {
    desk.write("a", `${n}`);
    await mirror.sync();
    assert.equal(desk.tree.text("a"), `${n}`);
    const { atime, mtime } = Deno.statSync(desk.at("a"));
    // Within the tick of the clock in which it was read: nothing but the content tells.
    desk.write("a", `${n + 1}`);
    Deno.utimeSync(desk.at("a"), atime ?? 0, mtime ?? 0);
    await mirror.sync();
    assert.equal(desk.tree.text("a"), `${n + 1}`);
  }
});

Deno.test("sync() does not read unchanged files, once their time is past", async () => {
  await using desk = await Desk.open();
  const mirror = await desk.mirror();
  desk.write("a", "a");
  Deno.utimeSync(desk.at("a"), 1_000_000, 1_000_000);
  await mirror.sync();
  // Nobody can set the time of the last change back: it has to pass.
  for (let compared: unknown[] = [1]; compared.length > 0;) {
    compared = [];
    const report = await desk.sync({ onProgress: (progress) => compared.push(progress) });
    assert.equal(report.unchanged, 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

Deno.test("a missing folder is a coded error and deletes nothing", async () => {
  await using desk = await Desk.open();
  desk.write("a", "a");
  const mirror = await desk.mirror();
  await mirror.sync();
  Deno.renameSync(desk.folder, desk.outside("elsewhere"));
  await assert.rejects(mirror.sync(), isCoded("not_found"));
  await assert.rejects(desk.mirror(), isCoded("not_found"));
  Deno.writeTextFileSync(desk.folder, "a file");
  await assert.rejects(mirror.sync(), isCoded("not_found"));
  assert.equal(desk.tree.text("a"), "a");
});

Deno.test("a folder that is suddenly empty stops the sync unless that is allowed", async () => {
  await using desk = await Desk.open();
  const fill = (): void => {
    for (let i = 0; i < 20; i++) desk.write(`dir/f${i}`, `${i}`);
  };
  fill();
  await desk.sync();
  desk.remove("dir");
  await assert.rejects(desk.sync(), isCoded("not_found"));
  assert.equal(desk.tree.entries.size, 20);
  desk.write("lost+found", "what a bare mount point may hold");
  await assert.rejects(desk.sync(), isCoded("not_found"));
  desk.remove("lost+found");
  assert.equal((await desk.sync({ allowEmpty: true })).removed, 20);
  assert.equal(desk.tree.entries.size, 0);

  // Fewer files, or one that is left, are a deletion like any other.
  fill();
  await desk.sync();
  for (let i = 1; i < 20; i++) desk.remove(`dir/f${i}`);
  assert.equal((await desk.sync()).removed, 19);
  desk.remove("dir");
  assert.equal((await desk.sync()).removed, 1);
});

Deno.test({
  name: "pipes and names that are not UTF-8 are left out and reported",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using desk = await Desk.open();
    desk.write("a", "a");
    desk.write("twin\ufffd", "real");
    const script = `cd "$1" && mkfifo pipe && : > "$(printf 'bad\\377')" && ` +
      `: > "$(printf 'twin\\377')" && mkdir "$(printf 'dir\\377')"`;
    const { success } = await new Deno.Command("sh", { args: ["-c", script, "sh", desk.folder] })
      .output();
    assert.ok(success);
    const report = await desk.sync();
    assert.deepEqual(report.problems.map(({ path, code }) => [path, code]).sort(), [
      ["bad\ufffd", "unsupported"],
      ["dir\ufffd", "unsupported"],
      ["pipe", "unsupported"],
      ["twin\ufffd", "unsupported"],
    ]);
    assert.equal(desk.tree.text("a"), "a");
  },
});

Deno.test("a run that was killed is made good: left-overs go, nothing is doubled or deleted", async () => {
  await using desk = await Desk.open();
  for (const path of ["a", "b", "c", "d"]) desk.write(path, "1");
  await desk.sync();
  const old = await Deno.readFile(desk.baseFile);
  desk.write("a", "2");
  desk.remove("b");
  desk.tree.put("c", "3");
  desk.tree.remove("d");
  desk.tree.put("e", "new");
  await desk.sync();
  // Everything was done except that the base was not written.
  await Deno.writeFile(desk.baseFile, old);
  desk.write(".streamo-tmp-0123456789abcdef", "half a download");
  desk.write(".streamo-tmp-mine", "not one of ours");
  desk.write("sub/.streamo-tmp-fedcba9876543210", "half a download");
  const commits = desk.tree.commits;
  const report = await desk.sync();
  assert.deepEqual([report.conflicts, report.problems], [[], []]);
  assert.equal(desk.tree.commits, commits);
  assert.deepEqual(desk.listing(), {
    ".streamo-tmp-mine": "not one of ours",
    "a": "2",
    "c": "3",
    "e": "new",
  });
  // The base is right again: a deletion is one.
  desk.remove("e");
  await desk.sync();
  assert.deepEqual([...desk.tree.entries.keys()].sort(), ["a", "c"]);
});

Deno.test("a kill between commit and base, with edits since, loses nothing", async () => {
  await using desk = await Desk.open();
  desk.write("t", "1\n2\n3\n");
  await desk.sync();
  const old = await Deno.readFile(desk.baseFile);
  desk.write("t", "one\n2\n3\n");
  await desk.sync();
  await Deno.writeFile(desk.baseFile, old);
  desk.write("t", "one\n2\nthree\n");
  await desk.sync();
  assert.ok(Object.values(desk.listing()).includes("one\n2\nthree\n"));
  assert.deepEqual(desk.repoListing(), desk.listing());
});

Deno.test("a damaged or foreign base deletes nothing", async () => {
  await using desk = await Desk.open();
  desk.write("a", "a");
  desk.write("b", "b");
  await desk.sync();
  desk.remove("a");
  desk.tree.remove("b");
  const bytes = await Deno.readFile(desk.baseFile);
  await Deno.writeFile(desk.baseFile, bytes.subarray(0, bytes.length - 5));
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ code }) => code), ["damaged"]);
  assert.deepEqual(desk.listing(), { a: "a", b: "b" });
  await assert.rejects(desk.sync({ repo: "repo-b" }), isCoded("wrong_key"));

  // Another folder with the same base: what it lacks was not deleted there.
  await Deno.mkdir(desk.outside("other"));
  const other = await desk.sync({ folder: desk.outside("other") });
  assert.deepEqual([other.downloaded, other.removed], [2, 0]);
});

Deno.test("a download that fails leaves the old file and no left-over", async () => {
  await using desk = await Desk.open();
  desk.write("a", "old");
  await desk.sync();
  desk.tree.put("a", "new");
  const open = desk.tree.open.bind(desk.tree);
  let opens = 0;
  desk.tree.open = async (path) => {
    const opened = await open(path);
    // Compared without fault, then cut off on the way to the disk.
    if (opened.kind !== "file" || ++opens === 1) return opened;
    await opened.content.cancel();
    const content = new ReadableStream<Uint8Array>({
      pull(controller): void {
        if (opens++ < 4) controller.enqueue(new Uint8Array([110]));
        else controller.error(new StreamoError("missing_block", "the log lacks block 7"));
      },
    });
    return { ...opened, content };
  };
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]), [["a", "missing_block"]]);
  assert.deepEqual(desk.listing(), { a: "old" });
  desk.tree.open = open;
  await desk.sync();
  assert.deepEqual(desk.listing(), { a: "new" });
});

Deno.test("a folder with files that are not mirrored does not give way to a file", async () => {
  await using desk = await Desk.open();
  desk.write(".gitignore", "*.o\n");
  desk.write("x/a", "a");
  desk.write("x/a.o", "ignored");
  await desk.sync();
  desk.tree.remove("x/a");
  desk.tree.put("x", "a file now");
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]), [["x", "refused"]]);
  assert.equal(desk.read("x/a.o"), "ignored");
  assert.equal(desk.tree.text("x"), "a file now");
});

Deno.test("a commit that fails leaves a base that knows what the folder got", async () => {
  await using desk = await Desk.open();
  desk.tree.put("there", "t");
  desk.write("here", "h");
  desk.tree.beforeCommit = () => {
    throw new StreamoError("storage", "the disk is full");
  };
  await assert.rejects(desk.sync(), isCoded("storage"));
  desk.tree.beforeCommit = () => undefined;
  desk.remove("there");
  await desk.sync();
  assert.deepEqual(desk.repoListing(), { here: "h" });
});

Deno.test("a commit that fails before it has read a stream leaves no file open", async () => {
  await using desk = await Desk.open();
  desk.write("large", new Uint8Array(2 << 20));
  desk.tree.commit = async ([change]) => {
    assert.ok(change.kind === "file");
    await change.content();
    throw new StreamoError("storage", "the disk is full");
  };
  // The test runner reports what stays open.
  await assert.rejects(desk.sync(), isCoded("storage"));
});
