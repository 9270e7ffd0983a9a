import { strict as assert } from "node:assert";
import { hkdfSync, pbkdf2Sync } from "node:crypto";
import { inspect } from "node:util";
import {
  Credentials,
  normalizeName,
  normalizePassword,
} from "../../../core/identity/credentials.ts";
import type { Crypto } from "../../../core/identity/crypto.ts";
import { defaultCrypto } from "../../../core/identity/default_crypto.ts";
import { keyFromBytes } from "../../../core/identity/key.ts";
import { Signer } from "../../../core/identity/signer.ts";
import { webCrypto } from "../../../core/identity/webcrypto.ts";

/** The full derivation is slow on purpose: one set of credentials serves the tests that read it. */
let derived: Credentials | undefined;
async function alice(): Promise<Credentials> {
  derived ??= await Credentials.derive("alice", "correct horse battery staple");
  return derived;
}

/** A provider whose derivation is one round: for tests of what goes in. */
const quick: Crypto = {
  ...defaultCrypto(),
  pbkdf2: (password, salt) => defaultCrypto().pbkdf2(password, salt, 1),
};

Deno.test("credentials give the known keys", async () => {
  const signer = await (await alice()).signer("my-notes");
  assert.equal(signer.name, "my-notes");
  assert.equal(signer.key, "u7ps2yrhrued4vfujnbzon7b5ywloyvnolu3qncap3fdwpfr4fcq");
  assert.equal(keyFromBytes(signer.publicKey), signer.key);
  assert.equal(
    (await (await alice()).signer("photos")).key,
    "2p6gjhi2etggatcnvgaexpnqtfov3wm3e7sgl3kq2b24ucaf3vla",
  );
});

Deno.test("credentials derive by PBKDF2 and HKDF as SPEC states them", async () => {
  const root = pbkdf2Sync("pässword 1", "streamo/root/1\0bob", 600_000, 32, "sha256");
  const info = new TextEncoder().encode("streamo/signer/1\0日記");
  const seed = new Uint8Array(hkdfSync("sha256", root, new Uint8Array(), info, 32));
  const bob = await Credentials.derive("bob", "pässword 1");
  assert.equal((await bob.signer("日記")).key, (await Signer.fromSeed("", seed)).key);
});

Deno.test("credentials are the same through another provider", async () => {
  const web = await Credentials.derive("alice", "correct horse battery staple", {
    crypto: webCrypto(crypto.subtle),
  });
  assert.equal((await web.signer("my-notes")).key, (await (await alice()).signer("my-notes")).key);
});

Deno.test("a signer's signature verifies under its key, and under no other", async () => {
  const [notes, photos] = [await (await alice()).signer("a"), await (await alice()).signer("b")];
  const message = new TextEncoder().encode("hello");
  const signature = await notes.sign(message);
  assert.equal(await defaultCrypto().verify(notes.publicKey, message, signature), true);
  assert.equal(await defaultCrypto().verify(photos.publicKey, message, signature), false);
});

Deno.test("another user name, password or dataset name gives another key", async () => {
  const keys = new Set<string>();
  const cases = [["a", "b", "c"], ["a", "b", "C"], ["a", "B", "c"], ["A", "b", "c"], [
    "ab",
    "b",
    "c",
  ]];
  for (const [username, password, name] of [...cases, ["a", "bc", "c"], ["a", "b ", "c"]]) {
    const credentials = await Credentials.derive(username, password, { crypto: quick });
    keys.add((await credentials.signer(name)).key);
  }
  assert.equal(keys.size, 7);
});

Deno.test("text that looks the same gives the same key", async () => {
  const composed = await Credentials.derive("Zo\u00eb", "na\u00efve pass", { crypto: quick });
  const decomposed = await Credentials.derive("Zoe\u0308", "nai\u0308ve\u00a0pass", {
    crypto: quick,
  });
  assert.equal(decomposed.username, "Zo\u00eb");
  const signers = [await composed.signer("caf\u00e9"), await decomposed.signer("cafe\u0301")];
  assert.equal(signers[0].key, signers[1].key);
  assert.equal(signers[1].name, "caf\u00e9");
});

Deno.test("names are refused if empty, ill-formed, with controls or spaces at an end", () => {
  const bad = [
    "",
    "a\0",
    "a\nb",
    "a\u007f",
    "a\u0085",
    "a\u2028b",
    "\ud800",
    "a\udc00b",
    " a",
    "a ",
    "a\u3000",
  ];
  for (const name of bad) {
    assert.throws(() => normalizeName("user name", name), TypeError, JSON.stringify(name));
  }
  for (const name of ["a", "a b", "日記", "👩‍👩‍👧", "\u{10ffff}"]) {
    assert.equal(normalizeName("user name", name), name);
  }
  assert.throws(() => normalizeName("dataset name", "a\nb"), { message: /dataset name .*"a\\nb"/ });
  assert.throws(() => normalizeName("user name", 1 as unknown as string), TypeError);
});

Deno.test("passwords keep their spaces, and follow the rule of RFC 8265 for them", () => {
  assert.equal(normalizePassword(" a\u00a0b\u3000 "), " a b  ");
  assert.equal(normalizePassword("\u212b ﬁ"), "\u00c5 ﬁ"); // NFC, not NFKC: the ligature stays
  for (const password of ["", "a\0", "a\tb", "\ud800"]) {
    assert.throws(() => normalizePassword(password), TypeError);
  }
});

Deno.test("derive() and signer() reject with the same errors", async () => {
  await assert.rejects(Credentials.derive("", "b"), {
    name: "TypeError",
    message: /user name is empty/,
  });
  await assert.rejects(Credentials.derive("a", ""), {
    name: "TypeError",
    message: /password is empty/,
  });
  await assert.rejects((await alice()).signer(""), {
    name: "TypeError",
    message: /dataset name is empty/,
  });
});

Deno.test("an error never quotes the password", async () => {
  await assert.rejects(Credentials.derive("alice", "hunter2\n"), (error: Error) => {
    return error instanceof TypeError && !inspect(error).includes("hunter2");
  });
});

Deno.test("nothing prints a secret", async () => {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => i + 100);
  const root = await defaultCrypto().pbkdf2(
    new TextEncoder().encode("hunter2"),
    new TextEncoder().encode("streamo/root/1\0alice"),
    1,
  );
  const credentials = await Credentials.derive("alice", "hunter2", { crypto: quick });
  const signer = await Signer.fromSeed("notes", seed);
  const options = { showHidden: true, depth: 9 };
  const printed = [credentials, signer].flatMap((secret) => [
    String(secret),
    JSON.stringify(secret),
    inspect(secret, options),
    Deno.inspect(secret, options),
    Object.values(secret).join(),
    JSON.stringify(structuredClone({ ...secret })),
  ]).join("\n");
  assert.match(printed, /alice/);
  for (const bytes of [seed, root]) {
    for (const form of [bytes.toHex(), bytes.toBase64(), bytes.join(), bytes.join(", ")]) {
      assert.ok(!printed.includes(form.slice(0, 20)), form);
    }
  }
  assert.ok(!printed.includes("hunter2"));
});

Deno.test("Signer.fromSeed() gives the key of RFC 8032's first seed", async () => {
  const seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  const signer = await Signer.fromSeed("test", Uint8Array.fromHex(seed));
  const expected = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  assert.equal(signer.publicKey.toHex(), expected);
  await assert.rejects(Signer.fromSeed("test", new Uint8Array(31)), RangeError);
});
