import assert from "node:assert/strict";
import { mergeText } from "../../../cli/mirror/merge.ts";

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

Deno.test("mergeText() refuses lines that touch, and texts that would take for ever", () => {
  assert.equal(mergeText("x\n", "a\n", "y\n"), undefined);
  assert.equal(mergeText("a\n", "", "b\n"), undefined);
  const blank = "\n".repeat(100_000);
  assert.equal(mergeText(`${blank}x`, blank, `y${blank}`), undefined);
});
