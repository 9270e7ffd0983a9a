/**
 * `large_bytes_child.ts FOLDER BYTES`: puts so many bytes into a repo of files, opens it again and reads
 * them. Prints JSON: the most memory that the process ever had, and what it found.
 */

import { createHash } from "node:crypto";
import { FileStore } from "../../cli/file_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { noise } from "./noise.ts";
import { signerOf } from "./people.ts";

const [folder, length] = [Deno.args[0], Number(Deno.args[1])];
const STEP = 65_536;
/** Not a multiple of the step, so that no two steps are alike. */
const source = noise(7, 2 ** 20 + 12_345);
let peakRss = 0;

/** Bytes that never repeat, as a stream. */
function stream(hash: ReturnType<typeof createHash>): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= length) return controller.close();
      const from = at % (source.length - STEP);
      const piece = source.slice(from, from + Math.min(STEP, length - at));
      // The round makes each pass over the source other bytes.
      const round = Math.floor(at / (source.length - STEP));
      const view = new DataView(piece.buffer);
      for (let i = 0; i + 4 <= piece.length; i += 512) view.setUint32(i, round);
      hash.update(piece);
      at += piece.length;
      peakRss = Math.max(peakRss, Deno.memoryUsage().rss);
      controller.enqueue(piece);
    },
  });
}

const written = createHash("sha256");
const signer = await signerOf("writer");
let store = await FileStore.open(folder);
let repo = await Repo.open(store, signer);
const started = performance.now();
await repo.putBytes(["film"], stream(written));
await repo.flush();
const wrote = performance.now();
const logBytes = repo.head!.bytes;
await store.close();

const opening = performance.now();
store = await FileStore.open(folder);
repo = await Repo.open(store, signer.key);
const size = repo.size("film");
const opened = performance.now();
const read = createHash("sha256");
for await (const bytes of repo.readBytes(["film"])) {
  read.update(bytes);
  peakRss = Math.max(peakRss, Deno.memoryUsage().rss);
}
const isSame = written.digest("hex") === read.digest("hex");
const done = performance.now();
await store.close();
console.log(JSON.stringify({
  peakRss,
  size,
  logBytes,
  isSame,
  writeMs: Math.round(wrote - started),
  openMs: Math.round((opened - opening) * 10) / 10,
  readMs: Math.round(done - opened),
}));
