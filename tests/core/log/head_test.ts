import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../core/hex.ts";
import { keyFromBytes } from "../../../core/identity/key.ts";
import {
  compareHeads,
  decodeHead,
  encodeHead,
  type Head,
  HEAD_BYTES,
  sameHead,
  signedBytes,
  type SignedHead,
  signHead,
  verifyHead,
} from "../../../core/log/head.ts";
import { signerOf } from "../../suites/people.ts";
import { testCrypto } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const mallory = await signerOf("mallory");
const root = new Uint8Array(32).map((_, i) => 0xa0 + i);
const head: Head = {
  key: alice.key,
  flags: 0,
  epoch: 0x01020304,
  blocks: 0x0a0b0c0d0e,
  bytes: 0x1a1b1c1d1e1f,
  record: 0x111213141516,
  root,
};
const signed = await signHead(head, alice);

Deno.test("the signed bytes are laid out as the specification says", () => {
  const hex = toHex(signedBytes(head));
  const parts = [
    toHex(new TextEncoder().encode("streamo/head/1\0")),
    toHex(alice.publicKey),
    "00",
    "01020304",
    "0000000a0b0c0d0e",
    "00001a1b1c1d1e1f",
    "0000111213141516",
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf",
  ];
  assert.equal(hex, parts.join(""));
  const encoded = toHex(encodeHead(signed));
  assert.equal(encoded, parts.slice(1).join("") + toHex(signed.signature));
  assert.equal(encoded.length, 2 * HEAD_BYTES);
});

Deno.test("a known seed gives a known head", async () => {
  const key = await testCrypto.signingKey(new Uint8Array(32).fill(1));
  const known = await signHead({
    key: keyFromBytes(key.publicKey),
    flags: 0,
    epoch: 0,
    blocks: 1,
    bytes: 2,
    record: undefined,
    root: new Uint8Array(32),
  }, key);
  assert.equal(toHex(encodeHead(known)), KNOWN_HEAD);
});

const KNOWN_HEAD =
  "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c000000000000000000000000010000000000000002ffffffffffffffff00000000000000000000000000000000000000000000000000000000000000002c825e1464b1abf1c82107e72979476da537730f980fa208462b62ad09617832fb6f2c7f68baebdf3b146d9104d60bd68d7423d09bfea06da3c93a6acb88d402";

Deno.test("decodeHead() gives back what encodeHead() was given, and takes nothing else", () => {
  const encoded = encodeHead(signed);
  assert.deepStrictEqual(decodeHead(encoded), { ...signed });
  const empty = { ...signed, record: undefined, blocks: 0, bytes: 0 };
  assert.deepStrictEqual(decodeHead(encodeHead(empty)), empty);
  const refused: [string, Uint8Array][] = [
    ["too short", encoded.subarray(1)],
    ["too long", new Uint8Array([...encoded, 0])],
    ["empty", new Uint8Array()],
    ["an unknown flag", encoded.with(32, 2)],
    ["a flag in the top bit", encoded.with(32, 0x80)],
    ["blocks past 2^53", encoded.with(37, 0xff)],
    ["bytes past 2^53", encoded.with(45, 0x20)],
    ["a record past 2^53", encoded.with(53, 0xff)],
    ["a record past its bytes", encodeHead({ ...signed, record: signed.bytes })],
    ["more blocks than bytes", encodeHead({ ...signed, blocks: signed.bytes + 1 })],
  ];
  for (const [name, bytes] of refused) {
    assert.throws(() => decodeHead(bytes), { code: "malformed" }, name);
  }
});

Deno.test("every byte of a head is covered by its signature", async () => {
  assert.equal(await verifyHead(signed, alice.key, testCrypto), signed);
  const encoded = encodeHead(signed);
  for (let at = 0; at < encoded.length; at++) {
    let changed: SignedHead;
    try {
      changed = decodeHead(encoded.with(at, encoded[at] ^ 1));
    } catch (error) {
      assert.equal((error as { code: string }).code, "malformed");
      continue;
    }
    const code = at < 32 ? "wrong_key" : "bad_signature";
    await assert.rejects(verifyHead(changed, alice.key, testCrypto), { code }, `byte ${at}`);
  }
});

Deno.test("every field of a head is covered by its signature", async () => {
  const changes: Partial<Head>[] = [
    { flags: 1 },
    { epoch: 0 },
    { blocks: 1 },
    { bytes: head.bytes + 1 },
    { record: undefined },
    { record: 0 },
    { root: root.toReversed() },
  ];
  for (const change of changes) {
    await assert.rejects(verifyHead({ ...signed, ...change }, alice.key, testCrypto), {
      code: "bad_signature",
    }, JSON.stringify(change));
  }
});

Deno.test("a key signs and verifies its own heads only", async () => {
  await assert.rejects(async () => await signHead(head, mallory), { code: "wrong_key" });
  await assert.rejects(verifyHead(signed, mallory.key, testCrypto), { code: "wrong_key" });
  const theirs = await signHead({ ...head, key: mallory.key }, mallory);
  const forged = { ...theirs, key: alice.key };
  await assert.rejects(verifyHead(forged, alice.key, testCrypto), { code: "bad_signature" });
});

Deno.test("of two heads the higher epoch wins, then more blocks, then the smaller root", () => {
  const smaller = { ...head, root: root.with(31, 0) };
  assert.ok(compareHeads({ ...smaller, epoch: head.epoch + 1, blocks: 1 }, head) < 0);
  assert.ok(compareHeads({ ...head, blocks: head.blocks + 1 }, smaller) < 0);
  assert.ok(compareHeads(smaller, head) < 0);
  assert.ok(compareHeads(head, smaller) > 0);
  assert.equal(compareHeads(head, { ...head }), 0);
});

Deno.test("two heads are the same whatever their signatures, and differ by every field", () => {
  assert.ok(sameHead(signed, { ...signed, signature: new Uint8Array(64) } as SignedHead));
  assert.ok(sameHead(undefined, undefined));
  assert.ok(!sameHead(signed, undefined));
  const changes: Partial<Head>[] = [
    { key: mallory.key },
    { flags: 1 },
    { epoch: 0 },
    { blocks: 1 },
    { bytes: 1 },
    { record: undefined },
    { root: root.with(0, 0) },
  ];
  for (const change of changes) assert.ok(!sameHead(signed, { ...signed, ...change }));
  assert.equal(fromHex("A0"), undefined);
});
