/** Bodies with something put in. */

import type { Body } from "../http/respond.ts";
import { importMapPosition } from "./html.ts";

/** How far into a document is looked for its own import map. */
const LOOK_BYTES = 2 ** 20;

/** `body` with `script` where an import map belongs; `body` itself if it has its own. */
export async function injectImportMap(body: Body, script: Uint8Array): Promise<Body> {
  const prefix = body.read(0, Math.min(LOOK_BYTES, body.size));
  const bytes = prefix instanceof Uint8Array ? prefix : await new Response(prefix).bytes();
  const position = importMapPosition(bytes);
  return position === undefined ? body : insert(body, script, position);
}

/** `body` with `inserted` before its byte at `position`. */
export function insert(body: Body, inserted: Uint8Array, position: number): Body {
  const size = body.size + inserted.length;
  const after = position + inserted.length;
  return {
    size,
    read(start, end) {
      const parts: (() => Uint8Array | ReadableStream<Uint8Array>)[] = [];
      if (start < position) parts.push(() => body.read(start, Math.min(end, position)));
      if (start < after && end > position) {
        const from = Math.max(0, start - position);
        parts.push(() => inserted.subarray(from, end - position));
      }
      if (end > after) {
        const from = Math.max(after, start);
        parts.push(() => body.read(from - inserted.length, end - inserted.length));
      }
      return join(parts);
    },
  };
}

/** The bytes of `parts`, each opened when its turn comes. */
function join(
  parts: readonly (() => Uint8Array | ReadableStream<Uint8Array>)[],
): ReadableStream<Uint8Array> {
  let next = 0;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream({
    async pull(controller) {
      for (;;) {
        if (reader === undefined) {
          if (next === parts.length) return controller.close();
          const part = parts[next++]();
          if (part instanceof Uint8Array) return controller.enqueue(part);
          reader = part.getReader();
        }
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        reader = undefined;
      }
    },
    cancel: (reason) => reader?.cancel(reason),
  }, { highWaterMark: 0 });
}
