import assert from "node:assert/strict";
import type { Key } from "../../../core/identity/key.ts";
import { keyFromBytes } from "../../../core/identity/key.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { encodeKeys, encodeList, hashKeys, LIST_MAX, Stands } from "../../../core/sync/lists.ts";
import { type RawClient, rawClient } from "../../suites/hostile_client.ts";
import { type Script, startScript } from "../../suites/hostile_relay.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";
import { testCrypto } from "../../suites/test_log.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { connect } from "../../../core/sync/session.ts";

const keysOf = (count: number): Key[] =>
  Array.from({ length: count }, (_, i) => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, i);
    return keyFromBytes(bytes);
  }).sort();

const keys = keysOf(40);
const groupsOf = (count: number) => new Stands(testCrypto, count, "opener");
const list = (of: readonly Key[], count = of.length) =>
  encodeList(hashKeys(testCrypto, of), groupsOf(count));

async function withClient(
  body: (client: RawClient, relay: TestRelay) => Promise<void>,
): Promise<void> {
  const relay = startRelay(new MemoryStore());
  const client = await rawClient(relay.url);
  try {
    await body(client, relay);
  } finally {
    await client.close();
    await relay.stop();
  }
}

const BROKEN: Readonly<
  Record<string, readonly [string, (client: RawClient) => Promise<unknown> | void]>
> = {
  "keys that nobody asked for": ["malformed", (client) => client.send(encodeKeys(keys))],
  "keys of another list": ["malformed", async (client) => {
    client.send(list(keys));
    await client.next("keys");
    client.send(encodeKeys(keys.slice(1)));
  }],
  "a list with too few fingerprints": ["malformed", async (client) => {
    client.send(list(keys, 32));
    await client.next("keys");
    client.send(encodeKeys(keys));
  }],
  "a second list": ["malformed", async (client) => {
    client.send(list(keys));
    await client.next("keys");
    client.send(list(keys));
  }],
  "an answer to no list": ["malformed", (client) => client.send(new Uint8Array([4, 1]))],
  "settling no list": ["malformed", (client) => client.send({ type: "settled" })],
  "settling a list before it is compared": ["malformed", async (client) => {
    client.send(list(keys));
    await client.next("keys");
    client.send({ type: "settled" });
  }],
  "asking for the keys of no list": ["malformed", (client) => client.send({ type: "keys" })],
  "more keys than a list may have": ["too_large", async (client) => {
    client.send(list(keysOf(LIST_MAX + 1)));
    await client.next("keys");
    client.send(encodeKeys(keysOf(LIST_MAX + 1)));
  }],
  "a list that is too long together with what is open": ["too_large", async (client) => {
    const [first, ...others] = keysOf(LIST_MAX + 1);
    client.send({ type: "open", key: first, channel: 0, have: undefined });
    await client.next("opened");
    client.send(list(others));
    await client.next("keys");
    client.send(encodeKeys(others));
  }],
};

for (const [name, [code, act]] of Object.entries(BROKEN)) {
  Deno.test(`a relay ends the connection at ${name}, and says ${code}`, () =>
    withClient(async (client, relay) => {
      await act(client);
      await client.until(() => client.end !== undefined);
      assert.equal(client.end!.code, 4002);
      assert.ok(client.end!.reason.startsWith(code), client.end!.reason);
      assert.equal(relay.registry.size <= 1, true);
    }));
}

Deno.test("a list before hello is no list", async () => {
  const relay = startRelay(new MemoryStore());
  const client = await rawClient(relay.url, { silent: true });
  client.send(list(keys));
  await client.until(() => client.end !== undefined);
  assert.ok(client.end!.reason.startsWith("malformed"), client.end!.reason);
  await relay.stop();
});

Deno.test("who follows as many logs as it may is refused one more, and nothing is opened or stored", () =>
  withClient(async (client, relay) => {
    const all = keysOf(LIST_MAX);
    client.send(list(all));
    await client.next("keys");
    client.send(encodeKeys(all));
    await client.until(() => client.heard.some(({ type }) => type === "compared"));
    client.send({ type: "settled" });
    const [key] = keysOf(LIST_MAX + 1).filter((key) => !all.includes(key));
    client.send({ type: "open", key, channel: 1, have: undefined });
    assert.deepStrictEqual((await client.next("reject")).code, "refused");
    client.send({ type: "close", key: all[0] });
    client.send({ type: "open", key, channel: 1, have: undefined });
    await client.next("opened");
    assert.equal(relay.registry.size, 1);
    for await (const stored of relay.registry.store.keys()) assert.fail(`${stored} was stored`);
  }));

/** A client of 40 repos, and how its relay's script ends. */
async function withScript(
  script: Script,
  body: (rejected: Promise<{ code: string }>) => Promise<void>,
): Promise<void> {
  const relay = startScript(script);
  const session = connect(new Registry({ store: new MemoryStore() }), relay.url);
  const rejected = new Promise<{ code: string }>((resolve) => session.on("rejected", resolve));
  await Promise.all(keys.map((key) => session.subscribe(key)));
  try {
    await body(rejected);
  } finally {
    session.close();
    await relay.stop();
  }
}

const LIES: Readonly<Record<string, Script>> = {
  "asks for the keys twice": (heard, caller) => {
    if (heard.type === "list" || heard.type === "keys") caller.send({ type: "keys" });
  },
  "compares another list": (heard, caller) => {
    if (heard.type === "list") caller.send(new Uint8Array([4, 0, 0]));
  },
  "compares with half a fingerprint": (heard, caller) => {
    if (heard.type === "list") caller.send(new Uint8Array([4, 1, 9, 9, 9]));
  },
  "compares twice": (heard, caller) => {
    if (heard.type !== "list") return;
    caller.send(new Uint8Array([4, 0]));
    caller.send(new Uint8Array([4, 0]));
  },
};

for (const [name, script] of Object.entries(LIES)) {
  Deno.test(`a client gives up a relay that ${name}`, () =>
    withScript(script, async (rejected) => {
      assert.equal((await rejected).code, "malformed");
    }));
}

Deno.test("a relay that says that all differs is asked for each, once", async () => {
  let opens = 0;
  const done = Promise.withResolvers<void>();
  await withScript((heard, caller) => {
    if (heard.type === "list") {
      caller.send(new Uint8Array([4, 0b11, ...new Uint8Array(16 * keys.length)]));
    }
    if (heard.type === "open") opens++;
    if (heard.type === "settled") done.resolve();
  }, async () => {
    await done.promise;
    assert.equal(opens, keys.length);
  });
});

Deno.test("a relay that parks what it was not asked for, or is not done with, changes nothing", async () => {
  const alice = await signerOf("alice");
  const reopened = Promise.withResolvers<void>();
  let opens = 0;
  await withScript((heard, caller) => {
    if (heard.type === "list") {
      caller.send({ type: "park", keys: [alice.key, keys[0]] });
      caller.send(new Uint8Array([4, 0]));
    }
    // Not answered yet, and parked already: asked again.
    if (heard.type === "open" && heard.key === keys[0] && ++opens === 1) reopened.resolve();
  }, () => reopened.promise);
});
