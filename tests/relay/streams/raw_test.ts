import assert from "node:assert/strict";
import { concat } from "../../../core/bytes.ts";
import { defaultCrypto } from "../../../core/identity/default_crypto.ts";
import { decodeHead, verifyHead } from "../../../core/log/head.ts";
import { keyOf, noise, relayWorld } from "../../suites/relay_world.ts";

async function longLog() {
  const world = await relayWorld();
  // Several blocks: from large bytes, and from one commit after the other.
  await world.write("alice", { film: noise(200_000) });
  for (let n = 0; n < 5; n++) await world.write("alice", { film: noise(200_000), n });
  const key = await keyOf("alice");
  const { head } = (await world.store.head(key))!;
  const blocks = await Array.fromAsync(world.store.blocks(key, 0, 0, head!.blocks));
  return { ...world, key, head: head!, log: concat(blocks.map(({ bytes }) => bytes)) };
}

Deno.test("/streams/KEY/head is the signed head", async () => {
  const { get, key, head, write } = await longLog();
  const response = await get(`/streams/${key}/head`);
  const signed = decodeHead(await response.bytes());
  const verified = await verifyHead(signed, key, defaultCrypto());
  assert.equal(verified.blocks, head.blocks);
  const etag = response.headers.get("etag")!;
  assert.equal((await get(`/streams/${key}/head`, { "if-none-match": etag })).status, 304);
  await write("alice", "newer");
  assert.equal((await get(`/streams/${key}/head`, { "if-none-match": etag })).status, 200);
});

Deno.test("/streams/KEY/log is every block, and any range of them", async () => {
  const { get, key, log } = await longLog();
  const whole = await get(`/streams/${key}/log`);
  assert.equal(whole.headers.get("content-length"), String(log.length));
  assert.deepEqual(await whole.bytes(), log);
  const ranges = [[0, 0], [61_439, 61_440], [61_440, 130_000], [5, log.length - 1]];
  for (const [first, last] of ranges) {
    const part = await get(`/streams/${key}/log`, { range: `bytes=${first}-${last}` });
    assert.equal(part.status, 206);
    assert.deepEqual(await part.bytes(), log.slice(first, last + 1), `${first}-${last}`);
  }
});
