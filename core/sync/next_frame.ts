/** What a log's subscriber is sent next. */

import type { Advance } from "../log/advance.ts";
import type { Log } from "../log/log.ts";
import type { Position } from "../log/run.ts";
import type { ChannelState } from "./channel_state.ts";
import { encodeFrame, FRAME_FILL_BYTES, FRAME_MAX_BLOCKS } from "./frame.ts";
import { step } from "./machine.ts";

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
  if (latest?.from === from && latest.head === head) {
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

/**
 * The frame with `event` for a peer that has all that comes before it, and the state of its channel once it is told; undefined if
 * there is more to do. `now` is what this side has since.
 */
export function passOn(
  state: ChannelState,
  event: Advance,
  now: { readonly own: Position; readonly ownHead: number },
  number: number,
): NextFrame & { readonly state: ChannelState } | undefined {
  const { from, head } = event;
  if (state.phase !== "live" || state.sent !== from || now.ownHead !== head.blocks) {
    return undefined;
  }
  const frame = sharedFrame(event, number);
  if (frame === undefined) return undefined;
  const [next, effects] = step(state, { type: "advanced", ...now, from, fromPeer: false });
  return effects[0]?.type === "pump" ? { frame, end: head.blocks, state: next } : undefined;
}

/** One encoding for all who get the same news. */
const frames = new WeakMap<Advance, { readonly number: number; readonly frame: Uint8Array }>();

function sharedFrame(event: Advance, number: number): Uint8Array | undefined {
  const known = frames.get(event);
  if (known?.number === number) return known.frame;
  if (event.blocks === undefined) return undefined;
  const blocks = event.blocks.map(({ bytes }) => bytes);
  const bytes = blocks.reduce((sum, { length }) => sum + length, 0);
  if (bytes > FRAME_FILL_BYTES || blocks.length > FRAME_MAX_BLOCKS) return undefined;
  const frame = encodeFrame(number, { head: event.head, first: event.from, blocks, proof: [] });
  frames.set(event, { number, frame });
  return frame;
}
