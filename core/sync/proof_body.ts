/**
 * What a relay answers where it is asked for blocks with their proof, or for a consistency proof:
 *
 *     blocks        [first] [start] [count] [length]* [block]* [count] [hash: 32 bytes]*
 *     consistency   [count] [hash: 32 bytes]*
 */

import { malformed, Reader, Writer } from "../codec/writer.ts";
import { StreamoError } from "../errors.ts";
import { HASH_BYTES } from "../log/merkle.ts";
import type { ProvenBlocks } from "../log/source.ts";
import { FRAME_MAX_BYTES, readBlocks, readCounted } from "./frame.ts";

/** More hashes than any proof has: 53 on either side. */
const HASHES_MAX = 128;

/** The bytes of blocks with their proof. */
export function encodeProven({ first, start, blocks, proof }: ProvenBlocks): Uint8Array<
  ArrayBuffer
> {
  const writer = new Writer(1024);
  writer.varint(first);
  writer.varint(start);
  writer.varint(blocks.length);
  for (const block of blocks) writer.varint(block.length);
  for (const block of blocks) writer.raw(block);
  writeHashes(writer, proof);
  return writer.view();
}

/** The opposite of {@link encodeProven}; `malformed` or `too_large`. Blocks are copies. */
export function decodeProven(bytes: Uint8Array): ProvenBlocks {
  const reader = readerOf(bytes);
  const first = reader.varint();
  const start = reader.varint();
  // Copies: a view of one block would keep all of the answer in memory.
  const blocks = readBlocks(reader).map((block) => block.slice());
  const proof = readHashes(reader);
  return { first, start, blocks, proof };
}

/** The bytes of a consistency proof. */
export function encodeHashes(hashes: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer(1 + hashes.length * HASH_BYTES);
  writeHashes(writer, hashes);
  return writer.view();
}

/** The opposite of {@link encodeHashes}; `malformed` or `too_large`. */
export function decodeHashes(bytes: Uint8Array): Uint8Array[] {
  return readHashes(readerOf(bytes));
}

function readerOf(bytes: Uint8Array): Reader {
  if (bytes.length <= FRAME_MAX_BYTES) return new Reader(bytes);
  throw new StreamoError("too_large", `a proof of ${bytes.length} bytes`);
}

function writeHashes(writer: Writer, hashes: readonly Uint8Array[]): void {
  writer.varint(hashes.length);
  for (const hash of hashes) writer.raw(hash);
}

/** The hashes that `reader` ends with. */
function readHashes(reader: Reader): Uint8Array[] {
  const hashes = readCounted(reader, HASHES_MAX, () => reader.raw(HASH_BYTES).slice());
  if (reader.at !== reader.bytes.length) throw malformed("a proof is too long");
  return hashes;
}
