import assert from "node:assert/strict";
import { Link } from "../../../core/codec/value.ts";
import type { Key } from "../../../core/identity/key.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { SessionOptions } from "../../../core/sync/session_options.ts";
import { SUBPROTOCOL, webSocketTransport } from "../../../core/sync/websocket_transport.ts";
import { type Client, startClient } from "../../suites/clients.ts";
import { rawClient } from "../../suites/hostile_client.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay, type TestRelayOptions } from "../../suites/relay.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");
const carol = await signerOf("carol");
const LOBBY = "chat/lobby";

async function withRelay(
  use: (relay: TestRelay, client: (options?: SessionOptions) => Client) => Promise<void>,
  options?: TestRelayOptions,
): Promise<void> {
  const relay = startRelay(new MemoryStore(), options);
  const clients: Client[] = [];
  try {
    await use(relay, (options) => {
      const client = startClient(relay.url, options);
      clients.push(client);
      return client;
    });
  } finally {
    for (const client of clients) client[Symbol.dispose]();
    await relay.stop();
  }
}

const keysAt = ({ session }: Client, topic = LOBBY) =>
  session.present(topic).map(({ key, by }) => ({ key, by }));

/** The names of what was heard, with whose. */
const told = ({ heard }: Client) =>
  heard.map((event) => event.name === "rejected" ? event.code : `${event.name} ${nameOf(event)}`);

function nameOf(event: { readonly key?: Key; readonly by?: Key }): string {
  const names = new Map([[alice.key, "alice"], [bob.key, "bob"], [carol.key, "carol"]]);
  return names.get((event.key ?? event.by)!) ?? "nobody";
}

Deno.test("three people in a room: who is there, who types, who leaves", () =>
  withRelay(async (_relay, client) => {
    const people = [alice, bob, carol].map((signer) => {
      const person = client({ signers: [signer] });
      // Before there is a connection: it is said when there is one.
      person.session.interest(LOBBY);
      person.session.announce(signer.key, LOBBY, { by: signer.key });
      return person;
    });
    const everybody = [alice, bob, carol].map(({ key }) => ({ key, by: key }));
    const byKey = (a: { key: Key }, b: { key: Key }) => a.key < b.key ? -1 : 1;
    for (const person of people) {
      await person.until(() => keysAt(person).length === 3);
      assert.deepStrictEqual(keysAt(person).sort(byKey), everybody.toSorted(byKey));
    }
    const [a, b, c] = people;
    a.session.cast(LOBBY, { typing: true, at: new Date(0) }, { by: alice.key });
    for (const person of [b, c]) {
      await person.until(() => person.heard.some(({ name }) => name === "cast"));
      const { name: _, ...event } = person.heard.at(-1)!;
      const data = { typing: true, at: new Date(0) };
      assert.deepStrictEqual(event, { topic: LOBBY, data, by: alice.key });
    }
    b.session.close();
    await c.until(() => keysAt(c).length === 2);
    assert.equal(told(c).at(-1), "withdrawn bob");
    // Nothing came back to who said it.
    assert.ok(a.heard.every(({ name }) => name !== "cast"));
    for (const person of people) {
      assert.ok(told(person).every((text) => !/nobody|refused/.test(text)), told(person).join());
    }
  }));

Deno.test("who comes late is told what is announced; onAnnounce hears it", () =>
  withRelay(async (_relay, client) => {
    const early = client();
    early.session.interest(LOBBY);
    early.session.announce(alice.key, LOBBY);
    await early.until(() => keysAt(early).length === 1);
    const heard: unknown[] = [];
    const late = client({ onAnnounce: (event) => void heard.push(event) });
    await late.until(() => late.session.status.state === "online");
    late.session.interest(LOBBY);
    await late.until(() => keysAt(late).length === 1);
    assert.deepStrictEqual(heard, [{ topic: LOBBY, key: alice.key, by: undefined }]);
  }));

Deno.test("an announcer whose connection is cut is gone for others, and back with its next one", () =>
  withRelay(async (relay, client) => {
    const watcher = client();
    watcher.session.interest(LOBBY);
    await watcher.until(() => watcher.session.status.state === "online");
    const [first] = relay.conversations;
    const cut = client({ signers: [alice] });
    cut.session.announce(alice.key, LOBBY, { by: alice.key });
    const stop = cut.session.interest(LOBBY);
    await watcher.until(() => keysAt(watcher).length === 1);
    await cut.until(() => keysAt(cut).length === 1);
    for (const conversation of relay.conversations) {
      if (conversation !== first) conversation.end(1012, "restarting");
    }
    await watcher.until(() => told(watcher).length === 3);
    assert.deepStrictEqual(told(watcher), [
      "announced alice",
      "withdrawn alice",
      "announced alice",
    ]);
    // It hears again, too; what did not change is not told twice.
    watcher.session.cast(LOBBY, 1);
    await cut.until(() => cut.heard.some(({ name }) => name === "cast"));
    assert.deepStrictEqual(told(cut), ["announced alice", "cast nobody"]);
    stop();
    stop();
    watcher.session.cast(LOBBY, 2);
    watcher.session.announce(bob.key, LOBBY);
    await watcher.until(() => keysAt(watcher).length === 2);
    assert.deepStrictEqual([keysAt(cut), cut.heard.length], [[], 2]);
  }));

Deno.test("after a restart of the relay everybody sees who is there now, and what changed is told", async () => {
  const store = new MemoryStore();
  const first = startRelay(store);
  const stays = startClient(first.url);
  const leaves = startClient(first.url);
  stays.session.interest(LOBBY);
  stays.session.announce(alice.key, LOBBY);
  leaves.session.announce(bob.key, LOBBY);
  await stays.until(() => keysAt(stays).length === 2);
  await first.stop();
  await stays.until(() => stays.session.status.state === "away");
  assert.equal(keysAt(stays).length, 2, "as far as is known");
  leaves.session.close();
  const second = startRelay(store, { port: first.port });
  await stays.until(() => told(stays).includes("withdrawn bob"));
  assert.deepStrictEqual(keysAt(stays), [{ key: alice.key, by: undefined }]);
  assert.deepStrictEqual(told(stays).filter((text) => text === "announced alice").length, 1);
  stays.session.close();
  await second.stop();
});

Deno.test("two users of one topic in one session: the last one ends it", () =>
  withRelay(async (relay, client) => {
    const person = client();
    const stops = [person.session.interest(LOBBY), person.session.interest(LOBBY)];
    const withdraws = [1, 2].map(() => person.session.announce(alice.key, LOBBY));
    await person.until(() => keysAt(person).length === 1);
    stops[0]();
    withdraws[0]();
    person.session.cast("other", 1);
    const other = client();
    other.session.interest(LOBBY);
    await other.until(() => keysAt(other).length === 1);
    other.session.cast(LOBBY, "still");
    await person.until(() => person.heard.some(({ name }) => name === "cast"));
    stops[1]();
    withdraws[1]();
    await other.until(() => keysAt(other).length === 0);
    other.session.close();
    person.session.close();
    await relay.stop();
    assert.equal(relay.topics.size, 0);
  }));

Deno.test("who speaks as a key that it has not shown is refused, and everything else goes on", () =>
  withRelay(async (_relay, client) => {
    const liar = client({ signers: [bob] });
    const watcher = client();
    watcher.session.interest(LOBBY);
    await watcher.until(() => watcher.session.status.state === "online");
    await liar.until(() => liar.session.status.state === "online");
    liar.session.announce(alice.key, LOBBY, { by: alice.key });
    liar.session.cast(LOBBY, "I am alice", { by: alice.key });
    liar.session.announce(alice.key, LOBBY, { by: bob.key });
    await watcher.until(() => watcher.heard.length === 1);
    assert.deepStrictEqual(keysAt(watcher), [{ key: alice.key, by: bob.key }]);
    assert.deepStrictEqual(told(liar), ["refused", "refused"]);
  }));

Deno.test("what is cast too fast is refused once and dropped; the connection stays", () =>
  withRelay(async (_relay, client) => {
    const [fast, watcher] = [client(), client()];
    watcher.session.interest(LOBBY);
    watcher.session.announce(alice.key, LOBBY);
    fast.session.interest(LOBBY);
    await fast.until(() => keysAt(fast).length === 1);
    for (let i = 0; i < 500; i++) fast.session.cast(LOBBY, i);
    await fast.until(() => fast.heard.some(({ name }) => name === "rejected"));
    // What it says next is heard all the same: nothing was ended.
    fast.session.announce(bob.key, LOBBY);
    await watcher.until(() => keysAt(watcher).length === 2);
    const casts = watcher.heard.filter(({ name }) => name === "cast");
    assert.deepStrictEqual(casts.slice(0, 3).map((cast) => (cast as { data: unknown }).data), [
      0,
      1,
      2,
    ]);
    assert.ok(casts.length >= 5 && casts.length < 500, `${casts.length} casts`);
    assert.ok(told(fast).includes("rate"));
  }, { topics: { limits: { casts: { burst: 5, perSecond: 1 } } } }));

Deno.test("misuse throws at once; what cannot be cast is named", () =>
  withRelay(async (_relay, client) => {
    const { session, until } = client();
    for (const topic of ["", "x".repeat(201), "\ud800"]) {
      assert.throws(() => session.interest(topic), TypeError);
      assert.throws(() => session.announce(alice.key, topic), TypeError);
      assert.throws(() => session.cast(topic, 1), TypeError);
    }
    // Nobody would hear it.
    session.cast(LOBBY, "too early");
    await until(() => session.status.state === "online");
    assert.throws(() => session.cast(LOBBY, "x".repeat(4097)), { code: "too_large" });
    assert.throws(() => session.cast(LOBBY, () => {}), TypeError);
  }));

Deno.test("a cast that stands for more than it may, or for nothing, harms nobody", () =>
  withRelay(async (relay, client) => {
    const watcher = client();
    watcher.session.interest(LOBBY);
    watcher.session.announce(alice.key, LOBBY);
    await watcher.until(() => keysAt(watcher).length === 1);
    const hostile = await rawClient(relay.url);
    // [[], []] of the one before, 100 times over: 2^100 empty lists.
    const bomb: number[] = [0x72, 0x70, 0x70];
    let last = 0;
    for (let i = 0; i < 100; i++) {
      const at = bomb.length;
      const ref = last < 128 ? [0x8d, last] : [0x8d, last % 128 + 128, last >> 7];
      bomb.push(0x72, ...ref, ...ref);
      last = at;
    }
    const size = [bomb.length % 128 + 128, bomb.length >> 7];
    const item = [0x8d, last % 128 + 128, last >> 7];
    const casts = [[], [0], [1, 5, 0x8d, 0], [5, 1], [0, 0x8d, 0], [0, 1, 1], [
      ...size,
      ...bomb,
      ...item,
    ]];
    for (const bytes of casts) {
      hostile.send({ type: "cast", topic: LOBBY, data: new Uint8Array(bytes), by: undefined });
    }
    hostile.send({ type: "cast", topic: LOBBY, data: new Uint8Array([0, 42]), by: undefined });
    await watcher.until(() => watcher.heard.some(({ name }) => name === "cast"));
    assert.deepStrictEqual(told(watcher), [
      "announced alice",
      ...Array(6).fill("malformed"),
      "budget",
      "cast nobody",
    ]);
    assert.equal(watcher.session.status.state, "online");
    await hostile.close();
  }));

Deno.test("every value that can be stored can be cast, and comes as it was", () =>
  withRelay(async (_relay, client) => {
    const [sender, watcher] = [client(), client()];
    watcher.session.interest(LOBBY);
    watcher.session.announce(alice.key, LOBBY);
    sender.session.interest(LOBBY);
    await sender.until(() => keysAt(sender).length === 1);
    const values = [
      undefined,
      null,
      -0,
      NaN,
      2n ** 70n,
      "x".repeat(3000),
      new Uint8Array([0, 255]),
      new Date(1),
      new Link(alice.key, { seq: 3, path: ["a", 0] }),
      [],
      {},
      { a: [1, { b: "text ".repeat(20) }, [[]]], "": undefined, ["__proto__"]: 1 },
      Array.from({ length: 300 }, (_, i) => i),
    ];
    for (const value of values) sender.session.cast(LOBBY, value);
    const casts = () => watcher.heard.filter(({ name }) => name === "cast");
    await watcher.until(() => casts().length === values.length);
    assert.deepStrictEqual(casts().map((cast) => (cast as { data: unknown }).data), values);
  }));

const WAYS: Readonly<Record<string, SessionOptions>> = {
  "its own WebSocket": {},
  "a WebSocket that is given": {
    openTransport: (url) => webSocketTransport(new WebSocket(url, SUBPROTOCOL)),
  },
};

for (const [name, options] of Object.entries(WAYS)) {
  Deno.test(`a session over ${name} shows what it holds before it asks, at every connection`, async () => {
    const asked: (readonly Key[])[] = [];
    await withRelay(async (relay, client) => {
      const both = client({ signers: [alice, bob], ...options });
      await both.session.subscribe(carol.key);
      await both.until(() => asked.length === 1);
      for (const conversation of relay.conversations) conversation.end(1012, "restarting");
      await both.until(() => asked.length === 2);
      await both.until(() => both.session.status.repos[0].phase === "live");
      // Nobody who holds nothing is taken for somebody.
      const nobody = client();
      await assert.rejects(nobody.session.fetch(carol.key), { code: "refused" });
    }, {
      admit(_key, _via, { keys }) {
        asked.push([...keys]);
        return keys.has(bob.key) ? undefined : "refused";
      },
    });
    assert.deepStrictEqual(asked, [[alice.key, bob.key], [alice.key, bob.key], []]);
  });
}

Deno.test("a relay without topics says so, and the session goes on", async () => {
  const relay = startRelay(new MemoryStore(), { topics: null });
  const client = startClient(relay.url);
  client.session.interest(LOBBY);
  await client.until(() => client.heard.length > 0);
  assert.deepStrictEqual(told(client), ["unsupported"]);
  assert.equal(client.session.status.state, "online");
  client.session.close();
  await relay.stop();
});
