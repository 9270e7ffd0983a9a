/** Content of any size into a log, in bounded memory. */

import type { Space } from "../codec/chunks.ts";
import { encode } from "../codec/encode.ts";
import { PieceWriter } from "../codec/large.ts";
import { DEPTH_MAX } from "../codec/tags.ts";
import type { Log } from "../log/log.ts";
import { Stored } from "./draft.ts";

/** Content on its way, in parts of any size. */
export type ByteStream = ReadableStream<Uint8Array>;

/** Bytes of a long upload that are signed and stored at a time. */
export const UPLOAD_STEP_BYTES = 4 * 2 ** 20;

/**
 * Content that a process stores before it looks for what its log has of it already: a search through
 * old blocks is worth more than these bytes, not less. Until a stream has more, none of it is written.
 */
const UNSEARCHED_BYTES = 256 * 1024;

/** What a writer of large content needs of a branch. */
export interface UploadTo {
  readonly space: Space;
  readonly log: Pick<Log, "recall">;
  /** Bytes that were to be stored so far. */
  uploadedBytes: number;
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
      pieces.push(read.value);
      await afterEach();
    }
  } catch (error) {
    await reader.cancel(error);
    throw error;
  }
  return new Stored(to.space, pieces.finish());
}

/** Stores any value. */
export async function storeIn(to: UploadTo, value: unknown): Promise<Stored> {
  const search = beforeStoring(to, sizeOf(value, UNSEARCHED_BYTES));
  // Mostly there is nothing to wait for: then the value is taken as it is now.
  if (search !== undefined) await search;
  return new Stored(to.space, encode(to.space, value));
}

function beforeStoring(to: UploadTo, bytes: number): Promise<void> | undefined {
  to.uploadedBytes += bytes;
  return to.uploadedBytes > UNSEARCHED_BYTES ? to.log.recall() : undefined;
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
