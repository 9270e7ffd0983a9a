/** What it costs to follow many repos: coming back, and being there while nothing happens. */

import { MemoryStore } from "../../core/log/memory_store.ts";
import type { Store } from "../../core/log/store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { Repo } from "../../core/repo/repo.ts";
import type { Signer } from "../../core/identity/signer.ts";
import { connect, type Session } from "../../core/sync/session.ts";
import { signerOf } from "../suites/people.ts";
import { Traffic } from "../suites/traffic.ts";
import { type Bench, seconds } from "./bench.ts";
import { type Child, startChild } from "./child.ts";

/** Repos that change while the client is away. */
const CHANGED = 5;

/** Idle connections, then a client of many repos. */
export async function idle(bench: Bench): Promise<void> {
  await connections(bench);
  await followed(bench);
  const directory = await Deno.makeTempDir();
  try {
    await manyRepos(bench, `${directory}/kv`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function connections(bench: Bench): Promise<void> {
  const count = bench.size(1000, 20);
  const raw = await connectionBytes("raw", count);
  const ours = await connectionBytes(":memory:", count);
  bench.row({
    name: `memory of an idle connection, of ${count}`,
    value: ours / 1024,
    unit: "KiB",
    limit: { name: "raw WebSocket", value: raw / 1024, unit: "KiB" },
    reach: { value: 25, atMost: true },
  });
}

/** What the relay's process uses for each of `count` connections. */
async function connectionBytes(database: string, count: number): Promise<number> {
  const relay = startChild("idle_relay_child.ts", database);
  const address = await relay.line();
  const raw = database === "raw" ? ["raw"] : [];
  // What is loaded and compiled at the first connections is not part of it.
  const first = startChild("idle_clients_child.ts", address, 50, ...raw);
  await first.line();
  const before = await memoryOf(address);
  const clients = startChild("idle_clients_child.ts", address, count, ...raw);
  await clients.line();
  const after = await memoryOf(address);
  for (const child of [first, clients, relay]) await child.stop();
  return Math.max(1, after.total - before.total) / count;
}

/** Bytes of a process in all, and of its objects. */
async function memoryOf(address: string): Promise<{ total: number; objects: number }> {
  const response = await fetch(`http://${address}/memory`);
  return await response.json();
}

async function manyRepos(bench: Bench, database: string): Promise<void> {
  const count = bench.size(10_000, 100);
  const signers = await Promise.all(Array.from({ length: count }, (_, i) => signerOf(`repo ${i}`)));
  const store = new MemoryStore();
  for (const signer of signers) await write(store, signer, "first");
  let relay: Child = startChild("idle_relay_child.ts", database);
  let address = await relay.line();
  const reconnect = async (name: string) => {
    const traffic = new Traffic();
    let session: Session | undefined;
    const time = await seconds(async () =>
      session = await follow(address, store, signers, traffic)
    );
    const of = `${count.toLocaleString("en")} repos`;
    bench.row({ name: name.replace("$", of), value: traffic.bytes / 1000, unit: "KB" });
    bench.row({ name: "  time", value: time * 1000, unit: "ms" });
    return session!;
  };
  (await reconnect("first connection with $")).close();
  (await reconnect("back with $, none changed")).close();
  await changeThere(address, signers.slice(0, CHANGED));
  (await reconnect(`back with $, ${CHANGED} changed there`)).close();
  for (const signer of signers.slice(-CHANGED)) await write(store, signer, "second");
  (await reconnect(`back with $, ${CHANGED} changed here`)).close();
  await relay.stop();
  relay = startChild("idle_relay_child.ts", database);
  address = await relay.line();
  (await reconnect("back with $ at a relay that was restarted")).close();
  await relay.stop();
}

/** What a followed log takes where nothing happens to it. */
async function followed(bench: Bench): Promise<void> {
  const count = bench.size(10_000, 100);
  const relay = startChild("idle_relay_child.ts", ":memory:");
  const address = await relay.line();
  const follow = async (connections: number): Promise<Child> => {
    const clients = startChild("idle_clients_child.ts", address, connections, count);
    await clients.line();
    return clients;
  };
  const first = await follow(1);
  const before = await memoryOf(address);
  await first.stop();
  // The first one again, whose list is known, and four with others.
  const clients = await follow(5);
  const after = await memoryOf(address);
  for (const child of [clients, relay]) await child.stop();
  bench.row({
    name: `memory of a followed, idle repo`,
    value: Math.max(1, after.objects - before.objects) / (4 * count),
    unit: "B",
    reach: { value: 200, atMost: true },
  });
}

async function write(store: Store, signer: Signer, text: string): Promise<void> {
  const repo = await Repo.open(store, signer);
  repo.set({ text });
  await repo.flush();
}

/** The authors of some repos write from another device. */
async function changeThere(address: string, signers: readonly Signer[]): Promise<void> {
  const session = connect(new Registry({ store: new MemoryStore() }), address, { signers });
  for (const { key } of signers) {
    const repo = await session.subscribe(key);
    await session.synced(repo);
    repo.set("text", "second");
    await session.landed(repo);
  }
  session.close();
}

/** Connects a client, until both sides have everything. */
async function follow(
  address: string,
  store: Store,
  signers: readonly Signer[],
  { openTransport }: Traffic,
): Promise<Session> {
  const registry = new Registry({ store });
  const session = connect(registry, `ws://${address}/sync`, { openTransport });
  const repos = await Promise.all(signers.map(({ key }) => session.subscribe(key)));
  await Promise.all(repos.map((repo) => session.synced(repo)));
  await Promise.all(repos.map((repo) => session.landed(repo)));
  return session;
}
