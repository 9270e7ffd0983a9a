import assert from "node:assert/strict";
import { keyFromBytes } from "../../../core/identity/key.ts";
import { Log } from "../../../core/log/log.ts";
import { type SignedHead, signHead } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import type { Message } from "../../../core/sync/messages.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { encodeFrame, FRAME_MAX_BYTES } from "../../../core/sync/frame.ts";
import { hello } from "../../suites/hello.ts";
import { startDevice } from "../../suites/devices.ts";
import {
  deafClient,
  hangUp,
  RAW_CHANNEL,
  type RawClient,
  rawClient,
  textFrame,
} from "../../suites/hostile_client.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay, type TestRelay } from "../../suites/relay.ts";
import { runOf } from "../../suites/runs.ts";
import { GatedStore } from "../../suites/stores.ts";
import { testCrypto, TestLog } from "../../suites/test_log.ts";

const alice = await signerOf("alice");
const mallory = await signerOf("mallory");

async function written(signer: typeof alice, count: number): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), signer);
  for (let i = 0; i < count; i++) {
    repo.set(`k${i}`, i);
    await repo.flush();
  }
  return repo;
}

const truth = await written(alice, 6);
const whole = await runOf(truth, 0);
const flip = (bytes: Uint8Array, at: number) => bytes.with(at, bytes[at] ^ 1);

/** A relay with what `held` says, and a client that has opened alice's log there. */
async function withClient(
  body: (client: RawClient, relay: TestRelay) => Promise<void>,
  { held = 0, store = new MemoryStore() } = {},
): Promise<void> {
  const relay = startRelay(store);
  if (held > 0) {
    const part = await Repo.open(new MemoryStore(), alice);
    for (let i = 0; i < held; i++) {
      part.set(`k${i}`, i);
      await part.flush();
    }
    await relay.registry.with(alice.key, async (repo) => await repo.receive(await runOf(part, 0)));
  }
  const client = await rawClient(relay.url);
  client.send({ type: "open", key: alice.key, channel: RAW_CHANNEL, have: undefined });
  try {
    await client.next("opened");
    await body(client, relay);
  } finally {
    await client.close();
    await relay.stop();
  }
}

const forged = async (change: Partial<SignedHead>): Promise<Run> => {
  const head = await signHead({ ...truth.head!, key: mallory.key }, mallory);
  return { ...whole, head: { ...head, key: alice.key, ...change } };
};

const REFUSED: Readonly<Record<string, readonly [string, Run]>> = {
  "a head that somebody else signed": ["bad_signature", await forged({})],
  "a head without signature": ["bad_signature", await forged({ signature: new Uint8Array(64) })],
  "a flipped byte in a block": ["bad_block", {
    ...whole,
    blocks: whole.blocks.with(2, flip(whole.blocks[2], 0)),
  }],
  "a flipped byte in the root": ["bad_signature", {
    ...whole,
    head: { ...whole.head, root: flip(whole.head.root, 0) },
  }],
  "blocks with a gap before them": ["conflict", await runOf(truth, 2)],
  "a proof too many": ["bad_block", { ...whole, proof: [whole.head.root] }],
  "no blocks": ["bad_block", { ...whole, blocks: [] }],
};

for (const [name, [code, run]] of Object.entries(REFUSED)) {
  Deno.test(`a relay refuses ${name} as ${code}, keeps nothing of it, and takes the truth`, () =>
    withClient(async (client, relay) => {
      client.sendRun(run);
      assert.equal((await client.next("reject")).code, code);
      assert.equal((await relay.registry.store.head(alice.key))?.length ?? 0, 0);
      client.sendRun(whole);
      assert.equal((await client.next("ack")).blocks, 6);
      assert.deepStrictEqual((await relay.registry.store.head(alice.key))!.head, truth.head);
    }));
}

Deno.test("a relay refuses a push that is behind, and shows its head", () =>
  withClient(async (client, relay) => {
    const old = await written(alice, 2);
    const before = await relay.registry.store.head(alice.key);
    client.sendRun(await runOf(old, 0));
    const reject = await client.next("reject");
    assert.equal(reject.code, "stale");
    assert.equal(reject.head!.blocks, 4);
    const fork = await written(alice, 9);
    client.sendRun(await runOf(fork, 0));
    assert.equal((await client.next("reject")).code, "conflict");
    assert.deepStrictEqual(await relay.registry.store.head(alice.key), before);
  }, { held: 4 }));

const BROKEN: Readonly<Record<string, readonly [string, (client: RawClient) => void]>> = {
  "another key's head on a channel": [
    "wrong_key",
    (client) => client.sendRun({ ...whole, head: { ...whole.head, key: mallory.key } }),
  ],
  "a frame that is too large": [
    "too_large",
    (client) => client.send(new Uint8Array(FRAME_MAX_BYTES + 1)),
  ],
  "half a frame": [
    "malformed",
    (client) => client.send(encodeFrame(RAW_CHANNEL, whole).subarray(0, 300)),
  ],
  "a message that is no JSON": ["malformed", (client) => client.send("{")],
  "a message that nests deeper than the stack": [
    "malformed",
    (client) => client.send(`{"type":"close","key":${'[{"0":'.repeat(3000)}1${"}]".repeat(3000)}}`),
  ],
  "an unknown message": ["malformed", (client) => client.send('{"type":"shout"}')],
  "a second hello": [
    "malformed",
    (client) => client.send(hello("again")),
  ],
};

for (const [name, [code, act]] of Object.entries(BROKEN)) {
  Deno.test(`a relay ends the connection at ${name}, and says ${code}`, () =>
    withClient(async (client, relay) => {
      act(client);
      await client.until(() => client.end !== undefined);
      assert.equal(client.end!.code, 4002);
      assert.ok(client.end!.reason.startsWith(code), client.end!.reason);
      assert.equal(relay.conversations.size, 0);
      assert.equal((await relay.registry.store.head(alice.key))?.length ?? 0, 0);
    }));
}

const opening: Message = { type: "open", key: alice.key, channel: 1, have: undefined };
for (const [what, data] of [["messages", opening], ["frames", encodeFrame(1, whole)]] as const) {
  Deno.test(`before hello a relay answers no ${what}`, async () => {
    const relay = startRelay(new MemoryStore());
    const client = await rawClient(relay.url, { silent: true });
    client.send(data);
    await client.until(() => client.end !== undefined);
    assert.ok(client.end!.reason.startsWith("malformed"), client.end!.reason);
    assert.equal(relay.registry.size, 0);
    await relay.stop();
  });
}

Deno.test("10,001 opens: the last is refused, and nothing is left of them", async () => {
  const relay = startRelay(new MemoryStore());
  const client = await rawClient(relay.url);
  const keys = Array.from({ length: 10_001 }, (_, i) => keyFromBytes(numbered(i)));
  keys.forEach((key, channel) => client.send({ type: "open", key, channel, have: undefined }));
  const reject = await client.next("reject");
  assert.equal(reject.code, "refused");
  // Give or take those that are just being opened.
  assert.ok(keys.indexOf(reject.key) > 9_900, `${keys.indexOf(reject.key)}`);
  await client.close();
  while (relay.conversations.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(relay.registry.size <= 32, `${relay.registry.size} repos are still open`);
  for await (const key of relay.registry.store.keys()) assert.fail(`${key} was stored`);
  await relay.stop();
});

Deno.test("opened channels that nobody has are forgotten at once", () =>
  withClient(async (client) => {
    for (let i = 0; i < 20_000; i++) {
      client.send(
        `{"type":"opened","key":"${mallory.key}","channel":${i}}`,
      );
    }
    client.send({ type: "ping" });
    await client.next("pong");
    client.sendRun(whole);
    assert.equal((await client.next("ack")).blocks, 6);
  }));

Deno.test("a flood that the relay's store cannot keep up with ends the connection", async () => {
  const store = new GatedStore();
  const author = await TestLog.create(5);
  author.add(...Array(250).fill(61_440));
  const head = await author.head();
  const frames: Uint8Array[] = [];
  const log = await Log.open(new MemoryStore(), author.key, { crypto: testCrypto });
  const bytes = author.blocks.map((block) => block.bytes);
  await log.receive({ head, first: 0, blocks: bytes, proof: [] });
  for (let first = 0; first < 250; first += 10) {
    frames.push(encodeFrame(RAW_CHANNEL, await runOf(log, first, first + 10)));
  }
  const relay = startRelay(store);
  const client = await rawClient(relay.url);
  client.send({ type: "open", key: author.key, channel: RAW_CHANNEL, have: undefined });
  await client.next("opened");
  const { begun, release } = store.hold();
  frames.forEach((frame) => client.send(frame));
  await begun;
  await client.until(() => client.end !== undefined);
  assert.deepStrictEqual(relay.broken, ["too_large"]);
  release();
  await relay.stop();
});

Deno.test("a client that asks and never reads is ended before the relay's memory is full", async () => {
  const store = new MemoryStore();
  const relay = startRelay(store);
  await relay.registry.with(alice, async (repo) => {
    const bytes = new Uint8Array(6_000_000);
    for (let i = 0; i < bytes.length; i += 65_536) {
      crypto.getRandomValues(bytes.subarray(i, i + 65_536));
    }
    await repo.putBytes(["film"], new Blob([bytes]).stream());
    await repo.flush();
  });
  const connection = await deafClient(relay.port);
  const [conversation] = relay.conversations;
  let most = 0;
  const write = async (message: Message) => {
    await connection.write(textFrame(message));
    most = Math.max(most, conversation.bufferedBytes);
  };
  const { key } = alice;
  await write(hello("deaf"));
  await write({ type: "open", key, channel: 1, have: undefined });
  // Each of these would have a window of 4 MiB sent again.
  for (let heard = 0; heard < 1000; heard = conversation.heard) {
    await write({ type: "want", key, from: 0 });
  }
  assert.ok(most > 2 ** 20 && most < 20 * 2 ** 20, `${most} bytes wait to be read`);
  try {
    // Each of these is answered with a refusal and a head.
    while (relay.conversations.size > 0) await write({ type: "want", key, from: 2 ** 40 });
  } catch (error) {
    assert.ok(
      error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset,
    );
  }
  assert.deepStrictEqual(relay.broken, ["too_large"]);
  assert.ok(most < 34 * 2 ** 20, `${most} bytes waited to be read`);
  await hangUp(connection);
  await relay.stop();
});

Deno.test("half a message and then silence keeps nobody from being served", async () => {
  const relay = startRelay(new MemoryStore());
  const connection = await deafClient(relay.port);
  await connection.write(textFrame({ type: "ping" }).subarray(0, 8));
  const device = await startDevice({ url: relay.url, key: alice.key, signer: alice });
  device.repo.set({ fine: true });
  await device.session.landed(device.repo);
  assert.equal((await relay.registry.store.head(alice.key))!.length, 1);
  device.session.close();
  connection.close();
  await relay.stop();
});

Deno.test("a reader of more repos than its connection has room for gets them all", async () => {
  const relay = startRelay(new MemoryStore());
  const signers = await Promise.all(Array.from({ length: 12 }, (_, i) => signerOf(`many${i}`)));
  const bytes = new Uint8Array(3_000_000);
  for (const [i, signer] of signers.entries()) {
    await relay.registry.with(signer, async (repo) => {
      for (let at = 0; at < bytes.length; at += 65_536) {
        crypto.getRandomValues(bytes.subarray(at, at + 65_536));
      }
      await repo.putBytes(["file", `${i}`], new Blob([bytes]).stream());
      await repo.flush();
    });
  }
  const device = await startDevice({ url: relay.url, key: signers[0].key });
  const repos = await Promise.all(signers.map(({ key }) => device.session.subscribe(key)));
  await Promise.all(repos.map(async (repo, i) => {
    await device.session.synced(repo);
    assert.equal(repo.size("file", `${i}`), bytes.length);
  }));
  assert.deepStrictEqual(device.rejected, []);
  device.session.close();
  await relay.stop();
});

/** 32 bytes that stand for a number. */
function numbered(i: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, i);
  return bytes;
}

Deno.test("who stops to bring a later epoch, and wants the log that is there, gets it", () =>
  withClient(async (client, relay) => {
    const later = await written(alice, 6);
    await later.compact();
    later.set("more", 1);
    const { epoch, blocks } = (await later.flush())!;
    client.sendRun(await runOf(later, 0, blocks - 1));
    assert.partialDeepStrictEqual(await client.next("ack"), { epoch, blocks: blocks - 1 });
    client.send({ type: "want", key: alice.key, from: 0 });
    await client.until(() => client.heard.some(({ type }) => type === "run"));
    const { run } = client.heard.find((heard) => heard.type === "run")!;
    assert.deepEqual([run.head.epoch, run.first, run.blocks.length], [0, 0, 6]);
    client.sendRun(await runOf(later, 0));
    await client.until(() =>
      client.heard.some((heard) => heard.type === "ack" && heard.blocks === blocks)
    );
    const stored = await relay.registry.store.head(alice.key);
    assert.equal(stored?.head?.epoch, epoch);
  }, { held: 6 }));
