/** What an edit of a large file adds to a log. */

import assert from "node:assert/strict";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { noise } from "./noise.ts";
import { signerOf } from "./people.ts";

/** Inserts, changes and removes a few bytes in the middle of `length`; each adds at most `maxBytes`. */
export async function editInTheMiddle(length: number, maxBytes: number): Promise<void> {
  const repo = await Repo.open(new MemoryStore(), await signerOf("writer"));
  const bytes = noise(1, length);
  await put(repo, bytes);
  const middle = length >>> 1;
  const edits: [name: string, remove: number, insert: Uint8Array][] = [
    ["insert", 0, noise(2, 1000)],
    ["change", 500, noise(3, 500)],
    ["remove", 777, new Uint8Array()],
  ];
  for (const [name, remove, insert] of edits) {
    const before = repo.head!.bytes;
    const parts = [bytes.subarray(0, middle), insert, bytes.subarray(middle + remove)];
    await put(repo, ...parts);
    const added = repo.head!.bytes - before;
    assert(added > 0 && added < maxBytes, `${name}: ${added} bytes`);
    assert.equal(repo.size("file"), length - remove + insert.length);
    const around = { start: middle - 10, end: middle + insert.length + 10 };
    const found = await new Response(repo.readBytes(["file"], around)).bytes();
    const expected = [...bytes.subarray(middle - 10, middle), ...insert];
    const after = middle + remove;
    assert.deepEqual([...found], [...expected, ...bytes.subarray(after, after + 10)]);
  }
}

async function put(repo: Repo, ...parts: Uint8Array[]): Promise<void> {
  await repo.putBytes(["file"], ReadableStream.from(pieces(parts)));
  await repo.flush();
}

function* pieces(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 65_536) yield part.subarray(at, at + 65_536);
  }
}
