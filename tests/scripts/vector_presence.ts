/** Vectors of SPEC 11.11 and 11.12: what a claim's signature covers, and what is cast. */

import type { Value } from "../../core/codec/value.ts";
import { Link } from "../../core/codec/value.ts";
import { authBytes } from "../../core/log/head.ts";
import { hostOf } from "../../core/sync/auth.ts";
import { encodeCast } from "../../core/sync/cast_value.ts";
import { signerOf } from "../suites/people.ts";
import { toNotation } from "../suites/notation.ts";

const alice = await signerOf("alice");
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

/** Claims that are right, one for each address that was dialled. */
export async function claims() {
  const { key } = alice;
  return await Promise.all(DIALLED.map(async (url) => {
    const host = hostOf(url);
    const bytes = authBytes({ key, verifier, claimer, host });
    const signature = await alice.sign(bytes);
    return {
      url,
      host,
      key,
      verifier: verifier.toHex(),
      claimer: claimer.toHex(),
      signedBytes: bytes.toHex(),
      signature: signature.toHex(),
    };
  }));
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
