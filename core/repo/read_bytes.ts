/** Text and bytes of any size as a stream. */

import { untilThere } from "../codec/chunks.ts";
import type { Path } from "../codec/value.ts";
import type { ByteRange, Snapshot } from "./snapshot.ts";

/** Bytes read at a time. */
const STEP_BYTES = 256 * 1024;

/**
 * The text (as UTF-8) or bytes at `path`, read as the stream is; the stream errors with a TypeError if
 * it is neither.
 */
export function readBytes(
  snapshot: Snapshot,
  path: Path,
  range: ByteRange = {},
): ReadableStream<Uint8Array> {
  let at = range.start ?? 0;
  let end: number | undefined;
  return new ReadableStream({
    async pull(controller) {
      end ??= await untilThere(() => {
        snapshot.content(path, {
          start: at,
          end: Math.min(range.end ?? Infinity, at + STEP_BYTES),
        });
        return Math.min(range.end ?? Infinity, snapshot.stat(...path)!.size);
      });
      if (at >= end) return controller.close();
      const to = Math.min(end, at + STEP_BYTES);
      const parts = await untilThere(() => [...snapshot.content(path, { start: at, end: to })]);
      for (const part of parts) controller.enqueue(part);
      at = to;
    },
  });
}
