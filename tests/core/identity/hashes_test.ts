/** The library's own hashing and base32 against the platform's. */

import assert from "node:assert/strict";
import { createHash, hkdfSync } from "node:crypto";
import { decodeBase32, encodeBase32 } from "../../../core/identity/base32.ts";
import { hkdf } from "../../../core/identity/hashes.ts";
import { sha256 } from "../../../core/identity/sha256.ts";
import { noise } from "../../suites/model/arbitraries.ts";

const sample = (length: number) => noise(length + 1, length);

Deno.test("sha256() gives what the platform gives, for every length and however it is cut", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = sample(length);
    const expected = createHash("sha256").update(bytes).digest("hex");
    assert.equal(sha256(bytes).toHex(), expected);
    const [a, b] = [length % 71 % (length + 1), length - length % 13 % (length + 1)].sort((x, y) =>
      x - y
    );
    const parts = [bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b)];
    assert.equal(sha256(...parts).toHex(), expected, `${length} bytes cut at ${a} and ${b}`);
  }
  const large = sample(1_000_003);
  assert.equal(sha256(large).toHex(), createHash("sha256").update(large).digest("hex"));
  assert.equal(sha256().toHex(), createHash("sha256").digest("hex"));
});

Deno.test("hkdf() gives what the platform gives", () => {
  for (const length of [0, 1, 31, 32, 63, 64, 65, 200]) {
    const [secret, salt, info] = [32, length, 200 - length].map(sample);
    const expected = new Uint8Array(hkdfSync("sha256", secret, salt, info, 32));
    assert.deepEqual(hkdf(secret, salt, info), expected);
  }
});

Deno.test("base32 of RFC 4648, one text for the same bytes", () => {
  const vectors = { "": "", f: "my", fo: "mzxq", foo: "mzxw6", foob: "mzxw6yq", fooba: "mzxw6ytb" };
  for (const [text, encoded] of Object.entries(vectors)) {
    const bytes = new TextEncoder().encode(text);
    assert.equal(encodeBase32(bytes), encoded);
    assert.deepEqual(decodeBase32(encoded), bytes);
  }
  const wrong = ["m", "mz", "mzxr", "mzxw6z", "MY", "my======", "m1", "m y", "mé", "a", "aaa"];
  for (const text of wrong) assert.equal(decodeBase32(text), undefined, text);
  for (let length = 0; length < 40; length++) {
    const bytes = sample(length);
    assert.deepEqual(decodeBase32(encodeBase32(bytes)), bytes);
  }
});
