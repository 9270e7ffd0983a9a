/**
 * `/streams/KEY/proof`: any blocks of a log with what ties them to a head, for readers that hold
 * nothing else of it.
 *
 *                                  the newest head, with blocks at its end
 *     ?epoch=E&blocks=N&root=HEX   the same, for who holds this head
 *     &at=ADDRESS                  the block that holds this byte, in the log of this head
 *     &reading=JSON                and others that it takes to read this
 *     &first=I&end=J               blocks from I on, up to J
 */

import { fromHex } from "../../core/hex.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import { HASH_BYTES } from "../../core/log/merkle.ts";
import type { Position } from "../../core/log/run.ts";
import type { StoreSource } from "../../core/log/store_source.ts";
import { answer, type Ask, parseReading } from "../../core/sync/ask.ts";
import { bytesBody, respond } from "../http/respond.ts";

/** Answers as `core/sync/proof_body.ts` has it. */
export async function serveProof(
  request: Request,
  key: Key,
  source: StoreSource,
): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const ask = askOf(query);
  const bytes = await answer(source, key, ask);
  // The root names every byte of an answer about it: it is the same for ever.
  const immutable = ask.at !== undefined || ask.first !== undefined;
  const tag = await tagOf(immutable ? new TextEncoder().encode(`${key}?${query}`) : bytes);
  const type = "application/octet-stream";
  return await respond(request, { type, tag, immutable, open: () => bytesBody(bytes) });
}

function askOf(query: URLSearchParams): Ask {
  const log = query.has("root") ? logOf(query) : undefined;
  const reading = query.get("reading");
  if (query.has("at")) {
    const what = reading === null ? undefined : parseReading(reading);
    return { log, at: count(query, "at"), reading: what };
  }
  if (query.has("first")) return { log, first: count(query, "first"), end: count(query, "end") };
  return { log };
}

function logOf(query: URLSearchParams): Position {
  const root = fromHex(query.get("root") ?? "");
  if (root?.length !== HASH_BYTES) {
    throw new StreamoError("malformed", '"root" is not 64 digits of lower-case hexadecimal');
  }
  return { epoch: count(query, "epoch"), blocks: count(query, "blocks"), root };
}

async function tagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash, 0, 16).toHex();
}

function count(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new StreamoError("malformed", `"${name}" is not a number: "${text.slice(0, 20)}"`);
}
