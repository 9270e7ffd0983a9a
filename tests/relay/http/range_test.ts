import assert from "node:assert/strict";
import { parseRange } from "../../../relay/http/range.ts";

Deno.test("parseRange() gives what a header asks of 10 bytes", () => {
  const cases: [string | null, ReturnType<typeof parseRange>][] = [
    [null, undefined],
    ["bytes=0-3", { start: 0, end: 4 }],
    ["bytes=9-9", { start: 9, end: 10 }],
    ["bytes=4-", { start: 4, end: 10 }],
    ["bytes=4-99", { start: 4, end: 10 }],
    ["bytes=-3", { start: 7, end: 10 }],
    ["bytes=-99", { start: 0, end: 10 }],
    ["Bytes = 1 - 2", { start: 1, end: 3 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=99999999999999999999-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-2", undefined],
    ["bytes=-", undefined],
    ["bytes=0-1,4-5", undefined],
    ["items=0-3", undefined],
    ["bytes=a-b", undefined],
  ];
  for (const [header, expected] of cases) {
    assert.deepEqual(parseRange(header, 10), expected, String(header));
  }
});

Deno.test("parseRange() of nothing is never satisfiable", () => {
  for (const header of ["bytes=0-", "bytes=-1"]) {
    assert.equal(parseRange(header, 0), "unsatisfiable");
  }
});
