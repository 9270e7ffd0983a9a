/** Bytes that every language can make, for vectors of content that is too long to write out. */

import { createHash } from "node:crypto";

/** Zeros, or SHA-256 of 0, 1, 2 ... (8 bytes each, big-endian), one after the other. */
export function sampleBytes(kind: "zeros" | "hashed", length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (kind === "zeros") return bytes;
  const counter = new Uint8Array(8);
  for (let at = 0; at < length; at += 32) {
    new DataView(counter.buffer).setBigUint64(0, BigInt(at / 32));
    const hash = new Uint8Array(createHash("sha256").update(counter).digest());
    bytes.set(hash.subarray(0, Math.min(32, length - at)), at);
  }
  return bytes;
}
