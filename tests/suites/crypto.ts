/** What every crypto provider promises: the same results for every input. */

import { strict as assert } from "node:assert";
import { createHash, hkdfSync } from "node:crypto";
import type { Crypto } from "../../core/identity/crypto.ts";
import vectors from "../vectors/ed25519.json" with { type: "json" };

const hex = (text: string) => Uint8Array.fromHex(text);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** RFC 8032 section 7.1: seed, public key, message, signature. */
const RFC_8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
  [
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589" +
    "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
  ],
];

/** RFC 5869 appendix A, cut to 32 bytes: secret, salt, info, result. */
const RFC_5869 = [
  [
    "0b".repeat(22),
    "000102030405060708090a0b0c",
    "f0f1f2f3f4f5f6f7f8f9",
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
  ],
  ["0b".repeat(22), "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"],
];

/** RFC 7914 section 11, cut to 32 bytes: password, salt, iterations, result. */
const RFC_7914: Array<[string, string, number, string]> = [
  ["passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"],
  ["Password", "NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"],
];

/** Registers the suite for the provider that `make` gives. */
export function cryptoSuite(name: string, make: () => Crypto): void {
  Deno.test(`${name}: sha256() hashes any length, in one part or several`, () => hashing(make()));
  Deno.test(`${name}: sha256() gives a plain Uint8Array with memory of its own`, () => {
    for (const length of [1, 1000]) assertPlain(make().sha256(new Uint8Array(length)), 32);
  });
  signingTests(name, make);
  verifyingTests(name, make);
  Deno.test(`${name}: pbkdf2() gives the answers of RFC 7914`, async () => {
    for (const [password, salt, iterations, expected] of RFC_7914) {
      const derived = await make().pbkdf2(utf8(password), utf8(salt), iterations);
      assert.equal(derived.toHex(), expected);
      assertPlain(derived, 32);
    }
  });
  Deno.test(`${name}: hkdf() gives the answers of RFC 5869`, async () => {
    for (const [secret, salt, info, expected] of RFC_5869) {
      const derived = await make().hkdf(hex(secret), hex(salt), hex(info));
      assert.equal(derived.toHex(), expected);
      assertPlain(derived, 32);
    }
    // Past 64 bytes a key of HMAC is hashed first.
    for (const length of [1, 63, 64, 65, 200]) {
      const bytes = new Uint8Array(length).fill(length);
      const expected = new Uint8Array(hkdfSync("sha256", bytes, bytes, bytes, 32));
      assert.deepEqual(await make().hkdf(bytes, bytes, bytes), expected);
    }
  });
}

function signingTests(name: string, make: () => Crypto): void {
  Deno.test(`${name}: signing keys give the public keys and signatures of RFC 8032`, async () => {
    for (const [seed, publicKey, message, signature] of RFC_8032) {
      const key = await make().signingKey(hex(seed));
      assert.equal(key.publicKey.toHex(), publicKey);
      assert.equal((await key.sign(hex(message))).toHex(), signature);
      assertPlain(key.publicKey, 32);
      assertPlain(await key.sign(hex(message)), 64);
      assert.equal(await make().verify(key.publicKey, hex(message), hex(signature)), true);
    }
  });
  Deno.test(`${name}: a signing key keeps its own copy of the seed and of the message`, async () => {
    const [seed, publicKey, message, signature] = RFC_8032[1];
    const [seedBytes, messageBytes] = [hex(seed), hex(message)];
    const making = make().signingKey(seedBytes);
    seedBytes.fill(0);
    const key = await making;
    const signing = key.sign(messageBytes);
    messageBytes.fill(0);
    assert.equal(key.publicKey.toHex(), publicKey);
    assert.equal((await signing).toHex(), signature);
  });
  Deno.test(`${name}: signingKey() rejects a seed that has not 32 bytes`, async () => {
    for (const length of [0, 31, 33, 64]) {
      await assert.rejects(make().signingKey(new Uint8Array(length)), RangeError);
    }
  });
}

function verifyingTests(name: string, make: () => Crypto): void {
  Deno.test(`${name}: verify() judges every edge case by the strict rule`, async () => {
    const crypto = make();
    const wrong: string[] = [];
    for (const { name, publicKey, message, signature, valid } of vectors) {
      const answer = await crypto.verify(hex(publicKey), hex(message), hex(signature));
      if (answer !== valid) wrong.push(`${name}: ${answer}`);
    }
    assert.deepEqual(wrong, []);
  });
  Deno.test(`${name}: verify() answers for the key it is given, whatever came before`, async () => {
    const crypto = make();
    const ask = ([, key, message, signature]: string[]) =>
      crypto.verify(hex(key), hex(message), hex(signature));
    const offCurve = hex("02".padEnd(64, "0"));
    const [first, second] = RFC_8032;
    assert.equal(await crypto.verify(offCurve, hex(""), hex(first[3])), false);
    for (const vector of [first, second, first, first]) assert.equal(await ask(vector), true);
    assert.equal(await ask([first[0], second[1], first[2], first[3]]), false);
    assert.deepEqual(await Promise.all([ask(first), ask(second)]), [true, true]);
    const reused = hex(first[1]); // the caller writes another key over the same memory
    assert.equal(await crypto.verify(reused, hex(first[2]), hex(first[3])), true);
    reused.set(hex(second[1]));
    assert.equal(await crypto.verify(reused, hex(first[2]), hex(first[3])), false);
  });
}

function hashing(crypto: Crypto): void {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i * 31 + (i >> 8));
  const reference = (part: Uint8Array) => createHash("sha256").update(part).digest("hex");
  const lengths = [
    ...Array.from({ length: 260 }, (_, i) => i),
    511,
    512,
    513,
    4096,
    61_440,
    70_000,
  ];
  for (const length of lengths) {
    const whole = bytes.subarray(3, 3 + length);
    const expected = reference(whole);
    assert.equal(crypto.sha256(whole).toHex(), expected, `${length} bytes`);
    for (const cut of [0, 1, 9, 64, length - 1]) {
      const parts = [whole.subarray(0, cut), new Uint8Array(), whole.subarray(Math.max(cut, 0))];
      if (cut >= 0) assert.equal(crypto.sha256(...parts).toHex(), expected, `${length} at ${cut}`);
    }
  }
  assert.equal(crypto.sha256().toHex(), reference(new Uint8Array()));
}

/** A Buffer shares memory on `slice`, and a view of a pool keeps the pool alive. */
function assertPlain(bytes: Uint8Array, length: number): void {
  assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  assert.deepEqual([bytes.length, bytes.buffer.byteLength], [length, length]);
}
