/**
 * What whoever holds a log answers, where it is asked for a part of it (see `ask.ts`):
 *
 *     blocks   [runs] ([first] [start] [count] [length]* [block]*)* [count] [hash: 32 bytes]*
 *     newest   [head: 157 bytes] [count] [hash: 32 bytes]* blocks
 */

import { malformed, Reader } from "../codec/reader.ts";
import { Writer } from "../codec/writer.ts";
import { StreamoError } from "../errors.ts";
import { decodeHead, encodeHead, HEAD_BYTES } from "../log/head.ts";
import { HASH_BYTES } from "../log/merkle.ts";
import type { BlockRun, Newest, ProvenBlocks } from "../log/source.ts";
import { FRAME_MAX_BYTES, readBlocks, readCounted } from "./frame.ts";

/** More hashes than any proof that fits has: there are some 20 for each block. */
const HASHES_MAX = 8192;
/** More runs, and blocks, than one answer has. */
const RUNS_MAX = 1024;
const BLOCKS_MAX = 1024;

/** The bytes of blocks with their proof. */
export function encodeProven(proven: ProvenBlocks): Uint8Array<ArrayBuffer> {
  const writer = new Writer(1024);
  writeProven(writer, proven);
  return writer.view();
}

/** The opposite of {@link encodeProven}; `malformed` or `too_large`. Blocks are copies. */
export function decodeProven(bytes: Uint8Array): ProvenBlocks {
  return toEnd(bytes, readProven);
}

/** The bytes of a head with its proofs. */
export function encodeNewest({ head, extension, end }: Newest): Uint8Array<ArrayBuffer> {
  const writer = new Writer(1024);
  writer.raw(encodeHead(head));
  writeHashes(writer, extension);
  writeProven(writer, end ?? { runs: [], proof: [] });
  return writer.view();
}

/** The opposite of {@link encodeNewest}; `malformed` or `too_large`. Blocks are copies. */
export function decodeNewest(bytes: Uint8Array): Newest {
  return toEnd(bytes, (reader) => {
    const head = decodeHead(reader.raw(HEAD_BYTES));
    const extension = readHashes(reader);
    const end = readProven(reader);
    return { head, extension, end: end.runs.length === 0 ? undefined : end };
  });
}

function toEnd<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  if (bytes.length > FRAME_MAX_BYTES) {
    throw new StreamoError("too_large", `an answer of ${bytes.length} bytes`);
  }
  const reader = new Reader(bytes);
  const found = read(reader);
  if (reader.at !== bytes.length) throw malformed("an answer is too long");
  return found;
}

function writeProven(writer: Writer, { runs, proof }: ProvenBlocks): void {
  writer.varint(runs.length);
  for (const { first, start, blocks } of runs) {
    writer.varint(first);
    writer.varint(start);
    writer.varint(blocks.length);
    for (const block of blocks) writer.varint(block.length);
    for (const block of blocks) writer.raw(block);
  }
  writeHashes(writer, proof);
}

function readProven(reader: Reader): ProvenBlocks {
  let left = BLOCKS_MAX;
  const runs = readCounted(reader, RUNS_MAX, (): BlockRun => {
    const first = reader.varint();
    const start = reader.varint();
    const found = readBlocks(reader, left);
    left -= found.length;
    // Copies: a view of one block would keep all of the answer in memory.
    return { first, start, blocks: found.map((block) => block.slice()) };
  });
  return { runs, proof: readHashes(reader) };
}

function writeHashes(writer: Writer, hashes: readonly Uint8Array[]): void {
  writer.varint(hashes.length);
  for (const hash of hashes) writer.raw(hash);
}

function readHashes(reader: Reader): Uint8Array[] {
  return readCounted(reader, HASHES_MAX, () => reader.raw(HASH_BYTES).slice());
}
