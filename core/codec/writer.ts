/** A growing buffer to encode into. */

const encoder = new TextEncoder();
const floatBytes = new Uint8Array(8);
const floatView = new DataView(floatBytes.buffer);

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

  /** The bytes [from, to) of `bytes` as they are. */
  raw(bytes: Uint8Array, from = 0, to: number = bytes.length): void {
    this.reserve(to - from);
    const { bytes: out, at } = this;
    this.at += to - from;
    // A view of a few bytes takes longer to make than to copy them.
    if (to - from > 32) out.set(bytes.subarray(from, to), at);
    else for (let i = from; i < to; i++) out[at + i - from] = bytes[i];
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

/** Writers that wait to be borrowed, and the most that each may hold on to: 64 MiB in all. */
const IDLE_MAX = 256;
const IDLE_MAX_BYTES = 256 * 1024;
const idle: Writer[] = [];

/** An empty writer; give it back with {@link giveBack}. */
export function borrowWriter(): Writer {
  const writer = idle.pop() ?? new Writer(1024);
  writer.at = 0;
  return writer;
}

/** Takes back a writer that {@link borrowWriter} lent. */
export function giveBack(writer: Writer): void {
  if (idle.length < IDLE_MAX && writer.bytes.length <= IDLE_MAX_BYTES) idle.push(writer);
}
