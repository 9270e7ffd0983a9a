/** Base32 (RFC 4648, lower case, no padding): text that a DNS label can hold. */

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** The text of `bytes`: 5 bits a character, the last one filled up with zeros. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5;) text += ALPHABET[(bits >>> (count -= 5)) & 31];
  }
  return count === 0 ? text : text + ALPHABET[(bits << (5 - count)) & 31];
}

/** The bytes of `text`; undefined unless it is exactly what {@link encodeBase32} gives for some. */
export function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor(text.length * 5 / 8));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const character of text) {
    bits = (bits << 5) | ALPHABET.indexOf(character);
    count += 5;
    if (count >= 8) bytes[at++] = bits >>> (count -= 8);
  }
  return encodeBase32(bytes) === text ? bytes : undefined;
}
