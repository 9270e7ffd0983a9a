/** Presence across relays that feed from each other, over real sockets. */

import assert from "node:assert/strict";
import type { Value } from "../../core/codec/value.ts";
import type { Key } from "../../core/identity/key.ts";
import type { Session } from "../../core/sync/session.ts";
import { type ChainRelay, startChainRelay } from "../suites/chain.ts";
import { type Client, startClient } from "../suites/clients.ts";
import { signerOf } from "../suites/people.ts";

const { key: alice } = await signerOf("alice");
const { key: bob } = await signerOf("bob");
const TOPIC = "lobby";

/** Whoever comes to one relay, and is interested. */
class Guest {
  readonly #client: Client;

  constructor({ url }: ChainRelay) {
    this.#client = startClient(url);
    this.session.interest(TOPIC);
  }

  get session(): Session {
    return this.#client.session;
  }

  /** Resolves when these keys are there, and no others. */
  sees(...keys: Key[]): Promise<void> {
    const seen = () => this.session.present(TOPIC).map(({ key }) => key).sort().join();
    return this.#client.until(() => seen() === keys.sort().join());
  }

  /** All casts, when there are so many. */
  async hears(count: number): Promise<Value[]> {
    await this.#client.until(() => this.casts.length >= count);
    return this.casts;
  }

  get casts(): Value[] {
    return this.#client.heard.flatMap((event) => event.name === "cast" ? [event.data] : []);
  }
}

const visit = (relay: ChainRelay) => new Guest(relay);

async function stop(guests: readonly Guest[], relays: readonly ChainRelay[]): Promise<void> {
  for (const { session } of guests) session.close();
  await Promise.all(relays.map((relay) => relay.stop()));
}

Deno.test("three relays in a row: who is at one end is seen and heard at the other, until it leaves", async () => {
  const top = await startChainRelay();
  const middle = await startChainRelay([top.url]);
  const bottom = await startChainRelay([middle.url]);
  const [high, low, speaker] = [visit(top), visit(bottom), visit(bottom)];
  high.session.announce(alice, TOPIC);
  speaker.session.announce(bob, TOPIC);
  await Promise.all([high.sees(alice, bob), low.sees(alice, bob), speaker.sees(alice, bob)]);
  high.session.cast(TOPIC, { from: "above" });
  for (const guest of [low, speaker]) {
    assert.deepStrictEqual(await guest.hears(1), [{ from: "above" }]);
  }
  low.session.cast(TOPIC, "from below");
  assert.deepStrictEqual(await high.hears(1), ["from below"]);
  assert.deepStrictEqual(await speaker.hears(2), [{ from: "above" }, "from below"]);
  speaker.session.close();
  await Promise.all([high.sees(alice), low.sees(alice)]);
  assert.deepStrictEqual(
    [high.casts.length, low.casts.length],
    [1, 1],
    "none comes back, or twice",
  );
  await stop([high, low], [top, middle, bottom]);
});

Deno.test("what came by way of a relay that is gone is withdrawn, and there again when it is back", async () => {
  const top = await startChainRelay();
  const bottom = await startChainRelay([top.url]);
  const [high, low] = [visit(top), visit(bottom)];
  high.session.announce(alice, TOPIC);
  low.session.announce(bob, TOPIC);
  await Promise.all([high.sees(alice, bob), low.sees(alice, bob)]);
  const { port } = top;
  await top.stop();
  await low.sees(bob);
  const again = await startChainRelay([], { port });
  await Promise.all([high.sees(alice, bob), low.sees(alice, bob)]);
  await stop([high, low], [again, bottom]);
});

Deno.test("relays in a ring: everybody sees and hears everybody once, and nobody who left", async () => {
  const ports = await Promise.all([0, 0, 0].map(async () => {
    const relay = await startChainRelay();
    await relay.stop();
    return relay.port;
  }));
  const urls = ports.map((port) => `ws://127.0.0.1:${port}/sync`);
  const relays = await Promise.all(
    ports.map((port, i) => startChainRelay([urls[(i + 1) % 3]], { port })),
  );
  const guests = relays.map(visit);
  guests[0].session.announce(alice, TOPIC);
  guests[1].session.announce(bob, TOPIC);
  await Promise.all(guests.map((guest) => guest.sees(alice, bob)));
  for (const [i, { session }] of guests.entries()) session.cast(TOPIC, i);
  const heard = await Promise.all(guests.map((guest) => guest.hears(2)));
  assert.deepStrictEqual(heard.map((casts) => casts.sort()), [[1, 2], [0, 2], [0, 1]]);
  guests[0].session.close();
  await Promise.all(guests.slice(1).map((guest) => guest.sees(bob)));
  guests[1].session.close();
  await guests[2].sees();
  assert.deepStrictEqual(guests.map(({ casts }) => casts.length), [2, 2, 2]);
  await stop(guests, relays);
});
