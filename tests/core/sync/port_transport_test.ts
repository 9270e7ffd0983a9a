import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { Conversation } from "../../../core/sync/conversation.ts";
import { portTransport } from "../../../core/sync/port_transport.ts";
import { Session } from "../../../core/sync/session.ts";
import { transportPair } from "../../../core/sync/transport.ts";
import { until } from "../../suites/cli.ts";
import { signerOf } from "../../suites/people.ts";

const alice = await signerOf("alice");

/** Both ends of a channel as transports, with what they hear and why they ended. */
function pair(gone?: Promise<unknown>) {
  const { port1, port2 } = new MessageChannel();
  const ends = [portTransport(port1, { gone }), portTransport(port2)];
  const heard: (string | Uint8Array)[][] = [[], []];
  const closed = ends.map((end, i) => {
    end.onMessage = (data) => heard[i].push(data);
    return new Promise<string>((resolve) => end.onClose = resolve);
  });
  return { ports: [port1, port2], ends, heard, closed };
}

Deno.test("a port passes on text and bytes, whole and in order; nobody's bytes are taken away", async () => {
  const { ends: [a, b], heard, closed } = pair();
  const large = new Uint8Array(1_000_000).fill(7);
  const view = large.subarray(10, 13);
  a.send("one");
  a.send(view);
  a.send(large);
  a.close(1000, "that was all");
  assert.equal(await closed[1], "that was all");
  assert.equal(await closed[0], "that was all");
  assert.deepEqual(heard[1], ["one", new Uint8Array([7, 7, 7]), large]);
  const got = heard[1][1] as Uint8Array;
  assert.equal(got.buffer.byteLength, 3, "a view arrives without the buffer behind it");
  assert.equal(view.length, 3, "what was sent to one peer can be sent to another");
  b.send("too late");
});

Deno.test("a port whose other side is gone, or says something else, has ended", async () => {
  const crashed = Promise.withResolvers<void>();
  const { ends: [a], closed, ports } = pair(crashed.promise);
  crashed.resolve();
  assert.equal(await closed[0], "the other side is gone");
  a.send("to nobody");
  ports[1].close();
  const other = pair();
  other.ports[0].postMessage({ hello: 1 });
  assert.match(await other.closed[1], /neither text nor bytes/);
  other.ports[0].close();
});

Deno.test("a worker's repos are equal with the page's, over a session that comes back", async () => {
  const here = new Registry({ store: new MemoryStore() });
  const there = new Registry({ store: new MemoryStore() });
  const peers: Conversation[] = [];
  const openTransport = () => {
    const { port1, port2 } = new MessageChannel();
    peers.push(
      new Conversation({
        registry: there,
        transport: portTransport(port2),
        software: "test",
        admit: () => undefined,
      }),
    );
    return portTransport(port1);
  };
  const session = new Session(here, "a worker", { signers: [alice], openTransport });
  const repo = await session.subscribe(alice.key);
  repo.set("n", 1);
  await session.landed(repo);
  const theirs = await there.open(alice.key);
  assert.equal(theirs.get("n"), 1);
  const again = new Promise<void>((resolve) => {
    session.on("status", ({ state }) => state === "away" && resolve());
  });
  peers[0].end(1000, "stopped");
  await again;
  repo.set("n", 2);
  await session.landed(repo);
  assert.deepEqual([theirs.get("n"), peers.length], [2, 2]);
  session.close();
});

Deno.test("what a worker wrote and what the page wrote are merged", async () => {
  const url = new URL("../../suites/worker_peer.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const openTransport = () => {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage("serve", [port2]);
    return portTransport(port1);
  };
  const registry = new Registry({ store: new MemoryStore() });
  const session = new Session(registry, "a worker", { signers: [alice], openTransport });
  const repo = await session.subscribe(alice.key);
  repo.set("page", 1);
  await until("both are here", () => repo.get("page") === 1 && repo.size("worker", "film") > 0);
  await session.landed(repo);
  session.close();
  worker.terminate();
});

Deno.test("both sides may ask for one log over one connection, and write to it at once", async () => {
  const here = new Registry({ store: new MemoryStore() });
  const there = new Registry({ store: new MemoryStore() });
  const theirs = await there.open(alice);
  theirs.set("there", 0);
  const openTransport = () => {
    const [left, right] = transportPair();
    const greeted = Promise.withResolvers<void>();
    const peer = new Conversation({
      registry: there,
      transport: right,
      software: "test",
      admit: () => undefined,
      onHello: () => greeted.resolve(),
    });
    greeted.promise.then(() => peer.open(theirs));
    return left;
  };
  const session = new Session(here, "a peer", { signers: [alice], openTransport });
  const repo = await session.subscribe(alice.key);
  repo.set("here", 0);
  for (let i = 1; i <= 10; i++) {
    repo.set("here", i);
    theirs.set("there", i);
    await Promise.all([repo.flush(), theirs.flush()]);
  }
  await until(
    "both have both",
    () => [repo, theirs].every((one) => one.get("here") === 10 && one.get("there") === 10),
  );
  await until("one head", () => repo.head?.root.join() === theirs.head?.root.join());
  await session.landed(repo);
  session.close();
});
