/** Vectors of SPEC 11.11 and 11.12: what a claim's signature covers, and what is cast. */

import type { Key } from "../../core/identity/key.ts";
import type { Signer } from "../../core/identity/signer.ts";
import type { Value } from "../../core/codec/value.ts";
import { Link } from "../../core/codec/value.ts";
import { authBytes } from "../../core/log/head.ts";
import { hostOf } from "../../core/sync/auth.ts";
import { encodeCast } from "../../core/sync/cast_value.ts";
import { signerOf } from "../suites/people.ts";
import { toNotation } from "../suites/notation.ts";

const alice = await signerOf("alice");
const mallory = await signerOf("mallory");
const verifier = Uint8Array.from({ length: 32 }, (_, i) => i);
const claimer = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);

const DIALLED = [
  "wss://Relay.Example/sync",
  "ws://relay.example:80/sync",
  "wss://relay.example:443/sync",
  "wss://relay.example:8443/sync",
  "ws://[0:0:0:0:0:0:0:1]:8080/sync",
  "wss://bücher.example/sync",
];

interface Claim {
  readonly url: string;
  readonly key: Key;
  readonly verifier: Uint8Array;
  readonly claimer: Uint8Array;
}

async function claimText(claim: Claim, signer: Signer, judged: Claim) {
  const host = hostOf(judged.url);
  const signature = await signer.sign(authBytes({ ...claim, host: hostOf(claim.url) }));
  return {
    url: judged.url,
    host,
    key: judged.key,
    verifier: judged.verifier.toHex(),
    claimer: judged.claimer.toHex(),
    signedBytes: authBytes({ ...judged, host }).toHex(),
    signature: signature.toHex(),
  };
}

/** Claims that are right, one for each address that was dialled. */
export async function claims() {
  const { key } = alice;
  return await Promise.all(DIALLED.map(async (url) => {
    const claim = { url, key, verifier, claimer };
    return await claimText(claim, alice, claim);
  }));
}

/** Claims whose signature is of something else than what is judged. */
export async function badClaims() {
  const good: Claim = { url: "wss://relay.example/sync", key: alice.key, verifier, claimer };
  const cases: [string, Signer, Partial<Claim>][] = [
    ["made by another key", mallory, {}],
    ["made for another host", alice, { url: "wss://relay.test/sync" }],
    ["made for another port", alice, { url: "wss://relay.example:8443/sync" }],
    ["made for another challenge", alice, { verifier: claimer.toReversed() }],
    ["made on another connection", alice, { claimer: verifier.toReversed() }],
    ["sent back to who made it", alice, { verifier: claimer, claimer: verifier }],
    ["made for another key", alice, { key: mallory.key }],
  ];
  return await Promise.all(cases.map(async ([name, signer, change]) => ({
    name,
    ...await claimText({ ...good, ...change }, signer, good),
  })));
}

const VALUES: readonly Value[] = [
  undefined,
  42,
  "typing",
  "a text of more than the sixty-four bytes that a small container takes into itself",
  {},
  { typing: true, at: new Date(1_700_000_000_000) },
  [[1, 2], [1, 2], new Link(alice.key, { path: ["messages", 3] })],
  new Uint8Array([0, 255]),
];

/** Values that are cast. */
export function casts() {
  return VALUES.map((value) => ({ value: toNotation(value), hex: encodeCast(value).toHex() }));
}

/** Bytes that are no cast. */
export const CASTS_BAD: { name: string; hex: string; code: string }[] = [
  { name: "nothing", hex: "", code: "malformed" },
  { name: "no item", hex: "00", code: "malformed" },
  { name: "fewer bytes than its chunks are said to have", hex: "0502", code: "malformed" },
  { name: "a byte too many", hex: "000101", code: "malformed" },
  { name: "a reference to nothing", hex: "008d00", code: "malformed" },
  { name: "a reference past the chunks", hex: "0271018d05", code: "malformed" },
  { name: "a number in a chunk of its own", hex: "01058d00", code: "malformed" },
  { name: "a length that is not in its shortest form", hex: "800001", code: "malformed" },
  // [[], []], and 20 times a list of the one before, twice.
  { name: "two million lists in a few bytes", hex: bomb(20), code: "budget" },
];

function bomb(levels: number): string {
  const chunks = [0x72, 0x70, 0x70];
  let last = 0;
  for (let i = 0; i < levels; i++) {
    const at = chunks.length;
    chunks.push(0x72, 0x8d, last, 0x8d, last);
    last = at;
  }
  return new Uint8Array([chunks.length, ...chunks, 0x8d, last]).toHex();
}
