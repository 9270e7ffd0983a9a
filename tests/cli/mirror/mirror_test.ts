import assert from "node:assert/strict";
import { Desk } from "./memory_tree.ts";

const STRANGE = [
  "a b.txt",
  " lead and trail ",
  "ünïcode é.txt",
  "e\u0301 decomposed",
  "é composed",
  "#hash",
  "50%25.txt",
  "what?.txt",
  `"quoted' \`.txt`,
  "new\nline",
  "tab\tbell\u0007",
  "-rf",
  "--",
  "*",
  "[x]",
  "!x",
  "~",
  "...",
  "back\\slash",
  "CON",
  "x".repeat(255),
  "é".repeat(127),
  "𝒳".repeat(63),
  "real \ufffd",
  Array.from({ length: 30 }, (_, i) => `d${i}`).join("/"),
  "a.conflict-2026-01-31-deviceaa.txt",
  "__proto__",
  "constructor/prototype",
];

Deno.test("sync() carries every name both ways and is done then", async () => {
  await using one = await Desk.open();
  await using two = await Desk.open(one.tree);
  for (const name of STRANGE) one.write(name, `content of ${name}`);
  const report = await one.sync();
  assert.deepEqual(report.problems, []);
  assert.equal(report.uploaded, STRANGE.length);
  assert.equal(one.tree.commits, 1);
  const received = await two.sync();
  assert.deepEqual(received.problems, []);
  assert.equal(received.downloaded, STRANGE.length);
  assert.equal(received.pending, false);
  assert.deepEqual(two.listing(), one.listing());
  assert.deepEqual(one.repoListing(), one.listing());
  for (const desk of [one, two]) {
    const again = await desk.sync();
    assert.equal(again.unchanged, STRANGE.length);
    assert.equal(again.uploaded + again.downloaded + again.deleted + again.removed, 0);
  }
  assert.equal(one.tree.commits, 1);
});

Deno.test("sync() keeps exact bytes, and gives text as text and all else as bytes", async () => {
  await using one = await Desk.open();
  await using two = await Desk.open(one.tree);
  const files: [string, Uint8Array | string, boolean][] = [
    ["empty", "", true],
    ["bom", "\ufeffhello", true],
    ["crlf", "a\r\nb\rc\n", true],
    ["nul", "a\0b", true],
    ["latin1", new Uint8Array([0x63, 0x61, 0x66, 0xe9]), false],
    ["surrogate", new Uint8Array([0xed, 0xa0, 0x80]), false],
    ["all", Uint8Array.from({ length: 256 }, (_, i) => i), false],
    ["astral", "\u{1f600}", true],
  ];
  for (const [path, content] of files) one.write(path, content);
  await one.sync();
  for (const [path, , text] of files) {
    const held = one.tree.entries.get(path)?.held;
    assert.ok(held && "content" in held);
    assert.equal(held.text, text, path);
  }
  await two.sync();
  assert.deepEqual(two.listing(), one.listing());
  assert.deepEqual(one.repoListing(), one.listing());
});

Deno.test("sync() carries executable bits, symlinks and permissions", async () => {
  await using one = await Desk.open();
  await using two = await Desk.open(one.tree);
  one.write("run.sh", "#!/bin/sh\n", 0o755);
  one.write("secret", "1", 0o600);
  one.write("dir/file", "x");
  Deno.symlinkSync("dir/file", one.at("link"));
  Deno.symlinkSync("../run.sh", one.at("dir/up"));
  Deno.symlinkSync("nowhere", one.at("dangling"));
  Deno.symlinkSync("dir", one.at("folder"));
  assert.deepEqual((await one.sync()).problems, []);
  await two.sync();
  assert.deepEqual(two.listing(), one.listing());
  assert.equal(two.listing()["run.sh"], "*#!/bin/sh\n");
  assert.equal(two.listing()["folder"], "-> dir");

  // Only the bit changes; the content's permissions stay private.
  Deno.chmodSync(one.at("run.sh"), 0o644);
  one.tree.put("secret", "2");
  one.remove("link");
  Deno.symlinkSync("run.sh", one.at("link"));
  await one.sync();
  await two.sync();
  assert.deepEqual(two.listing(), one.listing());
  assert.equal(two.listing()["run.sh"], "#!/bin/sh\n");
  assert.equal(two.listing()["link"], "-> run.sh");
  assert.equal((Deno.statSync(one.at("secret")).mode ?? 0) & 0o777, 0o600);
  assert.equal(one.read("secret"), "2");
});

Deno.test("sync() carries changes and deletions both ways, and removes emptied folders", async () => {
  await using desk = await Desk.open();
  const { tree } = desk;
  for (const path of ["a", "b", "c", "deep/er/d", "deep/er/e"]) desk.write(path, path);
  Deno.mkdirSync(desk.at("empty"));
  await desk.sync();
  assert.deepEqual(desk.repoListing(), desk.listing());

  desk.write("a", "a here");
  desk.remove("b");
  tree.put("c", "c there");
  tree.remove("deep/er/d");
  tree.remove("deep/er/e");
  tree.put("new/there", "n");
  desk.write("new/here", "m");
  const report = await desk.sync();
  assert.deepEqual(report.problems, []);
  assert.deepEqual(
    [report.uploaded, report.removed, report.downloaded, report.deleted],
    [2, 1, 2, 2],
  );
  assert.deepEqual(desk.listing(), {
    "a": "a here",
    "c": "c there",
    "new/here": "m",
    "new/there": "n",
  });
  assert.deepEqual(desk.repoListing(), desk.listing());
  assert.ok(!desk.exists("deep"));
  assert.ok(desk.exists("empty"), "an empty folder is not the mirror's to remove");
});

Deno.test("sync() replaces a file by a folder and back, from either side", async () => {
  await using one = await Desk.open();
  await using two = await Desk.open(one.tree);
  one.write("x", "file");
  one.write("y/a", "in folder");
  one.write("y/b/c", "deeper");
  await one.sync();
  await two.sync();
  one.remove("x");
  one.write("x/inside", "now a folder");
  one.remove("y");
  one.write("y", "now a file");
  await one.sync();
  const report = await two.sync();
  assert.deepEqual(report.problems, []);
  assert.deepEqual(report.conflicts, []);
  assert.deepEqual(two.listing(), { "x/inside": "now a folder", "y": "now a file" });
  assert.deepEqual(one.repoListing(), two.listing());
});

Deno.test("sync() keeps both where one side makes a folder of a file that the other edits", async () => {
  for (const first of ["file", "folder"]) {
    await using one = await Desk.open();
    await using two = await Desk.open(one.tree);
    one.write("x", "old");
    await one.sync();
    await two.sync();
    one.write("x", "edited");
    two.remove("x");
    two.write("x/inside", "folder");
    const desks = first === "file" ? [one, two, one] : [two, one, two];
    for (const desk of desks) assert.deepEqual((await desk.sync()).problems, []);
    const wanted = { "x.conflict-2026-01-31-deviceaa": "edited", "x/inside": "folder" };
    assert.deepEqual(one.listing(), wanted, first);
    assert.deepEqual(two.listing(), wanted, first);
    assert.deepEqual(one.repoListing(), wanted, first);
  }
});

Deno.test("sync() takes a rename as what it is: one path gone, one new", async () => {
  await using one = await Desk.open();
  await using two = await Desk.open(one.tree);
  one.write("old/name", "content");
  await one.sync();
  await two.sync();
  Deno.renameSync(one.at("old"), one.at("new"));
  await one.sync();
  await two.sync();
  assert.deepEqual(two.listing(), { "new/name": "content" });
  assert.ok(!two.exists("old"));
});

Deno.test("sync() merges text that both sides changed in different lines", async () => {
  await using desk = await Desk.open();
  desk.write("t", "1\n2\n3\n4\n5\n", 0o755);
  await desk.sync();
  desk.write("t", "one\n2\n3\n4\n5\n");
  const content = new TextEncoder().encode("1\n2\n3\n4\nfive\n");
  desk.tree.put("t", { content, executable: false });
  const report = await desk.sync();
  assert.deepEqual([report.merged, report.uploaded, report.conflicts.length], [1, 1, 0]);
  assert.equal(desk.read("t"), "one\n2\n3\n4\nfive\n");
  assert.deepEqual(desk.listing(), { t: "one\n2\n3\n4\nfive\n" }, "the bit flipped there wins");
  assert.deepEqual(desk.repoListing(), desk.listing());
});

Deno.test("sync() keeps both where texts cannot be merged, are binary, or have no history", async () => {
  const binary = (n: number): Uint8Array => new Uint8Array([0xff, n]);
  const cases: [string | Uint8Array, string | Uint8Array, string | Uint8Array, boolean][] = [
    ["a\n", "b\n", "c\n", true],
    [binary(1), binary(2), binary(3), true],
    ["1\n2\n3\n", "one\n2\n3\n", "1\n2\nthree\n", false],
  ];
  for (const [before, here, there, history] of cases) {
    await using desk = await Desk.open();
    const baseContent = history ? desk.tree.baseContent : () => Promise.resolve(undefined);
    const bytes = (content: string | Uint8Array): Uint8Array =>
      typeof content === "string" ? new TextEncoder().encode(content) : content;
    desk.write("dir/n.txt", before);
    await desk.sync({ baseContent });
    desk.write("dir/n.txt", here);
    desk.tree.put("dir/n.txt", { content: bytes(there) });
    const report = await desk.sync({ baseContent });
    const kept = "dir/n.conflict-2026-01-31-deviceaa.txt";
    assert.deepEqual(report.conflicts, [{ path: "dir/n.txt", kept }]);
    assert.deepEqual(Deno.readFileSync(desk.at("dir/n.txt")), bytes(there));
    assert.deepEqual(Deno.readFileSync(desk.at(kept)), bytes(here));
    assert.deepEqual(desk.repoListing(), desk.listing());
  }
});

Deno.test("sync() does not merge with a history that gives another text than was agreed on", async () => {
  await using desk = await Desk.open();
  desk.write("t", "1\n2\n3\n");
  await desk.sync();
  desk.write("t", "one\n2\n3\n");
  desk.tree.put("t", "1\n2\nthree\n");
  const baseContent = () => Promise.resolve("one\n2\n3\n");
  const report = await desk.sync({ baseContent });
  assert.equal(report.merged, 0);
  assert.equal(report.conflicts.length, 1);
});

Deno.test("sync() gives a second conflict of a day another name", async () => {
  await using desk = await Desk.open();
  desk.write("a", "0");
  await desk.sync();
  for (const n of [1, 2, 3]) {
    desk.write("a", `here ${n}`);
    desk.tree.put("a", `there ${n}`);
    await desk.sync();
  }
  assert.deepEqual(Object.values(desk.listing()).sort(), ["here 1", "here 2", "here 3", "there 3"]);
  assert.deepEqual(desk.repoListing(), desk.listing());
});

Deno.test("sync() lets what was changed survive what was deleted", async () => {
  await using desk = await Desk.open();
  desk.write("a", "a");
  desk.write("b", "b");
  await desk.sync();
  desk.write("a", "a changed here");
  desk.tree.remove("a");
  desk.remove("b");
  desk.tree.put("b", "b changed there");
  await desk.sync();
  assert.deepEqual(desk.listing(), { a: "a changed here", b: "b changed there" });
  assert.deepEqual(desk.repoListing(), desk.listing());
});

Deno.test("sync() copes with new ids of old content, as a merged fork gives", async () => {
  await using desk = await Desk.open();
  desk.write("a", "a");
  desk.write("b", "b");
  desk.write("c", "c");
  await desk.sync();
  desk.tree.renumber();
  desk.write("a", "a changed");
  desk.remove("b");
  const opened: string[] = [];
  const report = await desk.sync();
  assert.deepEqual([report.uploaded, report.removed, report.downloaded], [1, 1, 0]);
  assert.deepEqual(desk.listing(), { a: "a changed", c: "c" });
  assert.deepEqual(desk.repoListing(), desk.listing());
  desk.tree.beforeOpen = (path) => opened.push(path);
  await desk.sync();
  assert.deepEqual(opened, [], "the new ids are remembered");
});

Deno.test("sync() of a repo that cannot be written still brings its changes", async () => {
  await using desk = await Desk.open();
  desk.tree.put("a", "a");
  desk.tree.readOnly = true;
  await desk.sync();
  desk.write("mine", "m");
  desk.tree.put("a", "a2");
  const report = await desk.sync();
  assert.deepEqual(report.problems.map(({ path, code }) => [path, code]), [["mine", "read_only"]]);
  assert.deepEqual(desk.listing(), { a: "a2", mine: "m" });
});

Deno.test("sync() streams files over 1 MiB both ways", async () => {
  await using one = await Desk.open();
  await using two = await Desk.open(one.tree);
  const block = new Uint8Array(1 << 20);
  for (let at = 0; at < block.length; at += 65_536) {
    crypto.getRandomValues(block.subarray(at, at + 65_536));
  }
  const large = new Uint8Array(20 << 20);
  for (let i = 0; i < 20; i++) large.set(block, i << 20);
  one.write("large", large);
  one.write("limit", new Uint8Array(1 << 20).fill(97));
  one.write("over", new Uint8Array((1 << 20) + 1).fill(97));
  await one.sync();
  const text = (path: string): boolean | undefined => {
    const held = one.tree.entries.get(path)?.held;
    return held && "content" in held ? held.text : undefined;
  };
  assert.deepEqual([text("limit"), text("over"), text("large")], [true, false, false]);
  await two.sync();
  assert.ok(Deno.readFileSync(two.at("large")).every((byte, i) => byte === large[i]));
  assert.equal(Deno.statSync(two.at("over")).size, (1 << 20) + 1);
  assert.equal((await two.sync()).unchanged, 3);
});

Deno.test("sync() queues exactly one more run for all who call while one runs", async () => {
  await using desk = await Desk.open();
  const mirror = await desk.mirror();
  let lists = 0;
  const list = desk.tree.list.bind(desk.tree);
  desk.tree.list = () => {
    lists++;
    return list();
  };
  const first = mirror.sync();
  desk.write("late", "x");
  const [second, third] = [mirror.sync(), mirror.sync()];
  assert.equal(second, third);
  await Promise.all([first, second]);
  assert.equal(lists, 2);
  assert.equal(desk.tree.text("late"), "x");
  await mirror.sync();
  assert.equal(lists, 3);
});

Deno.test("sync() runs the queued one even if the running one fails", async () => {
  await using desk = await Desk.open();
  desk.write("a", "a");
  const mirror = await desk.mirror();
  desk.tree.beforeCommit = () => {
    desk.tree.beforeCommit = () => undefined;
    throw new TypeError("broken");
  };
  const first = mirror.sync();
  const second = mirror.sync();
  await assert.rejects(first, /broken/);
  assert.equal((await second).uploaded, 1);
});

Deno.test("sync() tells how far it is", async () => {
  await using one = await Desk.open();
  await using two = await Desk.open(one.tree);
  for (let i = 0; i < 30; i++) one.write(`f${i}`, `${i}`);
  const stages = new Set<string>();
  await one.sync({ onProgress: ({ stage }) => stages.add(stage) });
  let last = 0;
  await two.sync({
    onProgress: ({ stage, done, total }) => {
      stages.add(stage);
      if (stage === "download") {
        assert.equal(total, 30);
        assert.equal(done, ++last);
      }
    },
  });
  assert.equal(last, 30);
  assert.deepEqual([...stages].sort(), ["compare", "download", "upload"]);
});
