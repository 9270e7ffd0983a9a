/** What came over a connection, whatever it is. */

import type { Run } from "../../core/log/run.ts";
import { decodeFrame } from "../../core/sync/frame.ts";
import { decodeListFrame, type ListFrame } from "../../core/sync/lists.ts";
import { decodeMessage, type Message } from "../../core/sync/messages.ts";

/** A message, a frame about a list, or blocks. */
export type Heard = Message | ListFrame | { readonly type: "run"; readonly run: Run };

/** Text or bytes of a WebSocket. */
export function heardOf(data: string | ArrayBuffer): Heard {
  if (typeof data === "string") return decodeMessage(data);
  const bytes = new Uint8Array(data);
  return decodeListFrame(bytes) ?? { type: "run", run: decodeFrame(bytes).run };
}
