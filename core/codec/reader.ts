/** Reads numbers and bytes, strictly: what peers and files hold may be hostile. */

import { StreamoError } from "../errors.ts";

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

/** Reads what a `Writer` wrote; everything hostile in it is `malformed`. */
export class Reader {
  /** Where the next read starts. */
  at: number;
  readonly #bytes: Uint8Array;

  /** Reads `bytes` from `at` on. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** All the bytes, also those before and after what was read. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** One byte. */
  u8(): number {
    if (this.at >= this.#bytes.length) throw malformed("bytes end in the middle of a chunk");
    return this.#bytes[this.at++];
  }

  /** A varint, in its shortest form only. */
  varint(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 128;
    do {
      // Past 8 bytes `scale` would grow to Infinity, and 0 times that is NaN, which passes every check.
      if (scale > 2 ** 49) throw malformed("a varint is past 2^53 - 1");
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (value > Number.MAX_SAFE_INTEGER) throw malformed("a varint is past 2^53 - 1");
    } while (byte >= 0x80);
    if (byte === 0) throw malformed("a varint is not in its shortest form");
    return value;
  }

  /** Passes over `length` bytes; gives where they start. */
  skip(length: number): number {
    const start = this.at;
    const end = start + length;
    if (end > this.#bytes.length) throw malformed("a length reaches past the end of its block");
    this.at = end;
    return start;
  }

  /** The next `length` bytes, as a view. */
  raw(length: number): Uint8Array {
    const start = this.skip(length);
    return this.#bytes.subarray(start, this.at);
  }

  /** An IEEE 754 number. */
  float(): number {
    floatBytes.set(this.raw(8));
    return floatView.getFloat64(0);
  }
}

/** The error for bytes that do not follow the format. */
export function malformed(what: string): StreamoError {
  return new StreamoError("malformed", what);
}
