import assert from "node:assert/strict";
import { classText, type ClassValue } from "../../web/class_text.ts";

Deno.test("classText() joins text, lists and flags, and leaves out what is falsy", () => {
  const cases: [ClassValue, string][] = [
    ["a b", "a b"],
    [["a", ["b", { c: 1, d: 0 }], null, false, ""], "a b c"],
    [{ open: true, shut: undefined }, "open"],
    [undefined, ""],
    [false, ""],
    [[], ""],
    [7, "7"],
  ];
  for (const [value, text] of cases) assert.equal(classText(value), text, JSON.stringify(value));
});
