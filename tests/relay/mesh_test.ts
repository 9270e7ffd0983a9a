/** Relays that each feed from all others. */

import assert from "node:assert/strict";
import { type ChainRelay, joinChain, startChainRelay } from "../suites/chain.ts";
import { until } from "../suites/cli.ts";
import { signerOf } from "../suites/people.ts";
import { noise } from "../suites/relay_world.ts";

const alice = await signerOf("alice");

/** So many, in which nothing lasts long that nobody uses. */
async function mesh(size: number): Promise<ChainRelay[]> {
  const ports: number[] = [];
  for (const relay of await Promise.all(Array.from({ length: size }, () => startChainRelay()))) {
    ports.push(relay.port);
    await relay.stop();
  }
  const relays: ChainRelay[] = [];
  for (const port of ports) {
    const others = ports.filter((other) => other !== port);
    const origins = others.map((other) => `ws://127.0.0.1:${other}/sync`);
    relays.push(await startChainRelay(origins, { port, idleMs: 20 }));
  }
  const sessions = relays.flatMap(({ upstreams }) => upstreams.sessions);
  await until("all are connected", () => sessions.every(({ status }) => status.state === "online"));
  return relays;
}

for (const size of [3, 4]) {
  Deno.test(`${size} relays that each feed from all others: everybody gets everything, and what nobody uses is let go`, async () => {
    const relays = await mesh(size);
    for (let round = 0; round < 3; round++) {
      // They come and go at once, so that who asks whom for what changes while it is said.
      const devices = await Promise.all(relays.map(({ url }) => joinChain(url, alice)));
      await Promise.all(devices.map(({ session, repo }) => session.synced(repo)));
      devices.shift()!.session.close();
      const before = relays.reduce((sum, { sentBytes }) => sum + sentBytes(), 0);
      const bytes = noise(100_000);
      await devices[0].repo.putBytes([`film ${round}`], new Blob([bytes]).stream());
      await devices[0].repo.flush();
      const has = ({ repo }: typeof devices[number]) => repo.size(`film ${round}`) > 0;
      await Promise.all(devices.map((device) => device.until(() => has(device))));
      const sent = relays.reduce((sum, { sentBytes }) => sum + sentBytes(), 0) - before;
      // Every device, and every connection of two relays, once each way.
      const most = size + 2 * size * (size - 1);
      assert.ok(sent < bytes.length * most * 1.1, `${sent} bytes sent`);
      for (const { session } of devices) session.close();
      await until(
        "nothing is followed",
        () => relays.every(({ upstreams }) => upstreams.size === 0),
      );
    }
    await Promise.all(relays.map((relay) => relay.stop()));
  });
}
