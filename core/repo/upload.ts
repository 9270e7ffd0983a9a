/** Content of any size into a log, in bounded memory. */

import { writeItem } from "../codec/builder.ts";
import { type Space, untilThere } from "../codec/chunks.ts";
import { encode } from "../codec/encode.ts";
import { PieceWriter } from "../codec/pieces.ts";
import { DEPTH_MAX, INLINE_SMALL } from "../codec/tags.ts";
import { Writer } from "../codec/writer.ts";
import { isUnreadable, learnFrom } from "../log/learn_chunks.ts";
import type { Log } from "../log/log.ts";
import type { BranchWriter } from "./branch_writer.ts";
import { Stored } from "./draft.ts";

/** Content on its way, in parts of any size. */
export type ByteStream = ReadableStream<Uint8Array>;

/**
 * Content that a process stores before it looks for what its log has of it already: a search through
 * old blocks is worth more than these bytes, not less. Until a stream has more, none of it is written.
 */
const UNSEARCHED_BYTES = 256 * 1024;

/** Chunks of large bytes that are no smaller are pieces: the nodes of their tree are. */
const PIECE_BYTES = 1024;

/** A value is encoded again for every old block that must be fetched to compare it, if it is no larger. */
const PATIENT_MAX_BYTES = 2 ** 20;

/** What large content is written to. */
export interface UploadTo {
  readonly space: Space;
  readonly log: Pick<Log, "blocks" | "stored">;
  readonly writer: Pick<BranchWriter, "chunks" | "uploadedBytes">;
}

/** Stores the content of `stream`; `afterEach` part it may wait until some of it is durable. */
export async function storeStream(
  to: UploadTo,
  stream: ByteStream,
  afterEach: () => Promise<unknown> | undefined,
): Promise<Stored> {
  const pieces = new PieceWriter(to.space);
  // Not every browser has streams that `for await` takes.
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      await beforeStoring(to, read.value.length);
      for (let at = 0; at < read.value.length;) {
        await patiently(to, PIECE_BYTES, () => pieces.cut());
        at += pieces.take(read.value.subarray(at));
      }
      await afterEach();
    }
  } catch (error) {
    await reader.cancel(error);
    throw error;
  }
  return new Stored(to.space, await patiently(to, PIECE_BYTES, () => pieces.finish()));
}

/** Stores any value. */
export async function storeIn(to: UploadTo, value: unknown): Promise<Stored> {
  const size = sizeOf(value, PATIENT_MAX_BYTES);
  const search = beforeStoring(to, size);
  // Mostly there is nothing to wait for: then the value is taken as it is now.
  if (search !== undefined) await search;
  const write = () => encode(to.space, value);
  const isEarly = to.writer.uploadedBytes <= UNSEARCHED_BYTES;
  if (isEarly || size > PATIENT_MAX_BYTES || !to.log.stored.mustWait) {
    return new Stored(to.space, write());
  }
  // A text that would be written with the container that it is put into is written now.
  const writeNow = () => writeItem(to.space, new Writer(), write(), INLINE_SMALL);
  return new Stored(to.space, await patiently(to, 0, writeNow));
}

function beforeStoring({ log, writer }: UploadTo, bytes: number): Promise<void> | undefined {
  writer.uploadedBytes += bytes;
  if (writer.uploadedBytes <= UNSEARCHED_BYTES) return undefined;
  return writer.chunks.recall(learnFrom((first, end) => log.blocks(first, end)));
}

/**
 * Runs `write` until every chunk of at least `from` bytes that may be in the log was compared with the one
 * there. What cannot be read is not used again: a damaged old block must not stop new writes.
 */
async function patiently<T>({ writer }: UploadTo, from: number, write: () => T): Promise<T> {
  try {
    return await untilThere(() => writer.chunks.patiently(from, write));
  } catch (error) {
    if (isUnreadable(error)) return write();
    throw error;
  }
}

/** About how many bytes `value` takes, counted up to a little more than `most`. */
function sizeOf(value: unknown, most: number, depth = 0): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  let size = 8;
  // What nests deeper cannot be stored, nor can what holds itself.
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return size;
  for (const key of Object.keys(value)) {
    size += key.length + sizeOf((value as Record<string, unknown>)[key], most - size, depth + 1);
    if (size > most) break;
  }
  return size;
}
