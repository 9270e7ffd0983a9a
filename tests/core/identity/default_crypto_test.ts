import { strict as assert } from "node:assert";
import * as nodeModule from "node:crypto";
import { chooseCrypto, defaultCrypto } from "../../../core/identity/default_crypto.ts";

const seed = new Uint8Array(32).fill(7);

/** The platform's `subtle` as a browser without Ed25519 gives it. */
const withoutEd25519 = new Proxy(crypto.subtle, {
  get(subtle, name: keyof SubtleCrypto) {
    if (name !== "importKey") return subtle[name].bind(subtle);
    return (...args: Parameters<SubtleCrypto["importKey"]>) => {
      if (args[2] !== "Ed25519") return subtle.importKey(...args);
      return Promise.reject(new DOMException("unknown algorithm", "NotSupportedError"));
    };
  },
});

Deno.test("defaultCrypto() is the native provider here, and the same one every time", () => {
  assert.equal(defaultCrypto().name, "node");
  assert.equal(defaultCrypto(), defaultCrypto());
});

Deno.test("chooseCrypto() takes node:crypto before crypto.subtle", () => {
  const process = { getBuiltinModule: (name: string) => name === "node:crypto" && nodeModule };
  assert.equal(chooseCrypto({ process, crypto }).name, "node");
});

Deno.test("chooseCrypto() takes crypto.subtle where process is a browser's polyfill", async () => {
  for (const process of [{}, { getBuiltinModule: () => undefined }]) {
    const chosen = chooseCrypto({ process, crypto });
    await chosen.signingKey(seed);
    assert.equal(chosen.name, "webcrypto");
  }
});

Deno.test("chooseCrypto() falls back to pure JavaScript where subtle lacks Ed25519", async () => {
  const chosen = chooseCrypto({ crypto: { subtle: withoutEd25519 } });
  const key = await chosen.signingKey(seed);
  const message = new Uint8Array(5);
  assert.equal(chosen.name, "noble");
  assert.equal(await chosen.verify(key.publicKey, message, await key.sign(message)), true);
  const { publicKey } = await defaultCrypto().signingKey(seed);
  assert.deepEqual(key.publicKey, publicKey);
});

Deno.test("chooseCrypto() gives pure JavaScript on a page without crypto.subtle", () => {
  assert.equal(chooseCrypto({}).name, "noble");
  assert.equal(chooseCrypto({ crypto: {} }).name, "noble");
});

Deno.test("webCrypto() says that Ed25519 is missing rather than that a signature is false", async () => {
  const { webCrypto } = await import("../../../core/identity/webcrypto.ts");
  const key = await defaultCrypto().signingKey(seed);
  const message = new Uint8Array(5);
  const signature = await key.sign(message);
  await assert.rejects(
    async () => await webCrypto(withoutEd25519).verify(key.publicKey, message, signature),
    { name: "NotSupportedError" },
  );
});
