/**
 * Writes tests/vectors/ed25519.json: signatures on which Ed25519 implementations are known to differ,
 * each with the answer that SPEC's strict rule gives. Everything follows from fixed labels, so a second
 * run writes the same bytes. Run with `deno run -RW tests/scripts/make_ed25519_vectors.ts`.
 *
 * The expected answer is stated by hand beside each case, and `judge` below reaches it a second time
 * from the definition, by arithmetic rather than by the tables in core/identity/strict.ts.
 */

import { strict as assert } from "node:assert";
import { etc, Point } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import { concat, equal } from "../../core/bytes.ts";

interface Vector {
  name: string;
  publicKey: string;
  message: string;
  signature: string;
  valid: boolean;
}

const { p: P, n: L } = Point.CURVE();
const B = Point.BASE;
const vectors: Vector[] = [];

const utf8 = (text: string) => new TextEncoder().encode(text);
const fromLe = (bytes: Uint8Array) => BigInt("0x" + bytes.slice().reverse().toHex());
const toLe = (n: bigint) => Uint8Array.fromHex(n.toString(16).padStart(64, "0")).reverse();
const scalar = (label: string) => fromLe(sha512(utf8(`streamo test scalar ${label}`))) % L;
const times = (point: Point, n: bigint) => point.multiply(etc.mod(n, L), false);

/** k of the verification equation. */
function challenge(r: Uint8Array, a: Uint8Array, message: Uint8Array): bigint {
  return fromLe(sha512(concat([r, a, message]))) % L;
}

/** The signature whose R is the encoding `r` of [nonce]B plus torsion, by the secret scalar `a`. */
function signWith(a: bigint, nonce: bigint, r: Uint8Array, publicKey: Uint8Array, m: Uint8Array) {
  const s = etc.mod(nonce + challenge(r, publicKey, m) * a, L);
  return concat([r, toLe(s)]);
}

/** The rule of SPEC from its definition. */
function judge(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const a = decode(publicKey);
  const r = decode(signature.subarray(0, 32));
  const s = fromLe(signature.subarray(32));
  if (a === undefined || r === undefined || s >= L) return false;
  if (a.isSmallOrder() || r.isSmallOrder()) return false;
  const k = challenge(signature.subarray(0, 32), publicKey, message);
  return times(B, s).equals(r.add(times(a, k)));
}

/** The point of a canonical encoding. */
function decode(bytes: Uint8Array): Point | undefined {
  try {
    const point = Point.fromBytes(bytes, true);
    return equal(point.toBytes(), bytes) ? point : undefined;
  } catch {
    return undefined; // not on the curve
  }
}

/** Whether the equation times the cofactor holds, canonical or not: what lenient libraries ask. */
function lenient(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const a = Point.fromBytes(publicKey, true);
  const r = Point.fromBytes(signature.subarray(0, 32), true);
  const k = challenge(signature.subarray(0, 32), publicKey, message);
  const s = fromLe(signature.subarray(32));
  return times(B, s).subtract(r).subtract(times(a, k)).isSmallOrder();
}

function add(
  name: string,
  valid: boolean,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): void {
  assert.equal(judge(publicKey, message, signature), valid, name);
  const hex = [publicKey, message, signature].map((bytes) => bytes.toHex());
  vectors.push({ name, publicKey: hex[0], message: hex[1], signature: hex[2], valid });
}

/** The first message `label 0`, `label 1`, ... for which `accept` gives a signature. */
function grind(label: string, accept: (message: Uint8Array) => Uint8Array | undefined) {
  for (let i = 0; i < 10_000; i++) {
    const message = utf8(`${label} ${i}`);
    const signature = accept(message);
    if (signature !== undefined) return { message, signature };
  }
  throw new Error(`no message found for "${label}"`);
}

/** A generator of the eight torsion points: [L]Q is one for a point Q of the whole curve. */
function torsionGenerator(): Point {
  for (let y = 2n;; y++) {
    const q = decode(toLe(y));
    if (q === undefined) continue;
    const t = q.multiply(L - 1n, false).add(q);
    if (!t.multiply(4n, false).is0()) return t;
  }
}

const T = torsionGenerator();
const torsion = Array.from({ length: 8 }, (_, i) => T.multiply(BigInt(i), false));
const a = scalar("a");
const nonce = scalar("r");
const A = times(B, a).toBytes();
const R = times(B, nonce).toBytes();
const message = utf8("streamo");
const good = signWith(a, nonce, R, A, message);

ordinary();
scalars();
smallOrderKeys();
smallOrderNonces();
notCanonical();
mixedOrder();
offCurve();
lengths();

const url = new URL("../vectors/ed25519.json", import.meta.url);
await Deno.writeTextFile(url, JSON.stringify(vectors, null, 2) + "\n");

function ordinary(): void {
  add("an ordinary signature", true, A, message, good);
  add(
    "an ordinary signature of the empty message",
    true,
    A,
    utf8(""),
    signWith(a, nonce, R, A, utf8("")),
  );
  const long = new Uint8Array(1023).fill(0xa5);
  add("an ordinary signature of 1,023 bytes", true, A, long, signWith(a, nonce, R, A, long));
  add("another message", false, A, utf8("streams"), good);
  add("another key", false, times(B, a + 1n).toBytes(), message, good);
  for (const bit of [0, 7, 100, 254, 255]) {
    add(`bit ${bit} of R flipped`, false, A, message, flip(good, bit));
  }
  for (const bit of [256, 300, 507]) {
    add(`bit ${bit} flipped (S)`, false, A, message, flip(good, bit));
  }
  add("the sign bit of A flipped", false, flip(A, 255), message, good);
  add(
    "R negated and S negated",
    false,
    A,
    message,
    concat([flip(R, 255), toLe(L - fromLe(good.slice(32)))]),
  );
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] ^= 1 << (bit & 7);
  return copy;
}

function scalars(): void {
  const s = fromLe(good.subarray(32));
  for (const n of [1n, 2n, 8n, 14n]) {
    add(`S + ${n}L`, false, A, message, concat([R, toLe(s + n * L)]));
  }
  for (let bit = 508; bit < 512; bit++) {
    add(`bit ${bit} set (S)`, false, A, message, flip(good, bit));
  }
  add("S = L", false, A, message, concat([R, toLe(L)]));
  add("S = 2^256 - 1", false, A, message, concat([R, new Uint8Array(32).fill(0xff)]));
  for (const [name, wanted] of [["0", 0n], ["L - 1", L - 1n]] as const) {
    add(`S = ${name}, the equation false`, false, A, message, concat([R, toLe(wanted)]));
  }
}

/** Encodings of `point`: the canonical one, and those with y + p or a sign bit on x = 0. */
function encodings(point: Point): Array<[string, Uint8Array]> {
  const { x, y } = point.toAffine();
  const list: Array<[string, Uint8Array]> = [["", point.toBytes()]];
  const sign = (x & 1n) << 255n;
  if (y < 19n) list.push([" as y + p", toLe((y + P) | sign)]);
  if (x === 0n) list.push([" with a sign bit", toLe(y | 1n << 255n)]);
  if (x === 0n && y < 19n) list.push([" as y + p with a sign bit", toLe((y + P) | 1n << 255n)]);
  return list;
}

function smallOrderKeys(): void {
  torsion.forEach((point, i) => {
    for (const [how, encoded] of encodings(point)) {
      // Nobody holds a secret, yet where [k]A = 0 the equation holds for a free choice of S.
      const { message, signature } = grind("anything", (m) => {
        const k = challenge(R, encoded, m);
        return times(point, k).is0() ? concat([R, toLe(nonce)]) : undefined;
      });
      assert(lenient(encoded, message, signature));
      add(`A is [${i}]T of small order${how}`, false, encoded, message, signature);
    }
  });
}

function smallOrderNonces(): void {
  torsion.forEach((point, i) => {
    for (const [how, encoded] of encodings(point)) {
      const signature = signWith(a, 0n, encoded, A, message);
      assert(lenient(A, message, signature));
      add(`R is [${i}]T of small order${how}`, false, A, message, signature);
    }
  });
  const identity = Point.ZERO.toBytes();
  add(
    "A and R are the identity, S = 0",
    false,
    identity,
    message,
    concat([identity, new Uint8Array(32)]),
  );
  const order4 = torsion[2].toBytes();
  const both = grind("both small", (m) => {
    const sum = torsion[2].add(times(torsion[2], challenge(order4, order4, m)));
    return sum.is0() ? concat([order4, new Uint8Array(32)]) : undefined;
  });
  add("A and R of order 4 that cancel, S = 0", false, order4, both.message, both.signature);
}

function notCanonical(): void {
  // Of the y below 19, those on the curve besides 0 and 1 have no known secret: no equation can hold.
  for (let y = 2n; y < 19n; y++) {
    if (decode(toLe(y)) === undefined) continue;
    add(`A is p + ${y}`, false, toLe(P + y), message, good);
    add(`R is p + ${y}`, false, A, message, concat([toLe(P + y), good.subarray(32)]));
  }
  add("A is 2^256 - 1", false, new Uint8Array(32).fill(0xff), message, good);
  add(
    "R is p + 2, off the curve too",
    false,
    A,
    message,
    concat([toLe(P + 2n), good.subarray(32)]),
  );
}

function mixedOrder(): void {
  const mixedA = times(B, a).add(T);
  const encodedA = mixedA.toBytes();
  const honest = (m: Uint8Array) => signWith(a, nonce, R, encodedA, m);
  const holds = grind(
    "mixed A, holds",
    (m) => challenge(R, encodedA, m) % 8n === 0n ? honest(m) : undefined,
  );
  add("A of mixed order, the torsion vanishes", true, encodedA, holds.message, holds.signature);
  for (const rest of [1n, 4n]) {
    const fails = grind(`mixed A, k = ${rest} mod 8`, (m) => {
      return challenge(R, encodedA, m) % 8n === rest ? honest(m) : undefined;
    });
    assert(lenient(encodedA, fails.message, fails.signature));
    add(
      `A of mixed order, only with cofactor (k = ${rest} mod 8)`,
      false,
      encodedA,
      fails.message,
      fails.signature,
    );
  }
  for (const i of [1, 2, 4]) {
    const encodedR = times(B, nonce).add(torsion[i]).toBytes();
    const signature = signWith(a, nonce, encodedR, A, message);
    assert(lenient(A, message, signature));
    add(`R of mixed order, only with cofactor ([${i}]T)`, false, A, message, signature);
  }
  const encodedR = times(B, nonce).add(T).toBytes();
  const cancel = grind("mixed A and R", (m) => {
    return challenge(encodedR, encodedA, m) % 8n === 7n
      ? signWith(a, nonce, encodedR, encodedA, m)
      : undefined;
  });
  add(
    "A and R of mixed order, the torsion cancels",
    true,
    encodedA,
    cancel.message,
    cancel.signature,
  );
}

function offCurve(): void {
  let found = 0;
  for (let y = 2n; found < 3; y++) {
    if (decode(toLe(y)) !== undefined) continue;
    found++;
    add(`A is off the curve (y = ${y})`, false, toLe(y), message, good);
    add(`R is off the curve (y = ${y})`, false, A, message, concat([toLe(y), good.subarray(32)]));
  }
  add("A is p - 2, below the limit", false, toLe(P - 2n), message, good);
}

function lengths(): void {
  add("an empty signature", false, A, message, new Uint8Array());
  add("a signature of 63 bytes", false, A, message, good.subarray(0, 63));
  add("a signature of 65 bytes", false, A, message, concat([good, new Uint8Array(1)]));
  add("an empty key", false, new Uint8Array(), message, good);
  add("a key of 31 bytes", false, A.subarray(0, 31), message, good);
  add("a key of 33 bytes", false, concat([A, new Uint8Array(1)]), message, good);
}
