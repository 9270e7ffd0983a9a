/** What an acknowledgement is about. */

import assert from "node:assert/strict";
import type { Message } from "../../../core/sync/messages.ts";
import { startDevice, until } from "../../suites/devices.ts";
import { type Caller, startScript } from "../../suites/hostile_relay.ts";
import { signerOf } from "../../suites/people.ts";

const alice = await signerOf("alice");
const { key } = alice;

Deno.test("an acknowledgement that was on its way while the log was replaced is none of the new one", async () => {
  const ack = (epoch: number, blocks: number): Message => ({ type: "ack", key, epoch, blocks });
  const sent = new Map<number, Caller>();
  const relay = startScript((heard, caller) => {
    const shared = 0;
    const nothing = { key, channel: 5, head: undefined, staged: undefined, shared };
    if (heard.type === "open") caller.send({ type: "opened", ...nothing });
    if (heard.type === "run") sent.set(heard.run.head.epoch, caller);
  });
  const device = await startDevice({ url: relay.url, key, signer: alice });
  const { repo, session } = device;
  for (let n = 0; n < 6; n++) {
    repo.set({ n });
    await repo.flush();
  }
  await relay.until(() => sent.has(0));
  await repo.compact();
  await relay.until(() => sent.has(1));
  const status = () => session.status.repos[0];
  assert.equal(status().blocks, 1);
  const caller = sent.get(1)!;
  // Six blocks of the old log are no block of the new one.
  caller.send(ack(0, 6));
  caller.send({ type: "roots", key, at: [1] });
  await relay.until(() => caller.heard.some(({ type }) => type === "rooted"));
  assert.equal(status().acked, 0);
  const landed = session.landed(repo);
  caller.send(ack(1, 1));
  await landed;
  await until(device, () => status().acked === 1);
  session.close();
  await relay.stop();
});
