/**
 * SHA-256 (FIPS 180-4) in JavaScript: synchronous everywhere, and for the few bytes of a Merkle node
 * faster than a call into native code.
 */

const BLOCK = 64;

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUND = fractions(64, Math.cbrt);
/** The same of the square roots of the first 8. */
const START = fractions(8, Math.sqrt);

/** The message schedule, the running state and a block that is not full yet: of one hash at a time. */
const schedule = new Int32Array(BLOCK);
const state = new Int32Array(8);
const waiting = new Uint8Array(BLOCK);

/** SHA-256 of the bytes of `parts`, one after the other. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  state.set(START);
  let length = 0;
  for (const part of parts) {
    take(part, length % BLOCK);
    length += part.length;
  }
  finish(length);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 8; i++) writeWord(digest, 4 * i, state[i]);
  return digest;
}

/** Takes `part` behind the `fill` bytes that wait. */
function take(part: Uint8Array, fill: number): void {
  let at = 0;
  if (fill > 0) {
    at = Math.min(part.length, BLOCK - fill);
    for (let i = 0; i < at; i++) waiting[fill + i] = part[i];
    if (fill + at < BLOCK) return;
    compress(waiting, 0);
  }
  for (; at + BLOCK <= part.length; at += BLOCK) compress(part, at);
  for (let i = 0; at < part.length; i++) waiting[i] = part[at++];
}

/** The padding: one bit, zeros, and the length in bits. */
function finish(length: number): void {
  const fill = length % BLOCK;
  waiting.fill(0, fill);
  waiting[fill] = 0x80;
  if (fill >= BLOCK - 8) {
    compress(waiting, 0);
    waiting.fill(0);
  }
  writeWord(waiting, BLOCK - 8, Math.floor(length / 2 ** 29));
  writeWord(waiting, BLOCK - 4, length << 3);
  compress(waiting, 0);
}

function compress(bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++, at += 4) {
    schedule[i] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  }
  for (let i = 16; i < BLOCK; i++) {
    const x = schedule[i - 15];
    const y = schedule[i - 2];
    const small0 = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
    const small1 = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
    schedule[i] = schedule[i - 16] + small0 + schedule[i - 7] + small1;
  }
  let [a, b, c, d] = [state[0], state[1], state[2], state[3]];
  let [e, f, g, h] = [state[4], state[5], state[6], state[7]];
  for (let i = 0; i < BLOCK; i++) {
    const big1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
    const one = h + big1 + (g ^ e & (f ^ g)) + ROUND[i] + schedule[i] | 0;
    const big0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
    const two = big0 + (a & b | c & (a | b)) | 0;
    h = g;
    g = f;
    f = e;
    e = d + one | 0;
    d = c;
    c = b;
    b = a;
    a = one + two | 0;
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

function fractions(count: number, root: (prime: number) => number): Int32Array {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    let divisor = 2;
    while (n % divisor !== 0) divisor++;
    // 36 of the 52 bits that a double has are used: no platform's last bit matters.
    if (divisor === n) found.push(root(n) % 1 * 2 ** 32);
  }
  return Int32Array.from(found);
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}
