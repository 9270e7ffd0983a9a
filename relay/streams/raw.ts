/** `/streams/KEY/head` and `/streams/KEY/log`: what a reader needs to check everything itself. */

import { encodeHead } from "../../core/log/head.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Store } from "../../core/log/store.ts";
import { bytesBody, respond } from "../http/respond.ts";
import type { View } from "../views.ts";

const BYTES = "application/octet-stream";

/** Answers with the signed head, as encodeHead() gives it. */
export function serveHead(request: Request, view: View): Promise<Response> {
  const bytes = encodeHead(view.head);
  return respond(request, { type: BYTES, tag: headTag(view), open: () => bytesBody(bytes) });
}

/** Answers with the blocks, one after the other: byte n of it is address n of the log. */
export function serveLog(request: Request, view: View, store: Store): Promise<Response> {
  const size = view.head.bytes;
  const read = (start: number, end: number) => logBytes(store, view, start, end);
  return respond(request, {
    type: BYTES,
    tag: `${headTag(view)}.log`,
    open: () => ({ size, read }),
  });
}

function headTag({ key, head }: View): string {
  return `${key}.${head.epoch}.${head.blocks}.${head.root.subarray(0, 16).toHex()}`;
}

function logBytes(store: Store, { key, head }: View, start: number, end: number): ReadableStream {
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    if (start >= end) return;
    const first = await store.blockAt(key, head.epoch, start);
    if (first === undefined) {
      throw new StreamoError("missing_block", `the block at ${start} of ${key} is not here`);
    }
    for await (const block of store.blocks(key, head.epoch, first.index, head.blocks)) {
      const part = block.bytes.subarray(Math.max(0, start - block.start), end - block.start);
      yield part;
      if (block.start + block.bytes.length >= end) return;
    }
  };
  return ReadableStream.from(bytes());
}
