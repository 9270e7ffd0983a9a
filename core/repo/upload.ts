/** Content of any size into a log, in bounded memory. */

import type { Space } from "../codec/chunks.ts";
import { PieceWriter } from "../codec/large.ts";
import { Stored } from "./draft.ts";

/** Content on its way, in parts of any size. */
export type ByteStream = ReadableStream<Uint8Array>;

/** Bytes of a long upload that are signed and stored at a time. */
export const UPLOAD_STEP_BYTES = 4 * 2 ** 20;

/** Stores the content of `stream` in `space`; `afterEach` part it may wait until some of it is durable. */
export async function storeStream(
  space: Space,
  stream: ByteStream,
  afterEach: () => Promise<unknown> | undefined,
): Promise<Stored> {
  const pieces = new PieceWriter(space);
  for await (const bytes of stream) {
    pieces.push(bytes);
    await afterEach();
  }
  return new Stored(space, pieces.finish());
}
