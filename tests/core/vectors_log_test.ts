/** The vectors of SPEC for logs: the Merkle tree, heads, frames, messages, and one frozen log. */

import assert from "node:assert/strict";
import { type Code, StreamoError } from "../../core/errors.ts";
import { Log } from "../../core/log/log.ts";
import { decodeHead, encodeHead, signedBytes, verifyHead } from "../../core/log/head.ts";
import { leafHash, pushLeaf, rootOf } from "../../core/log/merkle.ts";
import { proofRanges, rootFromFrontier } from "../../core/log/merkle_proof.ts";
import { verifyConsistency } from "../../core/log/consistency_proof.ts";
import { verifyFork } from "../../core/log/fork_proof.ts";
import { verifyRuns } from "../../core/log/range_proof.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Value } from "../../core/codec/value.ts";
import { parseKey } from "../../core/identity/key.ts";
import { Repo } from "../../core/repo/repo.ts";
import { decodeFrame, encodeFrame } from "../../core/sync/frame.ts";
import { decodeMessage, encodeMessage } from "../../core/sync/messages.ts";
import { fromNotation, type Json } from "../suites/notation.ts";
import { sampleBytes } from "../suites/sample_bytes.ts";
import { testCrypto as crypto } from "../suites/test_log.ts";
import forks from "../vectors/forks.json" with { type: "json" };
import frames from "../vectors/frames.json" with { type: "json" };
import heads from "../vectors/heads.json" with { type: "json" };
import log1 from "../vectors/log_1.json" with { type: "json" };
import merkle from "../vectors/merkle.json" with { type: "json" };
import messages from "../vectors/messages.json" with { type: "json" };
import proofs from "../vectors/proofs.json" with { type: "json" };

const bytesOf = (hex: string) => Uint8Array.fromHex(hex);
const hexes = (list: readonly Uint8Array[]) => list.map((bytes) => bytes.toHex());

const isCode = (code: string) => (error: unknown) =>
  error instanceof StreamoError && error.code === code as Code;

Deno.test("blocks have these leaf hashes, frontiers and roots", () => {
  let frontier: Uint8Array[] = [];
  let start = 0;
  assert.equal(rootOf(crypto, frontier).toHex(), merkle.roots[0]);
  merkle.blocks.map(bytesOf).forEach((bytes, i) => {
    const leaf = leafHash(crypto, start, bytes);
    assert.equal(leaf.toHex(), merkle.leaves[i]);
    frontier = pushLeaf(crypto, frontier, i, leaf);
    assert.equal(rootOf(crypto, frontier).toHex(), merkle.roots[i + 1]);
    const expected = merkle.frontiers.find(({ size }) => size === i + 1);
    if (expected !== undefined) assert.deepEqual(hexes(frontier), expected.hashes);
    start += bytes.length;
  });
});

Deno.test("proofs are these hashes, and no others prove", () => {
  const leaves = merkle.leaves.map(bytesOf);
  for (const { end, size, right, hashes } of merkle.proofs) {
    assert.deepEqual(proofRanges(0, end, size), right);
    const root = (run: Uint8Array[], proof: Uint8Array[]) => {
      let frontier: Uint8Array[] = [];
      run.forEach((leaf, i) => frontier = pushLeaf(crypto, frontier, i, leaf));
      return rootFromFrontier(crypto, size, end, frontier, proof).toHex();
    };
    const run = leaves.slice(0, end);
    const proof = hashes.map(bytesOf);
    assert.equal(root(run, proof), merkle.roots[size]);
    assert.notEqual(root(run.map((leaf) => leaf.toReversed()), proof), merkle.roots[size]);
    assert.throws(() => root(run, [...proof, run[0]]), isCode("bad_block"));
    if (proof.length === 0) continue;
    assert.throws(() => root(run, proof.slice(1)), isCode("bad_block"));
    assert.notEqual(root(run, [...proof.slice(1), run[0]]), merkle.roots[size]);
  }
});

Deno.test("these proofs show that runs belong to trees, and nothing else does", () => {
  const verify = (vector: typeof proofs.ranges.valid[number]) => {
    const tree = { blocks: vector.size, root: bytesOf(vector.root) };
    const leaves = vector.leaves.map(bytesOf);
    verifyRuns(crypto, tree, [{ first: vector.first, leaves }], vector.proof.map(bytesOf));
  };
  for (const vector of proofs.ranges.valid) verify(vector);
  for (const vector of proofs.ranges.invalid) {
    assert.throws(() => verify(vector), isCode(vector.code), vector.name);
  }
  const verifyAll = ({ runs, size, root, proof }: typeof proofs.runs.valid[number]) => {
    const found = runs.map(({ first, leaves }) => ({ first, leaves: leaves.map(bytesOf) }));
    verifyRuns(crypto, { blocks: size, root: bytesOf(root) }, found, proof.map(bytesOf));
  };
  for (const vector of proofs.runs.valid) verifyAll(vector);
  for (const vector of proofs.runs.invalid) {
    assert.throws(() => verifyAll(vector), isCode(vector.code), vector.name);
  }
});

Deno.test("these proofs show that trees extend each other, and nothing else does", () => {
  const verify = (vector: typeof proofs.consistency.valid[number]) => {
    const older = { blocks: vector.older, root: bytesOf(vector.olderRoot) };
    const newer = { blocks: vector.newer, root: bytesOf(vector.newerRoot) };
    verifyConsistency(crypto, older, newer, vector.proof.map(bytesOf));
  };
  for (const vector of proofs.consistency.valid) verify(vector);
  for (const vector of proofs.consistency.invalid) {
    assert.throws(() => verify(vector), isCode(vector.code), vector.name);
  }
});

Deno.test("heads have these bytes, and their keys signed them", async () => {
  for (const { name, hex, signedBytes: signed, root, signature, ...fields } of heads.valid) {
    const head = decodeHead(bytesOf(hex));
    assert.partialDeepStrictEqual(head, fields, name);
    assert.deepEqual(hexes([head.root, head.signature, signedBytes(head), encodeHead(head)]), [
      root,
      signature,
      signed,
      hex,
    ]);
    assert.equal(head.record, (fields as { record?: number }).record, name);
    await verifyHead(head, head.key, crypto);
  }
  for (const { name, hex, code } of heads.invalid) {
    const verify = async () => {
      const head = decodeHead(bytesOf(hex));
      await verifyHead(head, head.key, crypto);
    };
    await assert.rejects(verify, isCode(code), name);
  }
});

Deno.test("these proofs show that a key has signed two branches, and nothing else does", async () => {
  for (const { name, hex, won, lost, index } of forks.valid) {
    const fork = await verifyFork(crypto, bytesOf(hex));
    const found = { won: encodeHead(fork.won).toHex(), lost: encodeHead(fork.lost).toHex() };
    assert.deepEqual({ ...found, index: fork.index }, { won, lost, index }, name);
  }
  for (const { name, hex, code } of forks.invalid) {
    await assert.rejects(verifyFork(crypto, bytesOf(hex)), isCode(code), name);
  }
});

Deno.test("frames have these bytes", () => {
  for (const { name, hex, channel, head, first, blocks, proof } of frames.valid) {
    const frame = decodeFrame(bytesOf(hex));
    assert.deepEqual([frame.channel, frame.run.first], [channel, first], name);
    assert.equal(encodeHead(frame.run.head).toHex(), head, name);
    assert.deepEqual([hexes(frame.run.blocks), hexes(frame.run.proof)], [blocks, proof], name);
    assert.equal(encodeFrame(channel, frame.run).toHex(), hex, name);
  }
  for (const { name, hex, code } of frames.invalid) {
    assert.throws(() => decodeFrame(bytesOf(hex)), isCode(code), name);
  }
});

Deno.test("control messages are this text", () => {
  for (const text of messages.valid) assert.equal(encodeMessage(decodeMessage(text)), text);
  for (const { name, text, code } of messages.invalid) {
    assert.throws(() => decodeMessage(text), isCode(code), name);
  }
});

Deno.test("a log of format version 1 stays readable, to its last value", async () => {
  const key = parseKey(log1.key);
  const head = decodeHead(bytesOf(log1.head));
  const store = new MemoryStore();
  const log = await Log.open(store, key, { crypto });
  const blocks = log1.blocks.map(bytesOf);
  await log.receive({ head, first: 0, blocks, proof: [] });
  const repo = await Repo.open(store, key);
  const { large, ...value } = repo.get() as Record<string, Value>;
  assert.deepEqual(value, fromNotation(log1.value as Json));
  assert.deepEqual(large, {
    bytes: sampleBytes("hashed", log1.large.bytes),
    text: "é".repeat(log1.large.text),
  });
  const records = [...repo.history()].reverse();
  assert.equal(records.length, log1.records.length);
  log1.records.forEach((expected, i) => assert.partialDeepStrictEqual(records[i], expected));
  assert.deepEqual(repo.events().map(({ value }) => value), log1.events.map(fromNotation));
  assert.deepEqual(repo.at(0)?.get(), fromNotation(log1.first as Json));
});
