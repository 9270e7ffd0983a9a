import { strict as assert } from "node:assert";
import { keyFromBytes, keyToBytes, parseKey } from "../../../core/identity/key.ts";

const malformed = { name: "StreamoError", code: "malformed" };

Deno.test("a key's text is 52 characters that stand for the same bytes", () => {
  for (let i = 0; i < 256; i++) {
    const bytes = new Uint8Array(32).fill(i);
    bytes[0] = 255 - i;
    const key = keyFromBytes(bytes);
    assert.match(key, /^[a-z2-7]{52}$/);
    assert.equal(parseKey(key), key);
    assert.deepEqual(keyToBytes(key), bytes);
  }
});

Deno.test("keyFromBytes() gives RFC 4648 base32 in lower case", () => {
  assert.equal(keyFromBytes(new Uint8Array(32)), "a".repeat(52));
  assert.equal(keyFromBytes(new Uint8Array(32).fill(0xff)), "7".repeat(51) + "q");
});

Deno.test("parseKey() refuses every other text of the same bytes", () => {
  const key = keyFromBytes(new Uint8Array(32).fill(0x5a));
  const last = key[51];
  for (const other of "abcdefghijklmnopqrstuvwxyz234567") {
    const text = key.slice(0, 51) + other;
    // The last character carries one bit of the key and four that must be 0.
    if (other === last || other === "a" || other === "q") assert.equal(parseKey(text), text);
    else assert.throws(() => parseKey(text), malformed, text);
  }
  const texts = [
    key.toUpperCase(),
    ` ${key}`,
    `${key}\n`,
    `${key}====`,
    key.slice(1),
    `${key}a`,
    "",
  ];
  for (const text of [...texts, "1".repeat(52), "8".repeat(52), "ä".repeat(52)]) {
    assert.throws(() => parseKey(text), malformed, JSON.stringify(text));
  }
});

Deno.test("parseKey() says what it was given, cut short", () => {
  assert.throws(() => parseKey("hello"), { message: /"hello"/ });
  assert.throws(() => parseKey("x".repeat(1e6)), (error: Error) => error.message.length < 200);
  assert.throws(() => parseKey(undefined as unknown as string), malformed);
});

Deno.test("keyFromBytes() refuses any other number of bytes", () => {
  for (const length of [0, 31, 33]) {
    assert.throws(() => keyFromBytes(new Uint8Array(length)), malformed);
  }
});
