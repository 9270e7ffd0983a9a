/** Values: whole ones in and out, and one of many. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, type Limit, seconds } from "./bench.ts";

/** Encoding and decoding next to JSON, and get by path. */
export async function codec(bench: Bench): Promise<void> {
  const objects = Array.from({ length: bench.size(10_000, 50) }, (_, i) => smallObject(i));
  const json = JSON.stringify(objects);
  const megabytes = json.length / 1e6;
  const limit = async (name: string, work: () => unknown): Promise<Limit> => {
    return { name, value: await bench.rate(megabytes, 7, work), unit: "MB/s" };
  };
  const encode = await bench.median(7, async () => {
    const repo = await writer();
    return megabytes / await seconds(async () => {
      repo.set(objects);
      await repo.flush();
    });
  });
  bench.row({
    name: "encode 10,000 small objects, sealed",
    value: encode,
    unit: "MB/s",
    limit: await limit("JSON.stringify", () => JSON.stringify(objects)),
    reach: { value: 25 },
  });
  const store = new MemoryStore();
  const repo = await Repo.open(store, await signerOf("writer"));
  repo.set(objects);
  await repo.flush();
  const decode = await bench.median(7, async () => {
    const reader = await Repo.open(store, repo.key);
    return megabytes / await seconds(() => reader.get());
  });
  bench.row({
    name: "decode 10,000 small objects",
    value: decode,
    unit: "MB/s",
    limit: await limit("JSON.parse", () => JSON.parse(json)),
    reach: { value: 50 },
  });
  await getByPath(bench);
}

async function getByPath(bench: Bench): Promise<void> {
  const size = bench.size(10_000, 100);
  const repo = await writer();
  const paths = Array.from({ length: size }, (_, i) => `key${i * 7919 % size}`);
  repo.set(Object.fromEntries(paths.map((key, i) => [key, smallObject(i)])));
  await repo.flush();
  const plain = new Map(paths.map((key, i) => [key, new Map(Object.entries(smallObject(i)))]));
  let found = 0;
  const value = await bench.rate(size, 9, () => {
    for (const key of paths) if (repo.get(key, "name") !== undefined) found++;
  });
  const maps = await bench.rate(size, 9, () => {
    for (const key of paths) if (plain.get(key)!.get("name") !== undefined) found++;
  });
  if (found % size !== 0) throw new Error("a key was not found");
  const limit = { name: "Map of Maps", value: maps, unit: "/s" };
  const name = "get by path in 10,000 keys, warm";
  bench.row({ name, value, unit: "/s", limit, reach: { value: 1e6 } });
}

async function writer(): Promise<Repo> {
  return await Repo.open(new MemoryStore(), await signerOf("writer"));
}

/** About 100 bytes of JSON. */
function smallObject(i: number): Record<string, string | number | boolean> {
  return {
    id: i,
    name: `person ${i}`,
    email: `p${i}@example.org`,
    age: i % 90,
    city: "Graz",
    isMember: i % 3 === 0,
  };
}
