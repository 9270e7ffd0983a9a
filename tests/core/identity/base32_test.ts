import assert from "node:assert/strict";
import { decodeBase32, encodeBase32 } from "../../../core/identity/base32.ts";

/** RFC 4648 section 10, in lower case and without padding. */
const VECTORS: readonly [string, string][] = [
  ["", ""],
  ["f", "my"],
  ["fo", "mzxq"],
  ["foo", "mzxw6"],
  ["foob", "mzxw6yq"],
  ["fooba", "mzxw6ytb"],
  ["foobar", "mzxw6ytboi"],
];

Deno.test("base32 is that of RFC 4648, both ways", () => {
  for (const [text, encoded] of VECTORS) {
    const bytes = new TextEncoder().encode(text);
    assert.equal(encodeBase32(bytes), encoded);
    assert.deepEqual(decodeBase32(encoded), bytes);
  }
});

Deno.test("decodeBase32() refuses every text that is not some bytes' only one", () => {
  const texts = [
    "MY",
    "my======",
    "m",
    "mzx",
    "mzxw6y",
    "mz",
    "mzxr",
    "m1",
    "m8",
    "mä",
    "m\n",
    "  ",
  ];
  for (const text of texts) assert.equal(decodeBase32(text), undefined, JSON.stringify(text));
});
