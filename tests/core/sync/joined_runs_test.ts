import assert from "node:assert/strict";
import { MemoryStore } from "../../../core/log/memory_store.ts";
import type { Run } from "../../../core/log/run.ts";
import { Repo } from "../../../core/repo/repo.ts";
import { encodeFrame, Frame, FRAME_FILL_BYTES } from "../../../core/sync/frame.ts";
import { JoinedRuns, partsOf } from "../../../core/sync/joined_runs.ts";
import { RAW_CHANNEL, type RawClient, rawClient } from "../../suites/hostile_client.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";
import { runOf } from "../../suites/runs.ts";
import { GatedStore } from "../../suites/stores.ts";

const alice = await signerOf("alice");
const repo = await Repo.open(new MemoryStore(), alice);
for (let i = 0; i < 6; i++) {
  repo.publish(i);
  await repo.flush();
}
const runs: Run[] = [];
for (let i = 0; i < 6; i++) runs.push(await runOf(repo, i, i + 1));
const frameOf = (run: Run) => new Frame(encodeFrame(RAW_CHANNEL, run));

Deno.test("runs that follow one another are one, with the last one's proof", async () => {
  const joined = new JoinedRuns(frameOf(runs[2]));
  assert.deepEqual(joined.whole(), runs[2]);
  assert.equal(joined.join(frameOf(runs[4])), false, "a gap");
  assert.equal(joined.join(frameOf(runs[2])), false, "once more");
  assert.equal(joined.join(frameOf(runs[3])), true);
  const whole = joined.whole();
  const { head, first, blocks, proof } = await runOf(repo, 2, 4);
  assert.deepEqual(whole, { head, first, blocks, proof });
  assert.deepEqual(partsOf(whole), [runs[2], runs[3]]);
});

Deno.test("runs of another epoch, of older heads, or too many bytes stay apart", () => {
  const { head } = runs[1];
  const joins = (run: Run) => new JoinedRuns(frameOf(runs[0])).join(frameOf(run));
  assert.equal(joins(runs[1]), true);
  assert.equal(joins({ ...runs[1], head: { ...head, epoch: 1 } }), false);
  assert.equal(joins({ ...runs[1], head: { ...head, blocks: 5 } }), false);
  const block = new Uint8Array(FRAME_FILL_BYTES / 16);
  assert.equal(joins({ ...runs[1], blocks: Array.from({ length: 16 }, () => block) }), false);
});

/** Sends the first run, and `rest` while it is being stored. */
async function sendAll(
  rest: readonly Run[],
  body: (client: RawClient, appends: () => number, store: GatedStore) => Promise<void>,
): Promise<void> {
  const store = new GatedStore();
  const relay = startRelay(store);
  const client = await rawClient(relay.url);
  try {
    client.send({ type: "open", key: alice.key, channel: RAW_CHANNEL, have: undefined });
    await client.next("opened");
    const { begun, release } = store.hold();
    client.sendRun(runs[0]);
    await begun;
    let appends = 0;
    store.gate = (append) => (appends++, append());
    for (const run of rest) client.sendRun(run);
    // It comes back when everything before it has been read.
    client.send({ type: "ping" });
    await client.next("pong");
    release();
    await body(client, () => appends, store);
  } finally {
    await client.close();
    await relay.stop();
  }
}

Deno.test("what comes while a relay stores is stored at once, and acknowledged at once", async () => {
  await sendAll(runs.slice(1), async (client, appends, store) => {
    assert.equal((await client.next("ack")).blocks, 1);
    assert.equal((await client.next("ack")).blocks, 6);
    assert.equal(appends(), 1);
    assert.equal((await store.head(alice.key))?.head?.blocks, 6);
  });
});

Deno.test("a wrong run among others spoils none that came before it", async () => {
  const [bytes] = runs[3].blocks;
  const wrong = { ...runs[3], blocks: [bytes.with(0, bytes[0] ^ 1)] };
  await sendAll([runs[1], runs[2], wrong, runs[4], runs[5]], async (client, _appends, store) => {
    assert.equal((await client.next("reject")).code, "bad_block");
    assert.equal((await store.head(alice.key))?.length, 3);
  });
});
