import assert from "node:assert/strict";
import type { Advance } from "../../../core/log/advance.ts";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { FRAME_MAX_BYTES } from "../../../core/sync/frame.ts";
import { nextFrame } from "../../../core/sync/next_frame.ts";
import { SendWindow, WINDOW_BYTES } from "../../../core/sync/send_window.ts";
import { encodeMessage } from "../../../core/sync/messages.ts";
import { connect } from "../../../core/sync/session.ts";
import type { Transport } from "../../../core/sync/transport.ts";
import { Registry } from "../../../core/repo/registry.ts";
import { hello } from "../../suites/hello.ts";
import { RAW_CHANNEL, rawClient } from "../../suites/hostile_client.ts";
import { noise } from "../../suites/noise.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";

const alice = await signerOf("alice");

Deno.test("who acknowledges nothing is sent one window, and the rest when it does", async () => {
  const relay = startRelay(new MemoryStore());
  const head = await relay.registry.with(alice, async (repo) => {
    await repo.putBytes(["film"], new Blob([noise(1, 3 * WINDOW_BYTES)]).stream());
    return (await repo.flush())!;
  });
  const client = await rawClient(relay.url);
  const received = () => {
    const runs = client.heard.flatMap((heard) => heard.type === "run" ? [heard.run] : []);
    const bytes = runs.flatMap((run) => run.blocks).reduce((sum, { length }) => sum + length, 0);
    const last = runs.at(-1);
    return { bytes, blocks: last === undefined ? 0 : last.first + last.blocks.length };
  };
  client.send({ type: "open", key: alice.key, channel: RAW_CHANNEL, have: undefined });
  await client.until(() => received().bytes > WINDOW_BYTES - FRAME_MAX_BYTES);
  for (let pongs = 1; pongs <= 30; pongs++) {
    client.send({ type: "ping" });
    await client.until(() => client.heard.filter(({ type }) => type === "pong").length === pongs);
  }
  assert.ok(received().bytes < WINDOW_BYTES + FRAME_MAX_BYTES, `${received().bytes} bytes came`);
  await client.until(() => {
    const { blocks } = received();
    client.send({ type: "ack", key: alice.key, epoch: head.epoch, blocks });
    return blocks === head.blocks;
  });
  await client.close();
  await relay.stop();
});

Deno.test("news are encoded once for all subscribers that have a number in common", async () => {
  const repo = await Repo.open(new MemoryStore(), alice);
  let news: Advance | undefined;
  repo.on("advance", (advance) => news = advance);
  repo.set("a", 1);
  await repo.flush();
  const first = await nextFrame(repo.log, 7, 0, news);
  const second = await nextFrame(repo.log, 7, 0, news);
  assert.strictEqual(second!.frame, first!.frame);
  const other = await nextFrame(repo.log, 8, 0, news);
  assert.notDeepStrictEqual(other!.frame, first!.frame);
  const unshared = await nextFrame(repo.log, 7, 0, undefined);
  assert.deepStrictEqual(unshared!.frame, first!.frame);
});

Deno.test("what was sent in vain counts until something that came after it is acknowledged", () => {
  const window = new SendWindow();
  for (let end = 1; !window.isFull; end++) window.push(end, 2 ** 18);
  for (let again = 0; again < 10; again++) {
    window.clear();
    let sent = 0;
    for (; !window.isFull; sent++) window.push(sent + 1, 2 ** 18);
    assert.equal(sent, 2, "enough that a peer acknowledges it, and no second window");
  }
  window.release(1);
  let more = 0;
  for (let end = 3; !window.isFull; end++) window.push(end, more++ < 100 ? 2 ** 18 : WINDOW_BYTES);
  assert.equal(more, WINDOW_BYTES / 2 ** 18 - 1);
});

Deno.test("to a peer that reads nothing and starts over again and again a window is sent, not more", async () => {
  const registry = new Registry({ store: new MemoryStore() });
  const key = alice.key;
  const repo = await registry.open(alice);
  await repo.putBytes(["film"], new Blob([noise(2, 2 * WINDOW_BYTES)]).stream());
  await repo.flush();
  const isOpened = Promise.withResolvers<void>();
  let sent = 0;
  let onFrame = () => {};
  const transport = {
    bufferedBytes: 0,
    send(data) {
      if (typeof data === "string" && data.includes(`"open"`)) isOpened.resolve();
      if (typeof data === "string") return;
      this.bufferedBytes += data.length;
      sent += data.length;
      onFrame();
    },
    close: () => transport.onClose(""),
    onMessage: () => {},
    onClose: () => {},
  } as { -readonly [Name in keyof Transport]: Transport[Name] };
  const session = connect(registry, "nowhere", {
    signers: [alice],
    openTransport: () => {
      queueMicrotask(() => transport.onMessage(encodeMessage(hello("deaf"))));
      return transport;
    },
  });
  await session.subscribe(key);
  await isOpened.promise;
  const fields = { head: undefined, staged: undefined, shared: undefined };
  // Each is worked on when nothing of those before is left to do.
  for (let again = 0; again < 30; again++) {
    transport.onMessage(encodeMessage({ type: "opened", key, channel: 0, ...fields }));
  }
  const isRefused = new Promise((resolve) => session.on("rejected", resolve));
  const refused = { type: "reject", key, code: "refused", message: "", head: undefined } as const;
  transport.onMessage(encodeMessage(refused));
  await isRefused;
  assert.ok(sent > WINDOW_BYTES, "a window was sent");
  assert.ok(sent < WINDOW_BYTES + 2 * FRAME_MAX_BYTES, `${sent} bytes were sent`);
  const before = sent;
  transport.bufferedBytes = 0;
  const isResumed = new Promise<void>((resolve) => onFrame = resolve);
  transport.onMessage(encodeMessage({ type: "opened", key, channel: 0, ...fields }));
  await isResumed;
  assert.ok(sent > before, "when it has read them it is sent more");
  session.close();
});
