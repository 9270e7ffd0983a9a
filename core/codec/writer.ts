/** A growing buffer to encode into. */

import { StreamoError } from "../errors.ts";

const encoder = new TextEncoder();

/** Appends numbers, bytes and text to one buffer that is reused; `at` is how much is written. */
export class Writer {
  /** The buffer; bytes from `at` on are garbage. */
  bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes are written. */
  at = 0;

  /** Starts with room for `capacity` bytes. */
  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }

  /** One byte. */
  u8(byte: number): void {
    if (this.at === this.bytes.length) this.reserve(1);
    this.bytes[this.at++] = byte;
  }

  /** An integer from 0 to 2^53 - 1: 7 bits a byte, lowest first, high bit on all but the last. */
  varint(value: number): void {
    this.reserve(8);
    const { bytes } = this;
    let { at } = this;
    // Bitwise operators would cut a larger number to 32 bits.
    while (value > 0x7fffffff) {
      bytes[at++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    let rest = value | 0;
    while (rest >= 0x80) {
      bytes[at++] = rest | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.at = at;
  }

  /** `bytes` as they are. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** An IEEE 754 number, 8 bytes, big-endian. */
  float(value: number): void {
    this.reserve(8);
    floatView.setFloat64(0, value);
    this.bytes.set(floatBytes, this.at);
    this.at += 8;
  }

  /** The UTF-8 bytes of `text`; gives their number. TypeError on a lone surrogate. */
  utf8(text: string): number {
    const length = text.length;
    this.reserve(length * 3);
    const { bytes } = this;
    let at = this.at;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return this.#unicode(text);
      bytes[at++] = code;
    }
    this.at = at;
    return length;
  }

  /** A view of what is written from `from` on; valid until the next write. */
  view(from = 0): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(from, this.at);
  }

  #unicode(text: string): number {
    if (!text.isWellFormed()) throw new TypeError("a string has a lone surrogate");
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.at));
    this.at += written;
    return written;
  }
}

const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

/** Reads what a {@link Writer} wrote; everything hostile in it is `malformed`. */
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
