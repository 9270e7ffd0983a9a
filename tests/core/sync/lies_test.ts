import assert from "node:assert/strict";
import type { Code } from "../../../core/errors.ts";
import type { SignedHead } from "../../../core/log/head.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { decodeFrame, encodeFrame, FRAME_MAX_BYTES } from "../../../core/sync/frame.ts";
import { decodeMessage, encodeMessage, type Message } from "../../../core/sync/messages.ts";
import { hello } from "../../suites/hello.ts";
import { startDevice, until } from "../../suites/devices.ts";
import { type Data, startProxy, type Tamper } from "../../suites/hostile_relay.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";
import { runOf } from "../../suites/runs.ts";

const alice = await signerOf("alice");
const bob = await signerOf("bob");

/** A repo of `signer` with `count` records, each in its own block. */
async function written(signer: typeof alice, count: number, name = "k"): Promise<Repo> {
  const repo = await Repo.open(new MemoryStore(), signer);
  for (let i = 0; i < count; i++) {
    repo.set(`${name}${i}`, `${name} ${i}`);
    await repo.flush();
  }
  return repo;
}

const truth = await written(alice, 6);
const bobs = await written(bob, 6);
const bobsRun = await runOf(bobs, 0);

const flip = (bytes: Uint8Array, at: number) => bytes.with(at, bytes[at] ^ 1);

/** Changes every block frame. */
function runs(change: (run: Run) => Run): Tamper {
  return (data) => {
    if (typeof data === "string") return data;
    const { channel, run } = decodeFrame(data);
    return encodeFrame(channel, change(run));
  };
}

/** Changes every message of a type. */
function messages(type: Message["type"], change: (message: never) => Message | Data): Tamper {
  return (data) => {
    if (typeof data !== "string") return data;
    const message = decodeMessage(data);
    if (message.type !== type) return data;
    const changed = change(message as never);
    return typeof changed === "string" || changed instanceof Uint8Array
      ? changed
      : encodeMessage(changed);
  };
}

const heads = (change: (head: SignedHead) => SignedHead): Tamper =>
  messages("opened", (opened: Extract<Message, { type: "opened" }>) => ({
    ...opened,
    head: opened.head && change(opened.head),
  }));

const LIES: Readonly<Record<string, readonly [Code, Tamper]>> = {
  "a flipped byte in the first block": [
    "bad_block",
    runs((run) => ({
      ...run,
      blocks: run.blocks.with(0, flip(run.blocks[0], 3)),
    })),
  ],
  "a flipped byte in the last block": [
    "bad_block",
    runs((run) => ({
      ...run,
      blocks: run.blocks.with(-1, flip(run.blocks.at(-1)!, 0)),
    })),
  ],
  "a flipped byte in a frame's signature": [
    "bad_signature",
    runs((run) => ({
      ...run,
      head: { ...run.head, signature: flip(run.head.signature, 7) },
    })),
  ],
  "a flipped byte in a frame's root": [
    "bad_signature",
    runs((run) => ({
      ...run,
      head: { ...run.head, root: flip(run.head.root, 0) },
    })),
  ],
  "a head that states more blocks": [
    "bad_signature",
    runs((run) => ({
      ...run,
      head: { ...run.head, blocks: run.head.blocks + 1 },
    })),
  ],
  "a flipped byte in the head that it tells": [
    "bad_signature",
    heads((head) => ({
      ...head,
      signature: flip(head.signature, 7),
    })),
  ],
  "a head that tells of more blocks than there are": [
    "bad_signature",
    heads((head) => ({
      ...head,
      blocks: 2 ** 50,
      bytes: 2 ** 52,
    })),
  ],
  "the head of another repo": ["wrong_key", heads(() => bobs.head!)],
  "the head of another repo under this key": [
    "bad_signature",
    heads(() => ({
      ...bobs.head!,
      key: alice.key,
    })),
  ],
  "a block of another repo": [
    "bad_block",
    runs((run) => ({
      ...run,
      blocks: run.blocks.with(-1, bobsRun.blocks[0]),
    })),
  ],
  "the blocks of another repo": ["bad_block", runs((run) => ({ ...run, blocks: bobsRun.blocks }))],
  "the log of another repo": ["wrong_key", runs(() => bobsRun)],
  "the log of another repo under this key": [
    "bad_signature",
    runs(() => ({
      ...bobsRun,
      head: { ...bobs.head!, key: alice.key },
    })),
  ],
  "a run without its end": [
    "bad_block",
    runs((run) => ({
      ...run,
      blocks: run.blocks.slice(0, -1),
    })),
  ],
  "a run without its beginning": [
    "bad_block",
    runs((run) => ({
      ...run,
      blocks: run.blocks.slice(1),
    })),
  ],
  "blocks in another order": [
    "bad_block",
    runs((run) => ({
      ...run,
      blocks: run.blocks.toReversed(),
    })),
  ],
  "a run without blocks": ["bad_block", runs((run) => ({ ...run, blocks: [] }))],
  "a hash that proves nothing": ["bad_block", runs((run) => ({ ...run, proof: [run.head.root] }))],
  "an empty block": ["too_large", runs((run) => ({ ...run, blocks: [new Uint8Array()] }))],
  "a frame of 4 MiB": [
    "too_large",
    (data) => typeof data === "string" ? data : new Uint8Array(4 * FRAME_MAX_BYTES),
  ],
  "a frame of another type": [
    "malformed",
    (data) => typeof data === "string" ? data : data.with(0, 9),
  ],
  "half a frame": [
    "malformed",
    (data) => typeof data === "string" ? data : data.subarray(0, data.length / 2),
  ],
  "something before hello": ["malformed", (data) => ['{"type":"ping"}', data]],
  "a second hello": [
    "malformed",
    messages("opened", () => hello("again")),
  ],
  "a message of an unknown type": ["malformed", messages("opened", () => '{"type":"shout"}')],
  "a message that is not JSON": ["malformed", messages("opened", () => "{")],
  "a message that is too long": ["too_large", messages("opened", () => " ".repeat(70_000))],
  "another protocol": [
    "unsupported",
    (data) => typeof data === "string" ? data.replace('"protocol":1', '"protocol":2') : data,
  ],
};

for (const [name, [code, tamper]] of Object.entries(LIES)) {
  Deno.test(`${name}: named ${code}, shown to nobody, signed by nobody, and over when the truth comes`, async () => {
    const relay = startRelay(new MemoryStore(), { hosts: [] });
    await relay.registry.with(alice.key, async (repo) => await repo.receive(await runOf(truth, 0)));
    const proxy = startProxy(relay.url);
    proxy.tamper = tamper;
    const reader = await startDevice({ url: proxy.url, key: alice.key });
    const writer = await startDevice({
      url: proxy.url,
      key: alice.key,
      signer: alice,
      prepare: async (repo) => {
        repo.set("mine", true);
        repo.publish("mine");
        await repo.flush();
      },
    });
    const ownHead = writer.repo.head;
    for (const device of [reader, writer]) {
      // Twice: it comes back, is told the same, and still believes nothing.
      await until(device, () => device.rejected.length >= 2);
      assert.deepStrictEqual(device.rejected.map((event) => event.code).slice(0, 2), [code, code]);
      assert.ok(device.delays[1] > device.delays[0], "it comes back ever later");
    }
    assert.equal(reader.repo.get(), undefined);
    assert.equal(reader.repo.log.length, 0, "nothing is stored");
    assert.deepStrictEqual(writer.repo.get(), { mine: true });
    assert.deepStrictEqual(writer.repo.head, ownHead, "nothing is signed");
    proxy.tamper = (data) => data;
    proxy.drop();
    writer.repo.set("later", 1);
    await until(writer, () => writer.repo.size() === 8);
    await writer.session.landed(writer.repo);
    await until(reader, () => reader.repo.size() === 8);
    const kept = await Repo.open(relay.registry.store, alice.key);
    assert.deepStrictEqual(kept.get(), { ...truth.get() as object, mine: true, later: 1 });
    assert.deepStrictEqual(kept.events().map(({ value }) => value), ["mine"]);
    for (const { session } of [reader, writer]) session.close();
    await proxy.stop();
    await relay.stop();
  });
}
