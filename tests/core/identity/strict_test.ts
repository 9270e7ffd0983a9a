import { strict as assert } from "node:assert";
import { Point } from "@noble/ed25519";
import { isStrict } from "../../../core/identity/strict.ts";
import vectors from "../../vectors/ed25519.json" with { type: "json" };

const { p: P, n: L } = Point.CURVE();
const toLe = (n: bigint) => Uint8Array.fromHex(n.toString(16).padStart(64, "0")).reverse();
const good = toLe(P - 2n); // any canonical y that is not of small order

/** The form of the rule alone: public key `a`, nonce point `r`, scalar `s`. */
function accepts({ a = good, r = good, s = 1n }: { a?: Uint8Array; r?: Uint8Array; s?: bigint }) {
  return isStrict(a, Uint8Array.of(...r, ...toLe(s)));
}

function sameAnswer(encoded: Uint8Array, expected: boolean, name: string): void {
  assert.equal(accepts({ a: encoded }), expected, `A ${name}`);
  assert.equal(accepts({ r: encoded }), expected, `R ${name}`);
}

Deno.test("isStrict() accepts S below L, and nothing from L on", () => {
  for (const s of [0n, 1n, 2n ** 252n, L - 1n]) assert.equal(accepts({ s }), true, `${s}`);
  for (const s of [L, L + 1n, 2n ** 253n, 2n * L, 2n ** 255n, 2n ** 256n - 1n]) {
    assert.equal(accepts({ s }), false, `${s}`);
  }
  for (let bit = 0n; bit < 252n; bit++) {
    assert.equal(
      accepts({ s: (L - 1n) ^ (1n << bit) }),
      ((L - 1n) ^ (1n << bit)) < L,
      `bit ${bit}`,
    );
  }
});

Deno.test("isStrict() accepts y below p with either sign, and nothing from p on", () => {
  const sign = 1n << 255n;
  for (const y of [2n, 3n, 18n, 19n, 2n ** 254n, P - 3n, P - 2n]) {
    sameAnswer(toLe(y), true, `y = ${y}`);
    sameAnswer(toLe(y | sign), true, `y = ${y}, signed`);
  }
  for (let y = P; y < sign; y++) {
    sameAnswer(toLe(y), false, `y = p + ${y - P}`);
    sameAnswer(toLe(y | sign), false, `y = p + ${y - P}, signed`);
  }
});

Deno.test("isStrict() refuses exactly the points of small order, with either sign", () => {
  const seen = new Set<string>();
  for (const t of torsion()) {
    const encoded = t.toBytes();
    seen.add(encoded.toHex());
    sameAnswer(encoded, false, `small order ${encoded.toHex()}`);
    encoded[31] ^= 0x80;
    sameAnswer(encoded, false, `small order ${encoded.toHex()}, other sign`);
    for (const byte of [0, 15, 30]) {
      const near = t.toBytes();
      near[byte] ^= 4;
      sameAnswer(near, true, `near small order, byte ${byte}`);
    }
  }
  assert.equal(seen.size, 8);
});

Deno.test("isStrict() refuses every other length", () => {
  for (const length of [0, 31, 33]) {
    assert.equal(isStrict(new Uint8Array(length).fill(3), new Uint8Array(64)), false);
  }
  for (const length of [0, 32, 63, 65]) {
    assert.equal(isStrict(good, new Uint8Array(length).fill(3)), false);
  }
});

Deno.test("the edge cases hold valid and false ones, and ones that only the form gives away", () => {
  const form = vectors.filter((v) => {
    return !isStrict(Uint8Array.fromHex(v.publicKey), Uint8Array.fromHex(v.signature));
  });
  assert.ok(vectors.filter((v) => v.valid).length >= 5);
  assert.ok(form.length >= 40);
  assert.ok(form.every((v) => !v.valid));
});

/** The eight points of small order: [L]Q for points Q of the whole curve. */
function torsion(): Point[] {
  for (let y = 2n;; y++) {
    const q = onCurve(toLe(y));
    const t = q?.multiply(L - 1n, false).add(q);
    if (t === undefined || t.multiply(4n, false).is0()) continue;
    return Array.from({ length: 8 }, (_, i) => t.multiply(BigInt(i), false));
  }
}

function onCurve(encoded: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(encoded);
  } catch {
    return undefined; // not on the curve
  }
}
