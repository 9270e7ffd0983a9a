/**
 * SHA-256 (FIPS 180-4) in JavaScript. Writing a log hashes synchronously, which browsers do not offer,
 * and this is the one primitive that every page needs.
 */

/** The first 64 primes: what the constants are made of. */
const PRIMES = firstPrimes(64);
/** The first 32 bits behind the point of the cube roots of all of them. */
const ROUNDS = Int32Array.from(PRIMES, (prime) => rootFraction(prime, 3));
/** The same of the square roots of the first eight. */
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => rootFraction(prime, 2));

/** The eight words of the hash in progress; its message schedule; the block that is being filled. */
const state = new Int32Array(8);
const words = new Int32Array(64);
const block = new Uint8Array(64);

/** SHA-256 of the bytes of `parts`, one after the other. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  state.set(START);
  let length = 0;
  for (const part of parts) {
    let from = 0;
    while (from < part.length) {
      const at = length % 64;
      const count = Math.min(64 - at, part.length - from);
      if (count === 64) compress(part, from);
      else {
        block.set(part.subarray(from, from + count), at);
        if (at + count === 64) compress(block, 0);
      }
      from += count;
      length += count;
    }
  }
  return finish(length);
}

/** The padding: a one bit, zeros, and the length in bits as the last 8 bytes. */
function finish(length: number): Uint8Array {
  const at = length % 64;
  block[at] = 0x80;
  block.fill(0, at + 1);
  if (at >= 56) {
    compress(block, 0);
    block.fill(0);
  }
  const view = new DataView(block.buffer);
  view.setUint32(56, Math.floor(length / 2 ** 29));
  view.setUint32(60, length << 3);
  compress(block, 0);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (let i = 0; i < 8; i++) out.setInt32(4 * i, state[i]);
  return digest;
}

/** Takes the 64 bytes from `at` into `state`. */
function compress(bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++, at += 4) {
    words[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15];
    const y = words[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[i] = (words[i - 16] + s0 + words[i - 7] + s1) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3];
  let e = state[4], f = state[5], g = state[6], h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + (g ^ (e & (f ^ g))) + ROUNDS[i] + words[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (c & (a ^ b)))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number++) {
    if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  }
  return primes;
}

/** The first 32 bits behind the point of the root of `number`: in integers, which every engine does alike. */
function rootFraction(number: number, degree: number): number {
  const power = BigInt(number) << BigInt(32 * degree);
  // The roots are below 2^36: floating point is off by less than one.
  let root = BigInt(Math.floor(Number(power) ** (1 / degree))) + 1n;
  while (root ** BigInt(degree) > power) root--;
  return Number(BigInt.asIntN(32, root));
}
