/** The vectors of SPEC 11.8 and 11.14: parts of logs with their proofs, and lists of logs. */

import assert from "node:assert/strict";
import { Reader } from "../../core/codec/reader.ts";
import { type Code, StreamoError } from "../../core/errors.ts";
import { parseKey } from "../../core/identity/key.ts";
import { verifyConsistency } from "../../core/log/consistency_proof.ts";
import { decodeHead, encodeHead, verifyHead } from "../../core/log/head.ts";
import { checkProven } from "../../core/log/source.ts";
import {
  decodeListFrame,
  encodeKeys,
  encodeList,
  hashKeys,
  Stands,
} from "../../core/sync/lists.ts";
import { encodePart, PART } from "../../core/sync/parts.ts";
import {
  decodeNewest,
  decodeProven,
  encodeNewest,
  encodeProven,
} from "../../core/sync/proof_body.ts";
import { testCrypto as crypto } from "../suites/test_log.ts";
import lists from "../vectors/lists.json" with { type: "json" };
import parts from "../vectors/parts.json" with { type: "json" };

const bytesOf = (hex: string) => Uint8Array.fromHex(hex);

const isCode = (code: string) => (error: unknown) =>
  error instanceof StreamoError && error.code === code as Code;

/** The answer in a frame. */
function bodyOf(hex: string): Uint8Array {
  const bytes = bytesOf(hex);
  const reader = new Reader(bytes);
  assert.equal(reader.u8(), PART);
  assert.equal(reader.varint(), parts.id);
  return bytes.subarray(reader.at);
}

const signed = decodeHead(bytesOf(parts.head));
const head = await verifyHead(signed, signed.key, crypto);

Deno.test("parts of a log have these bytes and proofs", () => {
  for (const { name, runs, proof, hex } of parts.blocks) {
    const proven = decodeProven(bodyOf(hex));
    const found = proven.runs.map((run) => ({
      ...run,
      blocks: run.blocks.map((block) => block.toHex()),
    }));
    assert.deepEqual(found, runs, name);
    assert.deepEqual(proven.proof.map((hash) => hash.toHex()), proof, name);
    assert.equal(encodePart(parts.id, encodeProven(proven)).toHex(), hex, name);
    const blocks = checkProven(crypto, head, proven);
    assert.equal(blocks.length, runs.reduce((sum, { blocks }) => sum + blocks.length, 0), name);
  }
});

Deno.test("what is not in the log, or not well formed, is no part of it", () => {
  for (const { name, hex, code } of parts.invalid) {
    const check = () => checkProven(crypto, head, decodeProven(bytesOf(hex)));
    assert.throws(check, isCode(code), name);
  }
});

Deno.test("newest heads have these bytes, and extend what the asker holds", () => {
  for (const { name, held, hex } of parts.newest) {
    const newest = decodeNewest(bodyOf(hex));
    assert.equal(encodePart(parts.id, encodeNewest(newest)).toHex(), hex, name);
    assert.equal(encodeHead(newest.head).toHex(), parts.head, name);
    if (held !== null) {
      verifyConsistency(crypto, decodeHead(bytesOf(held)), head, newest.extension);
    }
    if (newest.end !== undefined) {
      assert.equal(checkProven(crypto, head, newest.end).at(-1)!.index, 6);
    }
  }
});

Deno.test("lists of logs are these frames, and show which logs differ", () => {
  const keys = lists.keys.map(parseKey);
  const standsOf = (side: "opener" | "answerer") => {
    const stands = new Stands(crypto, keys.length, side);
    lists[side].forEach((stand, i) => {
      if (stand === null) return;
      const { position } = stand;
      stands.set(i, position === null ? undefined : { ...position, root: bytesOf(position.root) });
    });
    return stands;
  };
  const opener = standsOf("opener");
  const { frames } = lists;
  assert.equal(encodeList(hashKeys(crypto, keys), opener).toHex(), frames.list);
  assert.equal(encodeKeys(keys).toHex(), frames.keys);
  assert.equal(standsOf("answerer").compare(opener.groups()).toHex(), frames.compared);
  const compared = decodeListFrame(bytesOf(frames.compared));
  assert(compared?.type === "compared");
  assert.deepEqual([...opener.differing(compared.body)], lists.differing);
  for (const body of [compared.body.subarray(1), compared.body.subarray(0, -1)]) {
    assert.throws(() => opener.differing(body), isCode("malformed"));
  }
  for (const { name, hex, code } of lists.invalid) {
    assert.throws(() => decodeListFrame(bytesOf(hex)), isCode(code), name);
  }
});
