/** A log as plain files behind `fetch`, as any web server would give them. */

import { concat, writeU64 } from "../../core/bytes.ts";
import type { Key } from "../../core/identity/key.ts";
import { encodeHead } from "../../core/log/head.ts";
import { leafHash } from "../../core/log/merkle.ts";
import type { Store } from "../../core/log/store.ts";
import type { Fetch } from "../../core/platform.ts";
import { testCrypto } from "./test_log.ts";

/** The files `head`, `log` and `leaves` of what `store` holds of `key`. */
export async function logFiles(store: Store, key: Key): Promise<Map<string, Uint8Array>> {
  const head = (await store.head(key))!.head!;
  const blocks = await Array.fromAsync(store.blocks(key, head.epoch, 0, head.blocks));
  const leaves = blocks.map(({ start, bytes }) => {
    const end = new Uint8Array(8);
    writeU64(end, 0, start + bytes.length);
    return concat([end, leafHash(testCrypto, start, bytes)]);
  });
  return new Map([
    ["head", encodeHead(head)],
    ["log", concat(blocks.map(({ bytes }) => bytes))],
    ["leaves", concat(leaves)],
  ]);
}

/** Serves `files` by name, with byte ranges. */
export function fileServer(files: Map<string, Uint8Array>): Fetch {
  // deno-lint-ignore require-await
  return async (url, init) => {
    const file = files.get(new URL(url).pathname.split("/").pop()!);
    if (file === undefined) return new Response("<h1>not here</h1>", { status: 404 });
    const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get("range") ?? "");
    if (range === null) return new Response(file.slice());
    if (Number(range[1]) >= file.length) return new Response(null, { status: 416 });
    return new Response(file.slice(Number(range[1]), Number(range[2]) + 1), { status: 206 });
  };
}
