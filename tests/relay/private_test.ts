import assert from "node:assert/strict";
import { toHex } from "../../core/hex.ts";
import { Link } from "../../core/codec/value.ts";
import { keyToBytes } from "../../core/identity/key.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { encodeMessage } from "../../core/sync/messages.ts";
import { createRelay } from "../../relay/app.ts";
import { SUBPROTOCOL } from "../../relay/socket.ts";
import { serveSync } from "../../relay/sync.ts";
import { startClient } from "../suites/clients.ts";
import { hello } from "../suites/hello.ts";
import { signerOf } from "../suites/people.ts";

const home = await signerOf("home");
const alice = await signerOf("alice");
const secret = await signerOf("secret");
const nobody = await signerOf("nobody");

/** A relay as it is run, and its address. */
async function withRelay(use: (origin: string, store: MemoryStore) => Promise<void>) {
  const store = new MemoryStore();
  const registry = new Registry({ store });
  const onSocket = serveSync({ registry, home: home.key });
  const relay = createRelay({ registry, home: home.key, onSocket });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    relay.fetch,
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, store);
  } finally {
    relay.close();
    await server.shutdown();
  }
}

/** Whether a key can be found in what was heard, in any form that the protocol has. */
function tells(heard: readonly (string | Uint8Array)[], key: typeof secret.key): boolean {
  const bytes = toHex(keyToBytes(key));
  return heard.some((data) =>
    typeof data === "string"
      ? data.toLowerCase().includes(key) || data.toLowerCase().includes(bytes)
      : toHex(data).includes(bytes) || new TextDecoder("latin1").decode(data).includes(key)
  );
}

Deno.test("a private repo is told of to nobody who did not name its key, over WebSockets and HTTP", () =>
  withRelay(async (origin, store) => {
    // Alice shows that she holds both keys, speaks as one of them, and writes to the other.
    using device = startClient(origin, { signers: [home, alice, secret] });
    const [front, own, diary] = await Promise.all(
      [home, alice, secret].map(({ key }) => device.session.subscribe(key)),
    );
    front.set({ members: [new Link(alice.key)], "index.html": "<p>hello" });
    own.set({ name: "Alice" });
    diary.set({ "index.html": "<p>private" });
    for (const repo of [front, own, diary]) await device.session.landed(repo);
    device.session.interest("lobby");
    device.session.announce(alice.key, "lobby", { by: alice.key });

    const heard: (string | Uint8Array)[] = [];
    const stranger = new WebSocket(`${origin.replace("http", "ws")}/sync`, SUBPROTOCOL);
    stranger.binaryType = "arraybuffer";
    const pongs = new Set<() => void>();
    stranger.addEventListener("message", ({ data }) => {
      heard.push(typeof data === "string" ? data : new Uint8Array(data));
      if (data === '{"type":"pong"}') pongs.forEach((pong) => pong());
    });
    await new Promise((resolve) => stranger.addEventListener("open", resolve));
    const say = (message: Parameters<typeof encodeMessage>[0]) =>
      stranger.send(encodeMessage(message));
    const answered = () =>
      new Promise<void>((resolve) => {
        pongs.add(resolve);
        say({ type: "ping" });
      });
    say(hello("stranger"));
    say({ type: "interest", topic: "lobby" });
    for (const [channel, { key }] of [home, alice, nobody].entries()) {
      say({ type: "open", key, channel, have: undefined, via: undefined });
    }
    await answered();
    // Live, too: what others write, cast and announce while a stranger listens.
    diary.set("today", "nothing");
    own.set("mood", "good");
    device.session.cast("lobby", "hello", { by: alice.key });
    for (const repo of [own, diary]) await device.session.landed(repo);
    await answered();
    for (const path of PATHS) {
      const response = await fetch(origin + path);
      heard.push(JSON.stringify([...response.headers]), await response.bytes());
    }
    assert.ok(heard.length > 10 + PATHS.length);
    assert.ok(tells(heard, alice.key), "the test can see keys");
    assert.ok(!tells(heard, secret.key), "told of a private repo");

    // Whoever names it has it: the key is what is secret.
    const named = await fetch(`${origin}/streams/${secret.key}/`);
    assert.match(await named.text(), /<p>private$/);
    const closed = new Promise((resolve) => stranger.addEventListener("close", resolve));
    stranger.close();
    await closed;
    const keys = await Array.fromAsync(store.keys());
    assert.deepStrictEqual(keys.sort(), [home.key, alice.key, secret.key].sort());
  }));

const PATHS = [
  ...["/", "/streams", "/streams/", "/streams/*", "/streams?path=", "/streams/index.html"],
  ...["/healthz", "/.well-known/streamo", "/sync", "/metrics", "/streamo/mod.ts", "/apps/"],
  ...["", "/", "/head", "/log", "/members"].map((rest) => `/streams/${home.key}${rest}`),
  ...["", "/", "/head", "/log", "/events"].map((rest) => `/streams/${nobody.key}${rest}`),
];

Deno.test("a key that nobody stored has one answer everywhere, and leaves nothing behind", () =>
  withRelay(async (origin, store) => {
    for (const rest of ["", "/", "/head", "/log", "/events", "/index.html", "?path=a", "?at=3"]) {
      const response = await fetch(`${origin}/streams/${nobody.key}${rest}`, {
        headers: { accept: "application/json" },
      });
      assert.equal(response.status, 404, rest);
      const { error } = await response.json();
      assert.equal(error, "not_found", rest);
    }
    using reader = startClient(origin);
    await assert.rejects(reader.session.fetch(nobody.key), { code: "not_found" });
    assert.deepStrictEqual(await Array.fromAsync(store.keys()), []);
    assert.equal((await (await fetch(`${origin}/healthz`)).json()).store.keys, 0);
  }));
