/** Base32 of RFC 4648 in lower case and without padding. */

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
/** What each ASCII character stands for; 255 where it is not of the alphabet. */
const VALUES = new Uint8Array(128).fill(255);
for (let i = 0; i < 32; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** `bytes` as text. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let waiting = 0;
  for (const byte of bytes) {
    waiting = waiting << 8 | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[waiting >>> bits - 5 & 31];
  }
  return bits > 0 ? text + ALPHABET[waiting << 5 - bits & 31] : text;
}

/** The bytes that `text` stands for; undefined unless encoding them gives `text` again. */
export function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length * 5 >>> 3);
  let bits = 0;
  let waiting = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? 255;
    if (value === 255) return undefined;
    waiting = waiting << 5 | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = waiting >>> bits;
  }
  // No character that carries nothing, and no bit that is not of a byte.
  return bits >= 5 || (waiting & (1 << bits) - 1) !== 0 ? undefined : bytes;
}
