import assert from "node:assert/strict";
import { toHex } from "../../../core/hex.ts";
import { CODES, StreamoError } from "../../../core/errors.ts";
import { encodeHead, signHead } from "../../../core/log/head.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MESSAGE_MAX,
  ROOTS_MAX,
} from "../../../core/sync/messages.ts";
import { mutate } from "../../suites/mutate.ts";
import { signerOf } from "../../suites/people.ts";
import { randomSource } from "../../suites/random.ts";

const alice = await signerOf("alice");
const { key } = alice;
const root = new Uint8Array(32).map((_, i) => i);
const head = await signHead(
  { key, flags: 0, epoch: 1, blocks: 3, bytes: 30, record: 20, root },
  alice,
);
const have = { epoch: 1, blocks: 3, root };

const challenge = root;

const MESSAGES: readonly Message[] = [
  { type: "hello", protocol: 1, software: "streamo/1", home: key, relay: undefined, challenge },
  { type: "hello", protocol: 1, software: "", home: undefined, relay: "a1", challenge },
  { type: "auth", key, signature: head.signature },
  { type: "open", key, channel: 0, have: undefined, via: undefined },
  { type: "open", key, channel: 2 ** 53 - 1, have, via: ["a1", "b"] },
  { type: "opened", key, channel: 1, head, staged: have, shared: 0 },
  { type: "opened", key, channel: 1, head: undefined, staged: undefined, shared: undefined },
  { type: "roots", key, at: [] },
  { type: "roots", key, at: Array.from({ length: ROOTS_MAX }, (_, i) => i) },
  { type: "rooted", key, at: [1, 9], roots: [root, undefined] },
  { type: "want", key, from: 7, aside: undefined },
  { type: "want", key, from: 7, aside: root },
  { type: "replace", key, from: 7 },
  { type: "aside", key, branches: [] },
  { type: "aside", key, branches: [{ head, from: 0 }, { head, from: 2 }] },
  { type: "ack", key, epoch: 1, blocks: 7, held: undefined },
  { type: "ack", key, epoch: 1, blocks: 7, held: true },
  { type: "reject", key, code: "conflict", message: "no", head },
  { type: "reject", key, code: "refused", message: "", head: undefined },
  { type: "close", key },
  { type: "interest", topic: "t", via: undefined },
  { type: "interest", topic: "t", via: ["a1", "b"] },
  { type: "uninterest", topic: "\u{1f600}".repeat(100) },
  { type: "announce", topic: "a/b", key, by: undefined, via: undefined },
  { type: "withdraw", topic: "a/b", key, by: key, via: undefined },
  { type: "announce", topic: "a/b", key, by: undefined, via: ["a1"] },
  { type: "cast", topic: "t", data: root, by: key, id: root.slice(16) },
  { type: "cast", topic: "t", data: new Uint8Array(), by: undefined, id: undefined },
  {
    type: "present",
    topic: "t",
    announcements: [{ key, by: undefined, via: undefined }, { key, by: key, via: ["b"] }],
  },
  { type: "announced", topic: "t", key, by: key, via: undefined },
  { type: "withdrawn", topic: "t", key, by: undefined, via: undefined },
  { type: "heard", topic: "t", data: root, by: undefined, id: undefined },
  { type: "refuse", of: "cast", code: "rate", message: "no", topic: "t", key: undefined },
  { type: "refuse", of: "auth", code: "refused", message: "", topic: undefined, key },
  { type: "ping" },
  { type: "pong" },
];

const hex = toHex(root);
const hello = { type: "hello", protocol: 1, software: "", challenge: hex };

Deno.test("every message comes back as it was sent", () => {
  for (const message of MESSAGES) {
    assert.deepStrictEqual(decodeMessage(encodeMessage(message)), message);
  }
  const types = new Set(MESSAGES.map(({ type }) => type));
  assert.equal(types.size, 24, "a new kind of message belongs into this test");
});

Deno.test("messages are the text that the specification says", () => {
  assert.equal(
    encodeMessage({ type: "open", key, channel: 4, have }),
    `{"type":"open","key":"${key}","channel":4,` +
      `"have":{"epoch":1,"blocks":3,"root":"${toHex(root)}"}}`,
  );
  assert.equal(
    encodeMessage({ type: "rooted", key, at: [1, 9], roots: [root, undefined] }),
    `{"type":"rooted","key":"${key}","at":[1,9],"roots":["${toHex(root)}",null]}`,
  );
  assert.equal(
    encodeMessage({ type: "opened", key, channel: 1, head, staged: undefined, shared: undefined }),
    `{"type":"opened","key":"${key}","channel":1,"head":"${toHex(encodeHead(head))}"}`,
  );
});

Deno.test("fields that are not known are ignored, codes that are not known are refusals", () => {
  assert.deepStrictEqual(decodeMessage(`{"type":"ping","more":[1],"__proto__":{"x":1}}`), {
    type: "ping",
  });
  for (const code of ["from-the-future", "__proto__", "toString", 7, null]) {
    const text = JSON.stringify({ type: "reject", key, code, message: "" });
    assert.equal((decodeMessage(text) as { code: string }).code, "refused");
  }
  for (const code of CODES) {
    const text = JSON.stringify({ type: "reject", key, code, message: "" });
    assert.equal((decodeMessage(text) as { code: string }).code, code);
  }
});

const MALFORMED: readonly [string, unknown][] = [
  ["no object", 7],
  ["null", null],
  ["a list", []],
  ["no type", {}],
  ["an unknown type", { type: "shout" }],
  ["a type of Object's", { type: "toString" }],
  ["a type of Object's", { type: "__proto__" }],
  ["a type that is no text", { type: 1 }],
  ["a hello without software", { ...hello, software: undefined }],
  ["a long software", { ...hello, software: "x".repeat(1001) }],
  ["a home that is no key", { ...hello, home: "x" }],
  ["a hello without a challenge", { ...hello, challenge: undefined }],
  ["a challenge that is too long", { ...hello, challenge: hex + "00" }],
  ["a short signature", { type: "auth", key, signature: hex }],
  ["a topic that is no text", { type: "interest", topic: 7 }],
  ["an empty topic", { type: "uninterest", topic: "" }],
  ["a long topic", { type: "interest", topic: "x".repeat(201) }],
  ["half a character", { type: "interest", topic: "\ud800" }],
  ["an announcement without a key", { type: "announce", topic: "t" }],
  ["an announcer that is no key", { type: "announce", topic: "t", key, by: null }],
  ["a cast without data", { type: "cast", topic: "t" }],
  ["a cast that is not in hexadecimal", { type: "cast", topic: "t", data: "hi" }],
  ["too many announcements", {
    type: "present",
    topic: "t",
    announcements: Array(257).fill({ key }),
  }],
  ["an announcement that is a list", { type: "present", topic: "t", announcements: [null] }],
  ["a refusal of something else", { type: "refuse", of: "open", code: "rate", message: "" }],
  ["no key", { type: "close" }],
  ["a key in capitals", { type: "close", key: key.toUpperCase() }],
  ["a short key", { type: "close", key: key.slice(1) }],
  ["a key with bits to spare", { type: "close", key: key.slice(0, -1) + "b" }],
  ["no channel", { type: "open", key }],
  ["a negative channel", { type: "open", key, channel: -1 }],
  ["half a channel", { type: "open", key, channel: 0.5 }],
  ["a channel past 2^53", { type: "open", key, channel: 2 ** 53 }],
  ["a channel as text", { type: "open", key, channel: "1" }],
  ["a null position", { type: "open", key, channel: 1, have: null }],
  ["half a position", { type: "open", key, channel: 1, have: { epoch: 1, blocks: 1 } }],
  ["a short root", {
    type: "open",
    key,
    channel: 1,
    have: { ...have, root: hex.slice(2) },
  }],
  ["a root in capitals", {
    type: "open",
    key,
    channel: 1,
    have: { ...have, root: hex.toUpperCase() },
  }],
  ["a head that is no text", { type: "opened", key, channel: 1, head: 1 }],
  ["a short head", { type: "opened", key, channel: 1, head: "00" }],
  ["a long head", { type: "opened", key, channel: 1, head: "00".repeat(600) }],
  ["a head with unknown flags", { type: "opened", key, channel: 1, head: "ff".repeat(157) }],
  ["too many positions", { type: "roots", key, at: Array(ROOTS_MAX + 1).fill(0) }],
  ["positions that are no list", { type: "roots", key, at: { length: 1 } }],
  ["a position that is no number", { type: "roots", key, at: [null] }],
  ["roots that are no list", { type: "rooted", key, at: [], roots: "" }],
  ["a root that is no text", { type: "rooted", key, at: [1], roots: [1] }],
  ["no from", { type: "want", key }],
  ["no blocks", { type: "ack", key, epoch: 0, blocks: Infinity }],
  ["blocks of no epoch", { type: "ack", key, blocks: 7 }],
  ["no message", { type: "reject", key, code: "refused" }],
  ["a long message", { type: "reject", key, code: "refused", message: "x".repeat(1001) }],
];

Deno.test("every malformed form is named", () => {
  for (const [name, value] of MALFORMED) {
    assert.throws(() => decodeMessage(JSON.stringify(value)), { code: "malformed" }, name);
  }
});

Deno.test("what is no JSON, and other protocols, are named", () => {
  for (const text of ["", "{", "undefined", '{"type":"ping"}x', "\u0000"]) {
    assert.throws(() => decodeMessage(text), { code: "malformed" }, text);
  }
  for (const protocol of [0, 2, "1", null, undefined]) {
    const text = JSON.stringify({ type: "hello", protocol, software: "" });
    assert.throws(() => decodeMessage(text), { code: "unsupported" });
  }
});

Deno.test("messages that are too long or too deep are refused before they do harm", () => {
  assert.throws(() => decodeMessage(" ".repeat(MESSAGE_MAX + 1)), { code: "too_large" });
  assert.throws(() => decodeMessage(" ".repeat(MESSAGE_MAX)), { code: "malformed" });
  const deep = "[".repeat(30_000) + "]".repeat(30_000);
  for (const text of [deep, `{"type":${deep}}`, `{"type":"close","key":${deep}}`]) {
    assert.throws(() => decodeMessage(text), { code: "malformed" });
  }
  assert.throws(() => decodeMessage(`{"type":"roots","key":"${key}","at":${deep}}`), {
    code: "malformed",
  });
});

Deno.test("10,000 damaged messages throw nothing but coded errors", () => {
  const random = randomSource();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  for (let i = 0; i < 10_000; i++) {
    const text = encodeMessage(MESSAGES[random.integer(0, MESSAGES.length - 1)]);
    const damaged = decoder.decode(mutate(encoder.encode(text), random));
    try {
      const message = decodeMessage(damaged);
      assert.deepStrictEqual(decodeMessage(encodeMessage(message)), message, random.seed);
    } catch (error) {
      if (!(error instanceof StreamoError)) {
        throw new Error(`${random.seed}: ${damaged}`, { cause: error });
      }
      assert.match(error.code, /^(malformed|unsupported|too_large)$/, random.seed);
      assert.ok(error.message.length < 300, random.seed);
    }
  }
});
