/** The strict Ed25519 rule: what is checked before a platform verifies a signature. */

/** Bytes in an Ed25519 signature: R, then S. */
export const SIGNATURE_BYTES = 64;

/** The order of the base point, L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const L = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/** The field prime, p = 2^255 - 19, little-endian. */
const P = bytes("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");

/**
 * The y coordinates of the eight points whose order divides the cofactor 8, little-endian. The
 * sign bit of x is left out: each y stands for both points (x, y) and (-x, y), and for the encodings of
 * x = 0 with a sign bit, which are not canonical.
 *
 * Order 1 is (0, 1) and order 2 is (0, -1). Order 4 is (±sqrt(-1), 0). A point of order 8 doubles to
 * order 4, whose y is 0: y^2 = -x^2, and on the curve d*y^4 + 2*y^2 - 1 = 0, so y is one of the two
 * values ±sqrt((sqrt(1 + d) - 1) / d) that exist modulo p.
 */
const SMALL_ORDER_Y = [
  bytes("0100000000000000000000000000000000000000000000000000000000000000"), // 1
  bytes("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), // p - 1
  bytes("0000000000000000000000000000000000000000000000000000000000000000"), // 0
  bytes("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), // order 8
  bytes("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), // order 8, p - y
];

/**
 * Whether `publicKey` (A) and `signature` (R, S) have the form that every implementation judges
 * alike:
 *
 * 1. A is 32 bytes, the signature 64;
 * 2. S < L, so that nobody can turn a signature into another one of the same message;
 * 3. A and R are canonical: y < p, and no sign bit where x = 0;
 * 4. A and R are not of small order. With such an A one signature fits many messages. With such an R
 *    (which no honest signer makes) the web's standard says false where native libraries say true.
 *
 * What remains is the platform's part: A must be a point of the curve, and the encoding of
 * [S]B - [k]A, where k = SHA-512(R, A, message) mod L, must be R byte for byte (the equation without
 * cofactor, RFC 8032 5.1.7's stronger form). A of mixed order is thereby judged alike too.
 */
export function isStrict(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== SIGNATURE_BYTES) return false;
  return isBelow(signature, 32, L, 0xff) && isStrictPoint(publicKey) && isStrictPoint(signature);
}

/** Whether the first 32 bytes are a canonical y of a point that is not of small order. */
function isStrictPoint(point: Uint8Array): boolean {
  return isBelow(point, 0, P, 0x7f) && !SMALL_ORDER_Y.some((y) => hasY(point, y));
}

/** Whether the 32-byte little-endian number at `at` is below `limit`; `topMask` cuts its last byte. */
function isBelow(number: Uint8Array, at: number, limit: Uint8Array, topMask: number): boolean {
  const top = number[at + 31] & topMask;
  if (top !== limit[31]) return top < limit[31];
  for (let i = 30; i >= 0; i--) {
    if (number[at + i] !== limit[i]) return number[at + i] < limit[i];
  }
  return false;
}

function hasY(point: Uint8Array, y: Uint8Array): boolean {
  for (let i = 0; i < 31; i++) if (point[i] !== y[i]) return false;
  return (point[31] & 0x7f) === y[31];
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
