/** The file store: bytes in, what is kept of them, and opening what is large. */

import { join } from "node:path";
import { FileStore } from "../../cli/file_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, randomBytes, seconds, streamOf } from "./bench.ts";
import type { Primitives } from "./primitives.ts";

/** Bytes of one file; four of them make the large repo. */
const FILE_BYTES = 256e6;

/** Large bytes into files, and a repo of 1 GB opened. */
export async function stores(bench: Bench, primitives: Primitives): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const bytes = randomBytes(bench.size(FILE_BYTES, 1e5), 1);
    let kept = 0;
    let run = 0;
    const rate = await bench.median(3, async () => {
      const place = join(directory, `in${run++}`);
      const time = await seconds(() => putAll(place, bytes));
      kept = await sizeOf(place) / bytes.length;
      await Deno.remove(place, { recursive: true });
      return bytes.length / 1e6 / time;
    });
    const name = "bytes in: 256 MB to the file store";
    const limit = await primitives.fileWrites(true);
    bench.row({ name, value: rate, unit: "MB/s", limit, reach: { value: 200 } });
    bench.row({ name, value: rate, unit: "MB/s", limit: await primitives.fileWrites(false) });
    bench.row({ name, value: rate, unit: "MB/s", limit: await primitives.sha256() });
    bench.row({
      name: "  size kept",
      value: kept,
      unit: "x",
      reach: { value: 1.01, atMost: true },
    });
    if (!bench.quick) await openLarge(bench, join(directory, "large"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function putAll(place: string, ...files: Uint8Array[]): Promise<void> {
  const store = await FileStore.open(place);
  const repo = await Repo.open(store, await signerOf("writer"));
  for (const [i, bytes] of files.entries()) await repo.putBytes([`file${i}`], streamOf(bytes));
  await repo.flush();
  await store.close();
}

async function openLarge(bench: Bench, place: string): Promise<void> {
  const files = [1, 2, 3, 4].map((seed) => randomBytes(FILE_BYTES, seed * 0x9e3779b9));
  await putAll(place, ...files);
  const signer = await signerOf("writer");
  const opening = await bench.median(5, async () => {
    let store: FileStore | undefined;
    const time = await seconds(async () => {
      store = await FileStore.open(place);
      const repo = await Repo.open(store, signer);
      if (repo.size("file3") !== FILE_BYTES) throw new Error("the repo is not whole");
    });
    await store?.close();
    return time * 1000;
  });
  const reach = { value: 50, atMost: true };
  bench.row({ name: "open a repo of 1 GB, one entry's size", value: opening, unit: "ms", reach });
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    bytes += isDirectory ? await sizeOf(path) : (await Deno.stat(path)).size;
  }
  return bytes;
}
