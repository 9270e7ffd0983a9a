import assert from "node:assert/strict";
import { connect } from "node:net";
import { type OnSocket, SUBPROTOCOL } from "../../relay/socket.ts";
import { keyOf, noise, type RelayWorld, relayWorld } from "../suites/relay_world.ts";

/** Serves a relay on a free port while `use` runs. */
async function served(
  use: (origin: string, world: RelayWorld) => Promise<void>,
  options: Parameters<typeof relayWorld>[0] = {},
): Promise<void> {
  const world = await relayWorld(options);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    world.relay.fetch,
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}`, world);
  } finally {
    world.relay.close();
    await server.shutdown();
  }
}

/** The raw bytes that the server sends for a request, as text. */
function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.setEncoding("latin1");
    socket.on("data", (part) => text += part);
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
  });
}

Deno.test("a large file comes over a real connection, whole and in parts", async () => {
  await served(async (origin, { write }) => {
    const film = noise(3_000_000);
    await write("home", { "film.mp4": film });
    const whole = await fetch(`${origin}/film.mp4`);
    assert.equal(whole.headers.get("content-length"), String(film.length));
    assert.deepEqual(await whole.bytes(), film);
    const part = await fetch(`${origin}/film.mp4`, { headers: { range: "bytes=1000000-1999999" } });
    assert.equal(part.status, 206);
    assert.deepEqual(await part.bytes(), film.slice(1_000_000, 2_000_000));
    // A client that goes away in the middle leaves nothing behind.
    const left = await fetch(`${origin}/film.mp4`);
    await left.body!.cancel();
  });
});

Deno.test("HEAD states the length on the wire and sends no body", async () => {
  await served(async (origin, { write }) => {
    await write("home", { "a.txt": "12345", "b.html": "<head>" });
    const port = Number(new URL(origin).port);
    const ask = (path: string) =>
      exchange(port, `HEAD ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const reply = await ask("/a.txt");
    assert.match(reply, /^HTTP\/1\.1 200 /);
    assert.match(reply, /\r\ncontent-length: 5\r\n/i);
    assert.ok(reply.endsWith("\r\n\r\n"), "nothing follows the headers");
    const { length } = await (await fetch(`${origin}/b.html`)).text();
    assert.match(await ask("/b.html"), new RegExp(`content-length: ${length}\r\n`, "i"));
  });
});

Deno.test("ETags stay strong on the wire", async () => {
  await served(async (origin, { write }) => {
    const text = "x ".repeat(5_000);
    await write("home", { "a.txt": text });
    for (const encoding of ["gzip", "identity"]) {
      const response = await fetch(`${origin}/a.txt`, { headers: { "accept-encoding": encoding } });
      assert.match(response.headers.get("etag")!, /^"/);
      assert.equal(await response.text(), text);
    }
  });
});

Deno.test("the Host header chooses the repo", async () => {
  await served(async (origin, { write }) => {
    await write("alice", { "a.txt": "alice's" });
    const host = `${await keyOf("alice")}.example.org`;
    const reply = await exchange(
      Number(new URL(origin).port),
      `GET /a.txt HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    assert.ok(reply.endsWith("alice's"), reply);
  });
});

Deno.test("events arrive while they happen", async () => {
  await served(async (origin, { write, registry }) => {
    await write("alice", { n: 0 });
    const key = await keyOf("alice");
    const response = await fetch(`${origin}/streams/${key}/events`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("event: head")) text += (await reader.read()).value;
    const { head } = (await registry.store.head(key))!;
    assert.match(text, new RegExp(`id: ${head!.blocks}\n`));
    await reader.cancel();
  });
});

/** Says back what it hears. */
const echo: OnSocket = (socket, { host, address }) => {
  socket.addEventListener("message", ({ data }) => socket.send(`${host} ${address} ${data}`));
};

function next<K extends keyof WebSocketEventMap>(
  socket: WebSocket,
  name: K,
): Promise<WebSocketEventMap[K]> {
  return new Promise((resolve, reject) => {
    socket.addEventListener(name, resolve, { once: true });
    if (name !== "close") socket.addEventListener("close", reject, { once: true });
  });
}

Deno.test("/sync hands over sockets, counts them and closes them with 1012", async () => {
  await served(async (origin, { relay }) => {
    const { host } = new URL(origin);
    const socket = new WebSocket(`ws://${host}/sync`, SUBPROTOCOL);
    await next(socket, "open");
    assert.equal(socket.protocol, SUBPROTOCOL);
    socket.send("hello");
    assert.equal((await next(socket, "message")).data, `${host} 127.0.0.1 hello`);
    const health = await (await fetch(`${origin}/healthz`)).json();
    assert.equal(health.connections, 1);
    const closed = next(socket, "close");
    relay.close();
    assert.equal((await closed).code, 1012);
  }, { onSocket: echo });
});

Deno.test("/sync refuses what it cannot serve", async () => {
  await served(async (origin) => {
    const plain = await fetch(`${origin}/sync`);
    assert.equal(plain.status, 426);
    assert.equal((await plain.json()).error, "unsupported");
    const { host } = new URL(origin);
    for (const protocols of [[], ["mqtt"]]) {
      const socket = new WebSocket(`ws://${host}/sync`, protocols);
      await assert.rejects(next(socket, "open"));
    }
    const first = new WebSocket(`ws://${host}/sync`, ["other", SUBPROTOCOL]);
    await next(first, "open");
    const second = new WebSocket(`ws://${host}/sync`, SUBPROTOCOL);
    await assert.rejects(next(second, "open"));
    const closed = next(first, "close");
    first.close();
    await closed;
  }, { onSocket: echo, limits: { connections: 1 } });
});

Deno.test("/sync of a relay that does not sync says so", async () => {
  const { get } = await relayWorld();
  const response = await get("/sync");
  assert.equal(response.status, 501);
  assert.equal((await response.json()).error, "unsupported");
});
