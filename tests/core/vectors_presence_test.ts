/** The vectors of SPEC 11.11 and 11.12: claims and casts. */

import assert from "node:assert/strict";
import { StreamoError } from "../../core/errors.ts";
import { defaultCrypto } from "../../core/identity/default_crypto.ts";
import { keyToBytes, parseKey } from "../../core/identity/key.ts";
import { authBytes } from "../../core/log/head.ts";
import { hostOf } from "../../core/sync/auth.ts";
import { decodeCast, encodeCast } from "../../core/sync/cast_value.ts";
import { fromNotation, type Json } from "../suites/notation.ts";
import claims from "../vectors/claims.json" with { type: "json" };
import casts from "../vectors/casts.json" with { type: "json" };

Deno.test("claims to hold a key are signatures of these bytes", async () => {
  const judge = async (
    { url, host, signedBytes, signature, ...claim }: typeof claims.valid[number],
  ) => {
    assert.equal(hostOf(url), host);
    const key = parseKey(claim.key);
    const [verifier, claimer] = [claim.verifier, claim.claimer].map((hex) =>
      Uint8Array.fromHex(hex)
    );
    const bytes = authBytes({ key, verifier, claimer, host });
    assert.equal(bytes.toHex(), signedBytes, url);
    return await defaultCrypto().verify(keyToBytes(key), bytes, Uint8Array.fromHex(signature));
  };
  for (const claim of claims.valid) assert.equal(await judge(claim), true, claim.url);
  for (const { name, ...claim } of claims.invalid) assert.equal(await judge(claim), false, name);
});

Deno.test("casts are these bytes", () => {
  for (const { value, hex } of casts.valid) {
    assert.deepStrictEqual(decodeCast(Uint8Array.fromHex(hex)), fromNotation(value as Json));
    assert.equal(encodeCast(fromNotation(value as Json)).toHex(), hex);
  }
  for (const { name, hex, code } of casts.invalid) {
    assert.throws(
      () => decodeCast(Uint8Array.fromHex(hex)),
      (error) => error instanceof StreamoError && error.code === code,
      name,
    );
  }
});
