/** What a log's subscriber is sent next. */

import type { Advance } from "../log/advance.ts";
import type { Log } from "../log/log.ts";
import { encodeFrame, FRAME_FILL_BYTES, FRAME_MAX_BLOCKS } from "./frame.ts";

/** A frame of blocks, up to `end`. */
export interface NextFrame {
  readonly frame: Uint8Array;
  readonly end: number;
}

/**
 * The frame with the blocks of `log` from `from` on; `latest` is the newest news of the log, if any.
 * Undefined if there are none, or the log has been replaced meanwhile: then news of that are on their way.
 */
export async function nextFrame(
  log: Log,
  number: number,
  from: number,
  latest: Advance | undefined,
): Promise<NextFrame | undefined> {
  const { head } = log;
  if (head === undefined || from >= head.blocks) return undefined;
  if (latest?.blocks !== undefined && latest.from === from && latest.head === head) {
    const frame = sharedFrame(latest, number);
    if (frame !== undefined) return { frame, end: head.blocks };
  }
  const blocks: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of log.blocks(from, Math.min(head.blocks, from + FRAME_MAX_BLOCKS))) {
    blocks.push(block.bytes);
    bytes += block.bytes.length;
    if (bytes >= FRAME_FILL_BYTES) break;
  }
  const end = from + blocks.length;
  const proof = await (await log.proofs()).right(from, end, head.blocks);
  if (log.stored.isCut) return undefined;
  return { frame: encodeFrame(number, { head, first: from, blocks, proof }), end };
}

/** One encoding for all who get the same news. */
const frames = new WeakMap<Advance, { readonly number: number; readonly frame: Uint8Array }>();

function sharedFrame(event: Advance, number: number): Uint8Array | undefined {
  const known = frames.get(event);
  if (known?.number === number) return known.frame;
  const blocks = event.blocks!.map(({ bytes }) => bytes);
  const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
  if (bytes > FRAME_FILL_BYTES || blocks.length > FRAME_MAX_BLOCKS) return undefined;
  const frame = encodeFrame(number, { head: event.head, first: event.from, blocks, proof: [] });
  frames.set(event, { number, frame });
  return frame;
}
