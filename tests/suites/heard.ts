/** What came over a connection, whatever it is. */

import type { Run } from "../../core/log/run.ts";
import { decodeFrame } from "../../core/sync/frame.ts";
import { decodeListFrame, type ListFrame } from "../../core/sync/lists.ts";
import { decodeMessage, type Message } from "../../core/sync/messages.ts";
import { PART } from "../../core/sync/parts.ts";

/** A message, a frame about a list, blocks, or a part of a log. */
export type Heard =
  | Message
  | ListFrame
  | { readonly type: "run"; readonly run: Run }
  | { readonly type: "part"; readonly bytes: Uint8Array };

/** Text or bytes of a WebSocket. */
export function heardOf(data: string | ArrayBuffer): Heard {
  if (typeof data === "string") return decodeMessage(data);
  const bytes = new Uint8Array(data);
  if (bytes[0] === PART) return { type: "part", bytes };
  return decodeListFrame(bytes) ?? { type: "run", run: decodeFrame(bytes).run };
}
