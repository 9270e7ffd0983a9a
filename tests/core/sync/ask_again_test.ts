import assert from "node:assert/strict";
import { StreamoError } from "../../../core/errors.ts";
import { startDevice, until } from "../../suites/devices.ts";
import { signerOf } from "../../suites/people.ts";
import { startRelay } from "../../suites/relay.ts";
import { GatedStore } from "../../suites/stores.ts";

const alice = await signerOf("alice");

Deno.test("what a full relay has refused is offered again, without a new connection", async () => {
  const store = new GatedStore();
  let isFull = true;
  store.gate = async (append) => {
    if (isFull) throw new StreamoError("storage", "no space left on the disk");
    await append();
  };
  const relay = startRelay(store);
  const device = await startDevice({
    url: relay.url,
    signer: alice,
    key: alice.key,
    prepare: (repo) => void repo.set("kept", 1),
  });
  const { session, repo } = device;
  await until(device, () => device.rejected.some(({ code }) => code === "storage"));
  await assert.rejects(session.landed(repo), { code: "storage" });
  isFull = false;
  await until(device, () => session.status.repos[0].acked === 1);
  assert.deepStrictEqual((await store.head(alice.key))?.head, repo.head);
  assert.deepStrictEqual(device.delays.filter((delayMs) => delayMs < 10_000), []);
  session.close();
  await relay.stop();
});
