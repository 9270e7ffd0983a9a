import assert from "node:assert/strict";
import type { Code } from "../../../core/errors.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Newest } from "../../../core/log/source.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { decodeMessage, encodeMessage, type Message } from "../../../core/sync/messages.ts";
import { encodePart, PART } from "../../../core/sync/parts.ts";
import { decodeNewest, encodeNewest } from "../../../core/sync/proof_body.ts";
import { connect } from "../../../core/sync/session.ts";
import type { SessionEvents } from "../../../core/sync/session_status.ts";
import { type Data, startProxy } from "../../suites/hostile_relay.ts";
import { fileName, fileText, writeFiles } from "../../suites/many_files.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");

async function filled(changes = 0, salt = ""): Promise<MemoryStore> {
  const store = new MemoryStore();
  const repo = await writeFiles(store, alice, 200);
  for (let i = 0; i < changes; i++) {
    repo.set("change", `${salt}${i}`.padEnd(20, "."));
    await repo.flush();
  }
  return store;
}

const store = await filled(3);

/** A reader behind a proxy that is honest at first. */
function tampered(relayStore = store) {
  const relay = startRelay(relayStore);
  const proxy = startProxy(relay.url);
  const session = connect(new Registry({ store: new MemoryStore() }), proxy.url);
  const rejected: SessionEvents["rejected"][] = [];
  session.on("rejected", (event) => void rejected.push(event));
  return {
    relay,
    proxy,
    session,
    rejected,
    open: () => session.subscribe(alice.key, { mode: "sparse" }),
    until: (test: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => test() && (stops.forEach((stop) => stop()), resolve());
        const stops = [session.on("rejected", look), session.on("status", look)];
        look();
      }),
    async stop() {
      session.close();
      await proxy.stop();
      await relay.stop();
    },
  };
}

const onParts = (change: (frame: Uint8Array) => Uint8Array) => (data: Data): Data =>
  typeof data === "string" || data[0] !== PART ? data : change(data);
const onMessages = (change: (message: Message) => Message) => (data: Data): Data =>
  typeof data === "string" ? encodeMessage(change(decodeMessage(data))) : data;
/** Changes the head that comes as an answer; ids are below 128 here. */
const onNewest = (change: (newest: Newest) => Newest) =>
  onParts((frame) => encodePart(frame[1], encodeNewest(change(decodeNewest(frame.slice(2))))));

Deno.test("a block that the head does not cover is refused by name, and the session goes on", async () => {
  const { proxy, session, rejected, open, stop } = tampered();
  const repo = await open();
  const flip = (at: number) => onParts((frame) => frame.with(at, frame[at] ^ 1));
  for (const at of [200, 5000]) {
    proxy.tamper = flip(at);
    await assert.rejects(repo.load("files", fileName(17)), {
      code: "bad_block",
      message: new RegExp(proxy.url),
    });
    assert.deepEqual(rejected.splice(0).map(({ key, code }) => [key, code]), [
      [alice.key, "bad_block"],
    ]);
  }
  proxy.tamper = (data) => data;
  assert.equal(await repo.load("files", fileName(17)), fileText(17));
  assert.equal(session.status.state, "online");
  await stop();
});

Deno.test("an answer that cannot be read is refused by name", async () => {
  const { proxy, rejected, open, stop } = tampered();
  const repo = await open();
  const answers: [string, Code, (frame: Uint8Array) => Uint8Array][] = [
    ["half of it", "malformed", (frame) => frame.slice(0, frame.length / 2)],
    ["too much", "malformed", (frame) => new Uint8Array([...frame, 0])],
    ["many runs", "too_large", (frame) => encodePart(frame[1], new Uint8Array([255, 255, 127]))],
  ];
  for (const [name, code, change] of answers) {
    proxy.tamper = onParts(change);
    await assert.rejects(repo.load("files", fileName(17)), { code }, name);
    assert.equal(rejected.splice(0).length, 1, name);
  }
  await stop();
});

Deno.test("a frame past the maximum ends the connection; what was asked for is asked again", async () => {
  const { proxy, rejected, open, stop } = tampered();
  const repo = await open();
  proxy.tamper = onParts((frame) => {
    proxy.tamper = (data) => data;
    return new Uint8Array([...frame, ...new Uint8Array(2 ** 20)]);
  });
  assert.equal(await repo.load("files", fileName(17)), fileText(17));
  assert.deepEqual(rejected.map(({ code, isBreach }) => [code, isBreach]), [["too_large", true]]);
  await stop();
});

Deno.test("another key's head, an unsigned one, an old one and a fork are named, and change nothing", async () => {
  const older = (await (await filled(1)).head(alice.key))!.head!;
  const bobs = (await Repo.open(new MemoryStore(), bob).then(async (repo) => {
    repo.set(1);
    return await repo.flush();
  }))!;
  const heads: [string, Code, (newest: Newest) => Newest][] = [
    ["another key's", "wrong_key", (newest) => ({ ...newest, head: bobs })],
    ["unsigned", "bad_signature", (newest) => ({
      ...newest,
      head: { ...newest.head, signature: newest.head.signature.map((byte) => byte ^ 1) },
    })],
    ["old", "stale", (newest) => ({ ...newest, head: older })],
    ["not shown to extend", "conflict", (newest) => ({ ...newest, extension: [] })],
  ];
  for (const [name, code, change] of heads) {
    const growing = await filled(3);
    const { proxy, session, rejected, relay, open, until, stop } = tampered(growing);
    const repo = await open();
    await session.synced(repo);
    const { blocks } = repo.head!;
    proxy.tamper = onNewest(change);
    const author = await Repo.open(growing, alice);
    author.set("change", "newer");
    await author.flush();
    await (await relay.registry.open(alice.key)).refresh();
    await until(() => rejected.length > 0);
    assert.deepEqual([rejected[0].key, rejected[0].code], [alice.key, code], name);
    assert.equal(repo.head!.blocks, blocks, name);
    await assert.rejects(session.synced(repo), { code }, name);
    assert.equal(session.status.repos[0].phase, "refused", name);
    await stop();
  }
});

Deno.test("a relay that has another log by now is named as a fork, and what was read stays", async () => {
  const first = startRelay(store);
  const session = connect(new Registry({ store: new MemoryStore() }), first.url);
  const rejected: SessionEvents["rejected"][] = [];
  const repo = await session.subscribe(alice.key, { mode: "sparse" });
  await repo.load("files", fileName(17));
  const named = new Promise<void>((resolve) => {
    session.on("rejected", (event) => {
      rejected.push(event);
      resolve();
    });
  });
  await first.stop();
  const second = startRelay(await filled(9, "another past "), { port: first.port });
  await named;
  assert.deepEqual([rejected[0].key, rejected[0].code], [alice.key, "conflict"]);
  assert.equal(repo.get("files", fileName(17)), fileText(17));
  assert.equal(repo.get("change"), "2".padEnd(20, "."));
  session.close();
  await second.stop();
});

Deno.test("a head told as news must be signed", async () => {
  const { proxy, rejected, open, until, stop } = tampered();
  proxy.tamper = onMessages((message) => {
    if (message.type !== "newest" || message.head === undefined) return message;
    return { ...message, head: { ...message.head, blocks: message.head.blocks - 1 } };
  });
  await open();
  await until(() => rejected.length > 0);
  assert.deepEqual([rejected[0].key, rejected[0].code], [alice.key, "bad_signature"]);
  await stop();
});

Deno.test("a peer that does not serve a log says so", async () => {
  const { proxy, rejected, open, stop } = tampered();
  proxy.tamper = onMessages((message) => {
    if (message.type !== "newest") return message;
    const refusal = { code: "refused" as const, message: "not for you" };
    return { type: "failed", key: message.key, id: undefined, ...refusal };
  });
  const onParts = proxy.tamper;
  proxy.tamper = (data) =>
    typeof data === "string" || data[0] !== PART ? onParts(data) : encodeMessage({
      type: "failed",
      key: alice.key,
      id: data[1],
      code: "refused",
      message: "",
    });
  await assert.rejects(open(), { code: "refused" });
  assert.deepEqual([rejected[0].key, rejected[0].code], [alice.key, "refused"]);
  await stop();
});
