/** `repos_child.ts COUNT`: opens and reads so many repos; prints the bytes that each takes while open. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "../suites/people.ts";

const { gc } = globalThis as unknown as { gc: () => void };
const count = Number(Deno.args[0]);
const stores: MemoryStore[] = [];
const keys: Repo["key"][] = [];
for (let i = 0; i < count; i++) {
  const store = new MemoryStore();
  const repo = await Repo.open(store, await signerOf(`writer ${i}`));
  repo.set({ name: `repo ${i}`, messages: ["hello"] });
  await repo.flush();
  stores.push(store);
  keys.push(repo.key);
}
const before = used();
const repos: Repo[] = [];
for (let i = 0; i < count; i++) {
  const repo = await Repo.open(stores[i], keys[i]);
  if (repo.get("name") !== `repo ${i}`) throw new Error("not what was written");
  repos.push(repo);
}
console.log(Math.round((used() - before) / repos.length));

function used(): number {
  gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
