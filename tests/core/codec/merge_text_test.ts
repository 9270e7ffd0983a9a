import assert from "node:assert/strict";
import { mergeText } from "../../../core/codec/merge_text.ts";

Deno.test("mergeText() keeps both sides' lines, byte for byte", () => {
  const cases: [ours: string, base: string, theirs: string, merged: string | undefined][] = [
    ["a\nb\nC\n", "a\nb\nc\n", "A\nb\nc\n", "A\nb\nC\n"],
    ["a\nb\nc", "a\nb", "x\na\nb", undefined],
    ["a\nb\nm\nc", "a\nb\nm\nd", "x\na\nb\nm\nd", "x\na\nb\nm\nc"],
    ["a\r\nb\r\nc\r\n", "a\r\nb\r\n", "z\r\na\r\nb\r\n", "z\r\na\r\nb\r\nc\r\n"],
    ["\ufeffa\nb\n2\n", "\ufeffa\nb\n", "\ufeff1\nb\n", "\ufeff1\nb\n2\n"],
    ["x\n", "a\n", "y\n", undefined],
    ["x\n", "a\n", "x\n", "x\n"],
    ["", "a\n", "a\n", ""],
    ["a\n", "", "b\n", undefined],
  ];
  for (const [ours, base, theirs, merged] of cases) {
    const got = mergeText(ours, base, theirs);
    if (merged !== undefined) assert.equal(got, merged);
    assert.equal(mergeText(theirs, base, ours), got);
  }
});

Deno.test("mergeText() refuses lines that touch", () => {
  const cases = [["x\n", "a\n", "y\n"], ["a\n", "", "b\n"], ["A\nb\n", "a\nb\n", "a\nB\n"]];
  for (const [mine, base, theirs] of cases) {
    assert.equal(mergeText(mine, base, theirs), undefined);
    assert.equal(mergeText(theirs, base, mine), undefined);
  }
});

Deno.test("mergeText() gets through texts whose lines are all equal, and long ones that all differ", () => {
  const blank = "\n".repeat(100_000);
  assert.equal(mergeText(`${blank}x`, blank, `y\n${blank}`), `y\n${blank}x`);
  const half = "\n".repeat(50_000);
  assert.equal(mergeText(`${half}x\n${half}`, blank, `${blank}y`), `${half}x\n${half}y`);
  const lines = Array.from({ length: 100_000 }, (_, i) => `line ${i}\n`).join("");
  const changed = lines.replace("line 500\n", "").replace("line 99000\n", "changed\n");
  const merged = mergeText(`first\n${changed}last`, lines, lines.replace("line 7\n", "seven\n"));
  assert.equal(merged, `first\n${changed.replace("line 7\n", "seven\n")}last`);
});
