/** From a representation to a response: conditions, ranges, HEAD and gzip in one place. */

import { acceptsGzip } from "./accept.ts";
import { namesTag, rangeCounts } from "./conditions.ts";
import { contentType, isText } from "./mime.ts";
import { parseRange } from "./range.ts";

/** Text below this many bytes is not worth compressing. */
const GZIP_MIN_BYTES = 512;

/** The bytes of a representation. */
export interface Body {
  readonly size: number;
  /** The bytes [start, end). */
  read(start: number, end: number): ReadableStream<Uint8Array> | Uint8Array;
}

/** What a URL stands for at this moment. */
export interface Representation {
  /** Media type without parameters. */
  readonly type: string;
  /** Opaque tag, without quotes: equal tags mean equal bytes. */
  readonly tag: string;
  /** Whether this URL will give these bytes for ever. */
  readonly immutable?: boolean;
  /** 200 by default; conditions and ranges count for 200 only. */
  readonly status?: number;
  /** About how many bytes, to tell whether compressing pays; many by default. */
  readonly approximateSize?: number;
  /** Opens the content; not called when the client has it already. */
  open(): Body | Promise<Body>;
}

/** A {@link Body} of bytes in memory. */
export function bytesBody(bytes: Uint8Array): Body {
  return { size: bytes.length, read: (start, end) => bytes.subarray(start, end) };
}

/** Answers a GET or HEAD with `representation`. */
export async function respond(request: Request, representation: Representation): Promise<Response> {
  const { type, status = 200, approximateSize = Infinity } = representation;
  const range = status === 200 ? request.headers.get("range") : null;
  const gzip = range === null && isText(type) && approximateSize >= GZIP_MIN_BYTES &&
    acceptsGzip(request.headers.get("accept-encoding"));
  const tag = gzip ? `${representation.tag}-gzip` : representation.tag;
  const headers = headersOf(representation, tag);
  if (status === 200 && namesTag(request.headers.get("if-none-match"), tag)) {
    headers.delete("content-type");
    return new Response(null, { status: 304, headers });
  }
  const body = await representation.open();
  if (!gzip) return plain(request, body, { headers, status, range, tag });
  headers.set("content-encoding", "gzip");
  if (request.method === "HEAD") return new Response(null, { status, headers });
  const content = new Response(body.read(0, body.size) as BodyInit).body!;
  const stream = content.pipeThrough(new CompressionStream("gzip") as Compressor);
  return new Response(stream, { status, headers });
}

/** The platform's types say BufferSource where bytes are meant. */
type Compressor = ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>;

interface Plain {
  readonly headers: Headers;
  readonly status: number;
  /** The Range header. */
  readonly range: string | null;
  readonly tag: string;
}

function plain(request: Request, body: Body, { headers, status, range, tag }: Plain): Response {
  const { size } = body;
  if (status === 200) headers.set("accept-ranges", "bytes");
  const counts = rangeCounts(request.headers.get("if-range"), tag);
  const part = counts ? parseRange(range, size) : undefined;
  if (part === "unsatisfiable") {
    headers.set("content-range", `bytes */${size}`);
    headers.delete("content-type");
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = part ?? { start: 0, end: size };
  headers.set("content-length", String(end - start));
  if (part !== undefined) headers.set("content-range", `bytes ${start}-${end - 1}/${size}`);
  const content = request.method === "HEAD" ? null : body.read(start, end) as BodyInit;
  return new Response(content, { status: part === undefined ? status : 206, headers });
}

function headersOf({ type, immutable = false }: Representation, tag: string): Headers {
  const headers = new Headers({
    "content-type": contentType(type),
    "etag": `"${tag}"`,
    // Mutable URLs are kept but asked for again: a 304 is cheap.
    "cache-control": immutable ? "public, max-age=31536000, immutable" : "no-cache",
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag, content-range, accept-ranges",
  });
  if (isText(type)) headers.set("vary", "Accept-Encoding");
  return headers;
}
