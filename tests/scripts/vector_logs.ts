/** Vectors of the Merkle tree, heads, frames and control messages. */

import { StreamoError } from "../../core/errors.ts";
import { encodeHead, signedBytes, type SignedHead } from "../../core/log/head.ts";
import type { Key } from "../../core/identity/key.ts";
import { leafHash, nodeHash } from "../../core/log/merkle.ts";
import { proofRanges, splitPoint } from "../../core/log/merkle_proof.ts";
import { encodeFrame } from "../../core/sync/frame.ts";
import { decodeMessage, encodeMessage, type Message } from "../../core/sync/messages.ts";
import type { Load, PartMessage } from "../../core/sync/part_messages.ts";
import { testCrypto, TestLog } from "../suites/test_log.ts";
import type { Bad } from "./vector_inputs.ts";

/** Blocks of 1 to 21 bytes: block i has i + 1 bytes, all of them i. */
const BLOCKS = Array.from({ length: 21 }, (_, i) => new Uint8Array(i + 1).fill(i));
const PROOFS = [[1, 1], [3, 3], [1, 5], [4, 7], [8, 8], [6, 21], [20, 21]];

/** Leaf hashes, roots over 0 to 21 blocks, frontiers, and some proofs. */
export function merkle() {
  const log = new TestLog({ publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) }, 0, 0);
  for (const bytes of BLOCKS) log.addBytes(bytes);
  const leaves = log.blocks.map(({ start, bytes }) => leafHash(testCrypto, start, bytes));
  const subtree = (from: number, to: number): Uint8Array => {
    if (to - from === 1) return leaves[from];
    const middle = from + splitPoint(to - from);
    return nodeHash(testCrypto, subtree(from, middle), subtree(middle, to));
  };
  return {
    blocks: BLOCKS.map((bytes) => bytes.toHex()),
    leaves: leaves.map((leaf) => leaf.toHex()),
    roots: log.frontiers.map((_, n) => (n === 0 ? testCrypto.sha256() : subtree(0, n)).toHex()),
    frontiers: [1, 2, 7, 21].map((size) => ({
      size,
      hashes: log.frontiers[size].map((hash) => hash.toHex()),
    })),
    proofs: PROOFS.map(([end, size]) => {
      const right = proofRanges(0, end, size);
      return { end, size, right, hashes: right.map(([from, to]) => subtree(from, to).toHex()) };
    }),
  };
}

/** Signed heads with the bytes that are signed and the bytes that are sent. */
export async function heads() {
  const log = await TestLog.create(1);
  log.add(100, 200, 300);
  const other = await TestLog.create(2, 7);
  const cases: [string, SignedHead][] = [
    ["three blocks", await log.head()],
    ["one block", await log.head(1)],
    ["epoch 7", await other.add(61_440).head()],
    ["no record yet", await signed(other, { record: undefined })],
  ];
  return cases.map(([name, { root, signature, ...head }]) => ({
    name,
    ...head,
    root: root.toHex(),
    signature: signature.toHex(),
    signedBytes: signedBytes({ ...head, root }).toHex(),
    hex: encodeHead({ ...head, root, signature }).toHex(),
  }));
}

/** Heads that do not decode, or whose signature is false. */
export async function badHeads(): Promise<Bad[]> {
  const log = await TestLog.create(1);
  const head = encodeHead(await log.add(100, 200, 300).head());
  const bad = (name: string, change: (bytes: Uint8Array) => void, code = "malformed"): Bad => {
    const bytes = head.slice();
    change(bytes);
    return { name, hex: bytes.toHex(), code };
  };
  const set = (at: number, hex: string) => (bytes: Uint8Array) =>
    bytes.set(Uint8Array.fromHex(hex), at);
  return [
    { name: "156 bytes", hex: head.subarray(1).toHex(), code: "malformed" },
    { name: "158 bytes", hex: head.toHex() + "00", code: "malformed" },
    bad("unknown flags", set(32, "02")),
    bad("blocks past 2^53 - 1", set(37, "0020000000000000")),
    bad("more blocks than bytes", set(37, "0000000000000259")),
    bad("bytes without blocks", set(37, "0000000000000000")),
    bad("more bytes than 3 blocks hold", set(45, "000000000002d001")),
    bad("a record at the end of the bytes", set(53, "0000000000000258")),
    bad("another epoch", set(33, "00000001"), "bad_signature"),
    bad("sealed", set(32, "01"), "bad_signature"),
    bad("fewer blocks", set(37, "0000000000000002"), "bad_signature"),
    bad("another record", set(53, "0000000000000000"), "bad_signature"),
    bad("another root", set(61, "00000000"), "bad_signature"),
    bad("another key", set(0, "00000000"), "bad_signature"),
    bad("another S", set(130, "00000000"), "bad_signature"),
  ];
}

/** Block frames. */
export async function frames() {
  const log = (await TestLog.create(1)).add(5, 6, 7);
  const head = await log.head();
  const leaf = leafHash(testCrypto, log.bytes(2), log.blocks[2].bytes);
  const [a, b, c] = log.blocks.map(({ bytes }) => bytes);
  const runs = [
    { name: "all blocks", channel: 0, run: { head, first: 0, blocks: [a, b, c], proof: [] } },
    { name: "the last block", channel: 300, run: { head, first: 2, blocks: [c], proof: [] } },
    { name: "two of three", channel: 1, run: { head, first: 0, blocks: [a, b], proof: [leaf] } },
  ];
  return runs.map(({ name, channel, run }) => ({
    name,
    channel,
    head: encodeHead(run.head).toHex(),
    first: run.first,
    blocks: run.blocks.map((block) => block.toHex()),
    proof: run.proof.map((hash) => hash.toHex()),
    hex: encodeFrame(channel, run).toHex(),
  }));
}

/** Frames that do not decode. */
export async function badFrames(): Promise<Bad[]> {
  const head = encodeHead(await (await TestLog.create(1)).add(1).head()).toHex();
  const bad = (name: string, hex: string, code = "malformed"): Bad => ({ name, hex, code });
  return [
    bad("nothing", ""),
    bad("another type", "02" + "00" + head + "00" + "01" + "01" + "aa" + "00"),
    bad("half a head", "01" + "00" + head.slice(0, 100)),
    bad("an empty block", "01" + "00" + head + "00" + "01" + "00" + "00", "too_large"),
    bad("a block of 61,441 bytes", "01" + "00" + head + "00" + "01" + "81e003" + "00", "too_large"),
    bad("8,193 blocks", "01" + "00" + head + "00" + "8140", "too_large"),
    bad("65 hashes", "01" + "00" + head + "00" + "01" + "01" + "aa" + "41", "too_large"),
    bad("half a hash", "01" + "00" + head + "00" + "01" + "01" + "aa" + "01" + "bb".repeat(16)),
    bad("a byte too many", "01" + "00" + head + "00" + "01" + "01" + "aa" + "00" + "00"),
  ];
}

/** Control messages, as the text that is sent. */
export async function messages(): Promise<string[]> {
  const log = (await TestLog.create(1)).add(5, 6, 7);
  const { key } = log;
  const head = await log.head();
  const have = { epoch: 0, blocks: 3, root: head.root };
  const challenge = head.root;
  const data = new Uint8Array([0, 0x43, 0x68, 0x69, 0x21]);
  const topic = "chat/lobby";
  const list: Message[] = [
    { type: "hello", protocol: 1, software: "streamo/0.1.0", challenge },
    { type: "hello", protocol: 1, software: "", home: key, challenge },
    { type: "hello", protocol: 1, software: "", relay: "0az", challenge },
    { type: "auth", key, signature: head.signature },
    { type: "open", key, channel: 0, have: undefined },
    { type: "open", key, channel: 7, have },
    { type: "open", key, channel: 7, have, via: ["7", "0az"] },
    { type: "opened", key, channel: 1, head: undefined, staged: undefined, shared: 0 },
    { type: "opened", key, channel: 1, head, staged: { ...have, blocks: 2 }, shared: undefined },
    { type: "roots", key, at: [1, 2] },
    { type: "rooted", key, at: [1, 9], roots: [head.root, undefined] },
    { type: "want", key, from: 2 },
    { type: "want", key, from: 2, aside: head.root },
    { type: "replace", key, from: 1 },
    { type: "aside", key, branches: [] },
    { type: "aside", key, branches: [{ head, from: 2 }, { head: await log.head(2), from: 0 }] },
    { type: "ack", key, epoch: 0, blocks: 3 },
    { type: "ack", key, epoch: 2, blocks: 3, held: true },
    { type: "reject", key, code: "refused", message: "not here", head: undefined },
    { type: "reject", key, code: "conflict", message: "not next", head },
    { type: "close", key },
    { type: "keys" },
    { type: "settled" },
    { type: "park", keys: [] },
    { type: "park", keys: [key, (await TestLog.create(2)).key] },
    { type: "interest", topic },
    { type: "interest", topic, via: ["0az"] },
    { type: "uninterest", topic },
    { type: "announce", topic, key, by: undefined },
    { type: "announce", topic, key, by: key },
    { type: "announce", topic, key, by: undefined, via: ["7", "0az"] },
    { type: "withdraw", topic, key, by: undefined },
    { type: "cast", topic, data, by: undefined },
    { type: "cast", topic, data, by: key },
    { type: "cast", topic, data, by: undefined, id: head.root.subarray(16) },
    { type: "present", topic, announcements: [] },
    { type: "present", topic, announcements: [{ key, by: undefined }, { key, by: key }] },
    { type: "announced", topic, key, by: key },
    { type: "announced", topic, key, by: key, via: ["0az"] },
    { type: "withdrawn", topic, key, by: undefined },
    { type: "heard", topic, data, by: undefined },
    { type: "heard", topic, data, by: key, id: head.root.subarray(16) },
    { type: "refuse", of: "cast", code: "rate", message: "slower", topic, key: undefined },
    { type: "refuse", of: "auth", code: "bad_signature", message: "no", topic: undefined, key },
    ...aboutParts(log.key, head),
    { type: "ping" },
    { type: "pong" },
  ];
  return list.map(encodeMessage);
}

function aboutParts(key: Key, head: SignedHead): PartMessage[] {
  const log = { epoch: 0, blocks: 3, root: head.root };
  const part = { at: undefined, reading: undefined, first: undefined, end: undefined };
  const load = (ask: Partial<Load>): Load => ({ type: "load", key, id: 7, log, ...part, ...ask });
  return [
    { type: "watch", key },
    { type: "newest", key, head },
    { type: "newest", key, head: undefined },
    { type: "unwatch", key },
    load({}),
    load({ at: 17, reading: '{"kind":"value","root":0,"path":["a",0]}' }),
    load({ first: 1, end: 3 }),
    { type: "failed", key, id: 7, code: "stale", message: "epoch 0 is over" },
    { type: "failed", key, id: undefined, code: "refused", message: "not here" },
  ];
}

/** Decodes; nobody has signed it. */
const BRANCH = `{"head":"${"00".repeat(53)}${"ff".repeat(8)}${"00".repeat(96)}","from":0}`;
const KEY = '"key":"' + "a".repeat(52) + '"';

/** Texts that are no messages. */
export const MESSAGES_BAD: { name: string; text: string; code: string }[] = ([
  ["nothing", ""],
  ["no JSON", "{"],
  ["a list", "[]"],
  ["no type", "{}"],
  ["an unknown type", '{"type":"steal"}'],
  ["a type of every object", '{"type":"toString"}'],
  ["another protocol", '{"type":"hello","protocol":2,"software":""}', "unsupported"],
  ["a relay's name", '{"type":"hello","protocol":1,"software":"","relay":"A"}'],
  ["a part of no id", `{"type":"load",${KEY},"at":0}`],
  ["a part at half an address", `{"type":"load",${KEY},"id":0,"at":0.5}`],
  ["a reading that is no text", `{"type":"load",${KEY},"id":0,"at":0,"reading":{}}`],
  ["a long reading", `{"type":"load",${KEY},"id":0,"at":0,"reading":"${"x".repeat(4097)}"}`],
  ["a part of a log without a root", `{"type":"load",${KEY},"id":0,"log":{"epoch":0,"blocks":1}}`],
  ["no software", '{"type":"hello","protocol":1}'],
  ["no challenge", '{"type":"hello","protocol":1,"software":""}'],
  ["a short challenge", '{"type":"hello","protocol":1,"software":"","challenge":"00"}'],
  ["half a signature", `{"type":"auth",${KEY},"signature":"${"00".repeat(32)}"}`],
  ["a topic without a name", '{"type":"interest","topic":""}'],
  ["a topic of 201 characters", `{"type":"interest","topic":"${"x".repeat(201)}"}`],
  ["a topic with half a character", '{"type":"interest","topic":"\\ud800"}'],
  ["an announcement of nothing", '{"type":"announce","topic":"t"}'],
  ["an announcement by way of no name", `{"type":"announce","topic":"t",${KEY},"via":["A"]}`],
  ["an interest by way of no list", '{"type":"interest","topic":"t","via":"a"}'],
  [
    "a cast whose id has 15 bytes",
    `{"type":"cast","topic":"t","data":"","id":"${"0".repeat(30)}"}`,
  ],
  ["a cast in upper case", '{"type":"cast","topic":"t","data":"AA"}'],
  ["a cast of half a byte", '{"type":"cast","topic":"t","data":"0"}'],
  [
    "257 announcements",
    `{"type":"present","topic":"t","announcements":[${Array(257).fill(`{${KEY}}`)}]}`,
  ],
  ["a refusal of nothing", '{"type":"refuse","of":"ping","code":"rate","message":""}'],
  ["no key", '{"type":"close"}'],
  ["a key in upper case", `{"type":"close","key":"${"A".repeat(52)}"}`],
  ["a key with loose last bits", `{"type":"close","key":"${"a".repeat(51)}b"}`],
  ["a negative number", `{"type":"want",${KEY},"from":-1}`],
  ["a fraction", `{"type":"want",${KEY},"from":1.5}`],
  ["a number past 2^53 - 1", `{"type":"want",${KEY},"from":9007199254740992}`],
  ["an acknowledgement of no epoch", `{"type":"ack",${KEY},"blocks":3}`],
  ["a branch from nowhere", `{"type":"aside",${KEY},"branches":[{"head":"${"00".repeat(157)}"}]}`],
  ["a branch without a head", `{"type":"aside",${KEY},"branches":[{"from":0}]}`],
  ["branches that are no list", `{"type":"aside",${KEY},"branches":{}}`],
  ["33 branches", `{"type":"aside",${KEY},"branches":[${Array(33).fill(BRANCH)}]}`],
  ["blocks of a branch with half a root", `{"type":"want",${KEY},"from":0,"aside":"00"}`],
  ["a branch that replaces from nowhere", `{"type":"replace",${KEY}}`],
  ["no list of parked logs", `{"type":"park",${KEY}}`],
  ["1,001 parked logs", `{"type":"park","keys":[${Array(1001).fill(`"${"a".repeat(52)}"`)}]}`],
  ["33 roots", `{"type":"roots",${KEY},"at":[${Array(33).fill(1)}]}`],
  ["a short hash", `{"type":"rooted",${KEY},"at":[1],"roots":["00"]}`],
  ["half a head", `{"type":"opened",${KEY},"channel":0,"head":"${"00".repeat(80)}"}`],
  ["text past 65,536 characters", `{"type":"ping","x":"${"x".repeat(65_536)}"}`, "too_large"],
] as [string, string, string?][]).map(([name, text, code = "malformed"]) => {
  checkBad(text, code);
  return { name, text, code };
});

function checkBad(text: string, code: string): void {
  try {
    decodeMessage(text);
  } catch (error) {
    if (error instanceof StreamoError && error.code === code) return;
    throw error;
  }
  throw new Error(`a message was not refused: ${text}`);
}

async function signed(log: TestLog, change: Partial<SignedHead>): Promise<SignedHead> {
  const head = { ...await log.head(), ...change };
  return { ...head, signature: await log.signer.sign(signedBytes(head)) };
}
