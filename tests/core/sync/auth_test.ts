import assert from "node:assert/strict";
import type { Signer } from "../../../core/identity/signer.ts";
import type { Key } from "../../../core/identity/key.ts";
import { authBytes, type AuthClaim, signedBytes } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { CLAIMS_MAX, hostOf } from "../../../core/sync/auth.ts";
import { Conversation } from "../../../core/sync/conversation.ts";
import {
  type Auth,
  decodeMessage,
  encodeMessage,
  type Hello,
  type Message,
  type Refusal,
} from "../../../core/sync/messages.ts";
import { type Transport, transportPair } from "../../../core/sync/transport.ts";
import { SUBPROTOCOL, webSocketTransport } from "../../../core/sync/websocket_transport.ts";
import { deafClient, rawClient, textFrame, textFrames } from "../../suites/hostile_client.ts";
import { hello } from "../../suites/hello.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay, type TestRelayOptions } from "../../suites/relay.ts";

const alice = await signerOf("alice");
const mallory = await signerOf("mallory");

interface Asked {
  readonly key: Key;
  readonly keys: readonly Key[];
}

/** A relay, and who it took the peers for that asked for something. */
async function withRelay(
  use: (relay: TestRelay, asked: Asked[]) => Promise<void>,
  options: TestRelayOptions = {},
): Promise<void> {
  const asked: Asked[] = [];
  const relay = startRelay(new MemoryStore(), {
    admit(key, _via, { keys }) {
      asked.push({ key, keys: [...keys] });
      return undefined;
    },
    ...options,
  });
  try {
    await use(relay, asked);
  } finally {
    await relay.stop();
  }
}

async function authOf(signer: Signer, claim: Partial<AuthClaim>, other: AuthClaim): Promise<Auth> {
  const { key } = signer;
  const signature = await signer.sign(authBytes({ ...other, key, ...claim }));
  return { type: "auth", key, signature };
}

Deno.test("a key is believed that has signed both challenges and the host, before what is asked next", () =>
  withRelay(async (relay, asked) => {
    const client = await rawClient(relay.url);
    const { challenge: verifier } = await client.next("hello");
    const claim = {
      key: alice.key,
      verifier,
      claimer: hello("").challenge,
      host: hostOf(relay.url),
    };
    // Twice is not too often, and two keys on one connection are both believed.
    for (const signer of [alice, alice, mallory]) client.send(await authOf(signer, {}, claim));
    client.send({ type: "open", key: alice.key, channel: 1, have: undefined });
    await client.next("opened");
    assert.deepStrictEqual(asked, [{ key: alice.key, keys: [alice.key, mallory.key] }]);
    await client.close();
  }));

type Attack = (claim: AuthClaim, relay: TestRelay) => Promise<Auth>;

const ATTACKS: Readonly<Record<string, Attack>> = {
  "of another host": (claim) => authOf(alice, { host: "relay.example" }, claim),
  "of no host": (claim) => authOf(alice, { host: "" }, claim),
  "of the relay's challenge on another connection": async (claim, relay) => {
    const other = await rawClient(relay.url);
    const { challenge } = await other.next("hello");
    await other.close();
    return await authOf(alice, { verifier: challenge }, claim);
  },
  "of another client's challenge": (claim) =>
    authOf(alice, { claimer: hello("", 9).challenge }, claim),
  // What the relay would sign if it showed this client who it is.
  "with the challenges the other way round": (claim) =>
    authOf(alice, { verifier: claim.claimer, claimer: claim.verifier }, claim),
  "of another key": async (claim) => ({ ...await authOf(mallory, {}, claim), key: alice.key }),
  "for another key": (claim) => authOf(alice, { key: mallory.key }, claim),
  "of a head": async ({ verifier }) => {
    const fields = { flags: 0, epoch: 0, blocks: 1, bytes: 9, record: undefined, root: verifier };
    const signature = await alice.sign(signedBytes({ key: alice.key, ...fields }));
    return { type: "auth", key: alice.key, signature };
  },
  "with a bit changed": async (claim) => {
    const auth = await authOf(alice, {}, claim);
    return { ...auth, signature: auth.signature.with(40, auth.signature[40] ^ 1) };
  },
  "of zeros": () => {
    const signature = new Uint8Array(64);
    return Promise.resolve({ type: "auth", key: alice.key, signature });
  },
};

for (const [name, attack] of Object.entries(ATTACKS)) {
  Deno.test(`a signature ${name} is not believed, and the connection goes on`, () =>
    withRelay(async (relay, asked) => {
      const client = await rawClient(relay.url);
      const { challenge: verifier } = await client.next("hello");
      const host = hostOf(relay.url);
      const claim = { key: alice.key, verifier, claimer: hello("").challenge, host };
      client.send(await attack(claim, relay));
      const { type: _, message, ...refusal } = await client.next("refuse");
      assert.deepStrictEqual(refusal, {
        of: "auth",
        code: "bad_signature",
        key: alice.key,
        topic: undefined,
      });
      assert.match(message, new RegExp(`^${alice.key} has not signed for "127.0.0.1:`));
      client.send({ type: "open", key: alice.key, channel: 1, have: undefined });
      await client.next("opened");
      assert.deepStrictEqual(asked, [{ key: alice.key, keys: [] }]);
      // The same claim, rightly made, is believed all the same.
      client.send(await authOf(alice, {}, claim));
      client.send({ type: "open", key: mallory.key, channel: 2, have: undefined });
      await client.next("opened");
      assert.deepStrictEqual(asked[1], { key: mallory.key, keys: [alice.key] });
      await client.close();
    }));
}

/** A relay between a client and another relay: passes all that they say on, asking there for `host`. */
function startMiddle(
  port: number,
  host: (own: string) => string,
): { url: string; stop(): Promise<void> } {
  const ends: Promise<void>[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: SUBPROTOCOL });
    ends.push(passOn(socket, port, host(hostOf(request.url))));
    return response;
  });
  const url = `ws://127.0.0.1:${(server.addr as Deno.NetAddr).port}/sync`;
  return {
    url,
    async stop() {
      await Promise.all(ends);
      await server.shutdown();
    },
  };
}

async function passOn(socket: WebSocket, port: number, host: string): Promise<void> {
  const connecting = deafClient(port, host);
  socket.addEventListener("message", async ({ data }) => {
    await (await connecting).write(textFrame(decodeMessage(data)));
  });
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  const connection = await connecting;
  const passing = (async () => {
    for await (const message of textFrames(connection)) socket.send(encodeMessage(message));
  })();
  await closed;
  // Its answer ends the reading.
  await connection.write(new Uint8Array([0x88, 0x80, 0, 0, 0, 0]));
  await passing;
  connection.close();
}

const MIDDLES = {
  "that asks by the name of the other": { ask: () => "victim.example", code: "bad_signature" },
  "that asks by its own name": { ask: (own: string) => own, code: "unsupported" },
  "whose name is the other's, as far as the client knows": {
    ask: () => "victim.example",
    dialled: "victim.example",
    code: undefined,
  },
};

for (const [name, { ask, code, ...rest }] of Object.entries(MIDDLES)) {
  const verdict = code === undefined ? "cannot be told from it" : `is not believed there: ${code}`;
  Deno.test(`a relay in between ${name} ${verdict}`, () =>
    withRelay(async (victim, asked) => {
      const middle = startMiddle(victim.port, ask);
      const registry = new Registry({ store: new MemoryStore() });
      const refused: Refusal[] = [];
      const greeted = Promise.withResolvers<unknown>();
      const live = Promise.withResolvers<void>();
      const conversation = new Conversation({
        registry,
        transport: webSocketTransport(new WebSocket(middle.url, SUBPROTOCOL)),
        software: "client",
        host: "dialled" in rest ? rest.dialled : hostOf(middle.url),
        onHello: greeted.resolve,
        onNews: (news) => news.type === "refuse" && refused.push(news),
        onStatus: ({ state }) => state.phase === "live" && live.resolve(),
        onEnd: live.reject,
      });
      await greeted.promise;
      await conversation.presence.authenticate([alice]);
      conversation.open(await registry.open(alice.key));
      await live.promise;
      conversation.end(1000, "done");
      assert.deepStrictEqual(
        refused.map((refusal) => refusal.code),
        code === undefined ? [] : [code],
      );
      const keys = code === undefined ? [alice.key] : [];
      assert.deepStrictEqual(asked, [{ key: alice.key, keys }]);
      await middle.stop();
    }, { hosts: ["victim.example"] }));
}

Deno.test("a peer that says this side's challenge back is ended", async () => {
  const [here, there] = transportPair();
  const ended = new Promise<string | undefined>((resolve) => {
    there.onMessage = (data) => there.send(data);
    new Conversation({
      registry: new Registry({ store: new MemoryStore() }),
      transport: here,
      software: "",
      host: "relay.example",
      onEnd: (_reason, error) => resolve(error?.code),
    });
  });
  assert.equal(await ended, "malformed");
});

Deno.test("both sides of one connection can show who they are", async () => {
  const [here, there] = transportPair();
  const admitted: Record<string, readonly Key[]> = {};
  const speak = async (name: string, transport: Transport, signer: Signer, wants: Signer) => {
    const registry = new Registry({ store: new MemoryStore() });
    const greeted = Promise.withResolvers<unknown>();
    const live = Promise.withResolvers<void>();
    const conversation = new Conversation({
      registry,
      transport,
      software: name,
      host: "relay.example",
      admit(key, _via, { keys }) {
        admitted[`${key} by ${name}`] = [...keys];
        return undefined;
      },
      onHello: greeted.resolve,
      onStatus: ({ isOpener, state }) => isOpener && state.phase === "live" && live.resolve(),
    });
    await greeted.promise;
    await conversation.presence.authenticate([signer]);
    conversation.open(await registry.open(wants.key));
    await live.promise;
  };
  await Promise.all([speak("one", here, alice, mallory), speak("two", there, mallory, alice)]);
  assert.deepStrictEqual(admitted, {
    [`${alice.key} by one`]: [mallory.key],
    [`${mallory.key} by two`]: [alice.key],
  });
  here.close();
});

Deno.test("a connection whose host nobody knows claims nothing, and believes nothing", async () => {
  const [here, there] = transportPair();
  const heard: Message[] = [];
  const done = new Promise<void>((resolve) => {
    there.onMessage = (data) => {
      heard.push(decodeMessage(data as string));
      if (heard.some(({ type }) => type === "pong")) resolve();
    };
  });
  const conversation = new Conversation({
    registry: new Registry({ store: new MemoryStore() }),
    transport: here,
    software: "",
  });
  const first = await new Promise<Hello>((resolve) => {
    queueMicrotask(() => resolve(heard[0] as Hello));
  });
  const claim = {
    key: alice.key,
    verifier: first.challenge,
    claimer: hello("").challenge,
    host: "",
  };
  for (const message of [hello(""), await authOf(alice, {}, claim)]) {
    there.send(encodeMessage(message));
  }
  await conversation.presence.authenticate([alice]);
  there.send(encodeMessage({ type: "ping" }));
  await done;
  const said = heard.filter(({ type }) => type !== "hello" && type !== "pong") as Refusal[];
  assert.deepStrictEqual(said.map(({ type, code }) => [type, code]), [["refuse", "unsupported"]]);
  conversation.end(1000, "");
});

Deno.test(`a connection is heard about ${CLAIMS_MAX} claims, and may go on without more`, () =>
  withRelay(async (relay, asked) => {
    const client = await rawClient(relay.url);
    const { challenge: verifier } = await client.next("hello");
    const host = hostOf(relay.url);
    const claim = { key: alice.key, verifier, claimer: hello("").challenge, host };
    const wrong = await authOf(alice, { host: "" }, claim);
    for (let i = 0; i < CLAIMS_MAX; i++) client.send(wrong);
    client.send(await authOf(alice, {}, claim));
    client.send({ type: "open", key: alice.key, channel: 1, have: undefined });
    await client.next("opened");
    const [{ keys }] = asked;
    assert.deepStrictEqual(keys, []);
    client.send(await authOf(mallory, {}, claim));
    await client.until(() => client.heard.some(({ type }) => type === "refuse"));
    const { code, message } = await client.next("refuse");
    assert.deepStrictEqual([code, message], [
      "refused",
      `more than ${CLAIMS_MAX} keys on one connection`,
    ]);
    await client.close();
  }));

Deno.test("hostOf() is the same for who dials and who is asked", () => {
  const cases = [
    ["wss://Relay.Example/sync", "http://relay.example/sync", "relay.example"],
    ["wss://relay.example:443", "http://relay.example", "relay.example"],
    ["ws://relay.example:80", "http://relay.example", "relay.example"],
    ["wss://relay.example:80", "http://relay.example", "relay.example"],
    ["ws://relay.example:8080/x?y", "http://relay.example:8080/sync", "relay.example:8080"],
    ["ws://[::1]:1234", "http://[0:0::1]:1234/sync", "[::1]:1234"],
  ];
  for (const [dialled, asked, host] of cases) {
    assert.equal(hostOf(dialled), host);
    assert.equal(hostOf(asked), host);
  }
});
