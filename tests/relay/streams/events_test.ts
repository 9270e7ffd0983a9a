import assert from "node:assert/strict";
import type { Key } from "../../../core/identity/key.ts";
import { signerOf } from "../../suites/people.ts";
import { WatchedStore } from "../../suites/watched_store.ts";
import { keyOf, relayWorld } from "../../suites/relay_world.ts";

/** The frames of an event stream: each is one part of the body, read when it is asked for. */
async function* frames(response: Response): AsyncGenerator<string, undefined> {
  for await (const part of response.body!) {
    const text = new TextDecoder().decode(part);
    assert.ok(text.endsWith("\n\n"));
    yield text.slice(0, -2);
  }
}

function headOf(frame: string): { id: string; blocks: number; key: Key } {
  const [id, event, data] = frame.split("\n");
  assert.equal(event, "event: head");
  return { id: id.slice("id: ".length), ...JSON.parse(data.slice("data: ".length)) };
}

async function health(get: (url: string) => Promise<Response>) {
  return await (await get("/healthz")).json();
}

Deno.test("/events gives the head now and every new one", async () => {
  const { get, registry } = await relayWorld();
  // A repo of the relay's own process: sessions and mirrors write through the registry.
  const author = await registry.open(await signerOf("alice"));
  author.set({ n: 0 });
  await author.flush();
  const key = await keyOf("alice");
  const response = await get(`/streams/${key}/events`);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const stream = frames(response);
  assert.match((await stream.next()).value!, /^retry: \d+$/);
  const first = headOf((await stream.next()).value!);
  assert.equal(first.key, key);
  assert.equal(first.id, String(first.blocks));
  const next = stream.next();
  author.set("n", 1);
  const head = await author.flush();
  assert.equal(headOf((await next).value!).blocks, head!.blocks);
  assert.equal(head!.blocks, first.blocks + 1);
  await stream.return(undefined);
});

Deno.test("/events hears what another process stored, and ends its watch with the last stream", async () => {
  const store = new WatchedStore();
  const { get, write } = await relayWorld({}, store);
  await write("alice", { n: 0 });
  const key = await keyOf("alice");
  const stream = frames(await get(`/streams/${key}/events`));
  await stream.next();
  const { blocks } = headOf((await stream.next()).value!);
  const next = stream.next();
  await write("alice", { n: 1 });
  store.ring(key);
  assert.equal(headOf((await next).value!).blocks, blocks + 1);
  assert.equal((await health(get)).eventStreams, 1);
  await stream.return(undefined);
  assert.equal((await health(get)).eventStreams, 0);
});

Deno.test("/events does not repeat what Last-Event-ID names", async () => {
  const store = new WatchedStore();
  const { get, write } = await relayWorld({}, store);
  const repo = await write("alice", { n: 0 });
  const key = await keyOf("alice");
  const seen = { "last-event-id": String(repo.head!.blocks) };
  const stream = frames(await get(`/streams/${key}/events`, seen));
  await stream.next();
  const next = stream.next();
  await write("alice", { n: 1 });
  store.ring(key);
  assert.equal(headOf((await next).value!).blocks, repo.head!.blocks);
  await stream.return(undefined);
});

Deno.test("/events of a slow client gives the newest head only", async () => {
  const { get, write } = await relayWorld();
  await write("alice", { n: 0 });
  const stream = frames(await get(`/streams/${await keyOf("alice")}/events`));
  await stream.next();
  let blocks = 0;
  for (let n = 1; n <= 20; n++) blocks = (await write("alice", { n })).head!.blocks;
  assert.equal(headOf((await stream.next()).value!).blocks, blocks);
  await stream.return(undefined);
});

Deno.test("/events says now and then that it is there, and ends when the relay closes", async () => {
  const { get, write, relay } = await relayWorld({ keepAliveMs: 1 });
  await write("alice", { n: 0 });
  const stream = frames(await get(`/streams/${await keyOf("alice")}/events`));
  await stream.next();
  await stream.next();
  assert.match((await stream.next()).value!, /^:/);
  relay.close();
  let last = await stream.next();
  while (!last.done) last = await stream.next();
  assert.equal((await health(get)).eventStreams, 0);
});

Deno.test("/events has a limit, and HEAD opens none", async () => {
  const { get, write } = await relayWorld({ limits: { eventStreams: 1 } });
  await write("alice", { n: 0 });
  const url = `/streams/${await keyOf("alice")}/events`;
  const head = await get(url, {}, "HEAD");
  assert.equal(head.headers.get("content-type"), "text/event-stream");
  const first = await get(url);
  const second = await get(url);
  assert.equal(second.status, 403);
  assert.equal((await second.json()).error, "refused");
  await first.body!.cancel();
  await (await get(url)).body!.cancel();
});
