import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import { TOPIC_LIMITS } from "../../../core/sync/topic_limits.ts";
import { startClient } from "../../suites/clients.ts";
import { deafClient, hangUp, rawClient, textFrame } from "../../suites/hostile_client.ts";
import { hello } from "../../suites/hello.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";

const { key } = await signerOf("alice");
const LOBBY = "lobby";

const MALFORMED: Readonly<Record<string, string>> = {
  "a topic that is none": '{"type":"interest","topic":""}',
  "an announcement of no key": '{"type":"announce","topic":"t","key":"x"}',
  "data that is no hexadecimal": '{"type":"cast","topic":"t","data":"xyz"}',
  "more than 256 announcements": JSON.stringify({
    type: "present",
    topic: "t",
    announcements: Array(257).fill({ key }),
  }),
};

for (const [name, text] of Object.entries(MALFORMED)) {
  Deno.test(`a relay ends the connection at ${name}`, async () => {
    const relay = startRelay(new MemoryStore());
    const client = await rawClient(relay.url);
    client.send({ type: "interest", topic: LOBBY });
    client.send(text);
    await client.until(() => client.end !== undefined);
    assert.match(client.end!.reason, /^malformed: /);
    await relay.stop();
    assert.equal(relay.topics.size, 0, "its interest ends with it");
  });
}

Deno.test("what only a relay tells, told to a relay, changes nothing and is passed on to nobody", async () => {
  const relay = startRelay(new MemoryStore());
  using watcher = startClient(relay.url);
  watcher.session.interest(LOBBY);
  const liar = await rawClient(relay.url);
  const data = new Uint8Array([0, 1]);
  liar.send({ type: "announced", topic: LOBBY, key, by: key });
  liar.send({ type: "heard", topic: LOBBY, data, by: key });
  liar.send({ type: "present", topic: LOBBY, announcements: [{ key, by: key }] });
  liar.send({ type: "refuse", of: "cast", code: "rate", message: "", topic: LOBBY, key });
  liar.send({ type: "announce", topic: LOBBY, key, by: undefined });
  await watcher.until(() => watcher.heard.length > 0);
  assert.deepStrictEqual(watcher.heard, [
    { name: "announced", topic: LOBBY, key, by: undefined },
  ]);
  await liar.close();
  watcher.session.close();
  await relay.stop();
});

Deno.test("who asks for more than a connection may have is refused the rest, and loses nothing", async () => {
  const relay = startRelay(new MemoryStore());
  const client = await rawClient(relay.url);
  const { interests, announcements } = TOPIC_LIMITS;
  for (let i = 0; i <= interests; i++) client.send({ type: "interest", topic: `t${i}` });
  for (let i = 0; i <= announcements; i++) {
    client.send({ type: "announce", topic: `t${i}`, key, by: undefined });
  }
  const refusals = () => client.heard.filter((message) => message.type === "refuse");
  await client.until(() => refusals().length === 2);
  assert.deepStrictEqual(
    refusals().map((message) => message.type === "refuse" && [message.of, message.code]),
    [["interest", "refused"], ["announce", "refused"]],
  );
  await client.until(() =>
    client.heard.filter(({ type }) => type === "announced").length === announcements
  );
  assert.equal(relay.topics.size, interests);
  await client.close();
  await relay.stop();
  assert.equal(relay.topics.size, 0);
});

Deno.test("a reader that does not read takes bounded memory, and casts reach the others", async () => {
  const relay = startRelay(new MemoryStore(), {
    topics: { limits: { casts: { burst: 1e6, perSecond: 1e6 } } },
  });
  const deaf = await deafClient(relay.port);
  const [conversation] = relay.conversations;
  for (const message of [hello("deaf"), { type: "interest", topic: LOBBY } as const]) {
    await deaf.write(textFrame(message));
  }
  await rawClient(relay.url).then(async (caster) => {
    const reader = await rawClient(relay.url);
    reader.send({ type: "interest", topic: LOBBY });
    await reader.next("present");
    await until(() => conversation.heard === 2);
    const data = crypto.getRandomValues(new Uint8Array(4096));
    let most = 0;
    // 12 MB of text for each of the two.
    for (let i = 0; i < 1500; i++) {
      caster.send({ type: "cast", topic: LOBBY, data, by: undefined });
      if (i % 20 !== 0) continue;
      caster.send({ type: "ping" });
      await caster.next("pong");
      most = Math.max(most, conversation.bufferedBytes);
    }
    assert.ok(most > TOPIC_LIMITS.waitingBytes, `only ${most} bytes waited`);
    assert.ok(most < TOPIC_LIMITS.waitingBytes + 16_384, `${most} bytes waited`);
    const heard = reader.heard.filter(({ type }) => type === "heard").length;
    assert.ok(heard > 500, `${heard} of 1500 casts reached a reader`);
    assert.deepStrictEqual(relay.broken, []);
    await reader.close();
    await caster.close();
  });
  await hangUp(deaf);
  await relay.stop();
});

/** Resolves when `test` holds, looked at whenever everything else has had its turn. */
async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 0));
}
