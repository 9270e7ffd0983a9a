/**
 * `/streams/KEY/proof`: any blocks of a log with what ties them to a head, for readers that hold
 * nothing else of it.
 *
 *     ?epoch=E&blocks=N&root=HEX   the head: its epoch, number of blocks and root
 *     &at=ADDRESS                  the block that holds this byte
 *     &first=I&end=J               blocks [I, J), at most 16
 *     &older=M                     the proof that N blocks extend the first M
 */

import { fromHex } from "../../core/bytes.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import { HASH_BYTES } from "../../core/log/merkle.ts";
import type { LogTree } from "../../core/log/source.ts";
import type { StoreSource } from "../../core/log/store_source.ts";
import { encodeHashes, encodeProven } from "../../core/sync/proof_body.ts";
import { bytesBody, respond } from "../http/respond.ts";

/** Blocks of one answer: with their proof they fit in 1 MiB. */
const BLOCKS_MAX = 16;

/** Answers with blocks and their proof, or a consistency proof, as `core/sync/proof_body.ts` has them. */
export async function serveProof(
  request: Request,
  key: Key,
  source: StoreSource,
): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const log = logOf(key, query);
  await checkHeld(log, source);
  const bytes = await answer(log, query, source);
  // The root names every byte of the answer: it is the same for ever.
  const tag = `${key}.${query.toString().replaceAll(/[^\w=.-]/g, ".")}`;
  const type = "application/octet-stream";
  return await respond(request, { type, tag, immutable: true, open: () => bytesBody(bytes) });
}

function logOf(key: Key, query: URLSearchParams): LogTree {
  const root = fromHex(query.get("root") ?? "");
  if (root?.length !== HASH_BYTES) {
    throw new StreamoError("malformed", '"root" is not 64 digits of lower-case hexadecimal');
  }
  return { key, epoch: count(query, "epoch"), blocks: count(query, "blocks"), root };
}

/** Blocks past the newest signed head are nobody's business yet. */
async function checkHeld({ key, epoch, blocks }: LogTree, source: StoreSource): Promise<void> {
  const head = await source.head(key);
  if (head === undefined) throw new StreamoError("not_found", `nothing is stored of ${key}`);
  if (epoch < head.epoch) {
    throw new StreamoError("stale", `epoch ${epoch} of ${key} is over; now it is ${head.epoch}`);
  }
  if (epoch > head.epoch || blocks > head.blocks) {
    const message = `${blocks} blocks in epoch ${epoch} of ${key} are not held here`;
    throw new StreamoError("not_found", message);
  }
}

async function answer(
  log: LogTree,
  query: URLSearchParams,
  source: StoreSource,
): Promise<Uint8Array<ArrayBuffer>> {
  if (query.has("at")) {
    const address = count(query, "at");
    const proven = await source.blockAt(log, address);
    if (proven !== undefined) return encodeProven(proven);
    throw new StreamoError("not_found", `no block of ${log.key} holds address ${address}`);
  }
  if (query.has("older")) {
    return encodeHashes(await source.consistency(log, count(query, "older")));
  }
  const first = count(query, "first");
  const end = count(query, "end");
  if (end - first > BLOCKS_MAX) {
    throw new StreamoError("too_large", `${end - first} blocks at once; at most ${BLOCKS_MAX}`);
  }
  if (first >= end || end > log.blocks) {
    throw new StreamoError("not_found", `blocks ${first} to ${end} are not in ${log.blocks}`);
  }
  return encodeProven(await source.blocks(log, first, end));
}

function count(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new StreamoError("malformed", `"${name}" is not a number: "${text.slice(0, 20)}"`);
}
