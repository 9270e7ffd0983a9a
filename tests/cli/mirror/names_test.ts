import assert from "node:assert/strict";
import { concerns, conflictPath, refusePath, refuseTarget } from "../../../cli/mirror/names.ts";

const unix = { windows: false, dataPath: "my/data" };
const windows = { windows: true, dataPath: undefined };

Deno.test("refusePath() refuses hostile paths everywhere", () => {
  const hostile = [
    "",
    "/etc/passwd",
    "..",
    "../x",
    "a/../b",
    "a/..",
    "./a",
    "a//b",
    "a/",
    "a\0b",
    ".git",
    ".git/hooks/post-checkout",
    "sub/.git/config",
    ".GIT/config",
    ".git./config",
    ".git /config",
    ".git. . /config",
    "git~1/config",
    "GIT~2/config",
    ".g\u200cit/config",
    ".git::$INDEX_ALLOCATION/config",
    ".streamo/key",
    "a/.Streamo",
    "my/data",
    "my/data/base",
    "MY/Data/base",
    "x".repeat(256),
    "é".repeat(128),
    "a\ud800",
  ];
  for (const path of hostile) assert.ok(refusePath(path, unix), JSON.stringify(path));
});

Deno.test("refusePath() accepts whatever people call their files", () => {
  const harmless = [
    "a",
    ".gitignore",
    ".github/x",
    "git",
    "..a",
    "a..",
    "...",
    "my/data2",
    "my",
    "-rf",
    "a b",
    "#%?'\"\n",
    "CON",
    "a\\b",
    "C:x",
    "x".repeat(255),
    "é".repeat(127),
    "e\u0301",
  ];
  for (const path of harmless) assert.equal(refusePath(path, unix), undefined, path);
});

Deno.test("refusePath() refuses on Windows what Windows reads as something else", () => {
  for (
    const path of ["CON", "nul.txt", "COM1", "com¹.x", "a\\b", "C:x", "a.", "a ", "a?", "x/AUX/y"]
  ) {
    assert.ok(refusePath(path, windows), path);
  }
  for (const path of ["console", "nully.txt", "com", "a.b"]) {
    assert.equal(refusePath(path, windows), undefined, path);
  }
});

Deno.test("refuseTarget() refuses symlinks that leave the folder, on their own or through others", () => {
  const refused: [string, string][] = [
    ["a", ""],
    ["a", "/etc"],
    ["a", ".."],
    ["a", "../x"],
    ["a/b", "../../x"],
    ["a", "b/../../x"],
    // Inside when read as text, outside if `p` is a link to a shallower folder.
    ["a", "p/../x"],
    ["a", "x\0y"],
    ["a", "x".repeat(4096)],
  ];
  for (const [path, target] of refused) assert.ok(refuseTarget(path, target, false), target);
  const kept: [string, string][] = [["a", "b"], ["a/b", "../c"], ["a/b/c", "../../d/e"], [
    "a",
    ".",
  ]];
  for (const [path, target] of kept) {
    assert.equal(refuseTarget(path, target, false), undefined, target);
  }
  assert.ok(refuseTarget("a", "C:\\x", true));
});

Deno.test("conflictPath() keeps the extension and fits into a name", () => {
  const name = (path: string, attempt = 1): string =>
    conflictPath(path, "2026-01-31", "abcdefgh", attempt);
  assert.equal(name("docs/a.b.txt"), "docs/a.b.conflict-2026-01-31-abcdefgh.txt");
  assert.equal(name("a.txt", 2), "a.conflict-2026-01-31-abcdefgh-2.txt");
  assert.equal(name(".bashrc"), ".bashrc.conflict-2026-01-31-abcdefgh");
  assert.equal(name("x/Makefile"), "x/Makefile.conflict-2026-01-31-abcdefgh");
  for (const long of [`${"é".repeat(125)}.txt`, "𝒳".repeat(63), `a.${"b".repeat(253)}`]) {
    assert.ok(new TextEncoder().encode(name(long)).length <= 255);
    assert.ok(name(long).isWellFormed());
  }
});

Deno.test("concerns() tells mirrored files from what a sync itself writes", () => {
  const rules = { windows: false, dataPath: "my/data" };
  for (const path of ["", "a", "my", "my/data2", "my/x", ".gitignore", ".streamo-tmp-x"]) {
    assert.ok(concerns(path, rules), path);
  }
  const own = [".git/index", "a/.git", ".streamo/x", "my/data", "my/data/base.time"];
  for (const path of [...own, "a/.streamo-tmp-0123456789abcdef"]) {
    assert.ok(!concerns(path, rules), path);
  }
});
