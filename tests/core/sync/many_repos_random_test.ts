import assert from "node:assert/strict";
import { toHex } from "../../../core/hex.ts";
import { type Client, ManyRepos } from "../../suites/many_repos.ts";
import { randomSource } from "../../suites/random.ts";

const REPOS = 40;
const STEPS = 150;

/** What a log ends with, as text. */
async function headsOf(client: Client): Promise<string[]> {
  return await Promise.all(client.repos.map(async ({ key }) => {
    const stored = await client.registry.store.head(key);
    return `${stored?.head?.blocks} ${stored?.head && toHex(stored.head.root)}`;
  }));
}

Deno.test("whatever is parked, written, broken off and restarted when, all devices end with everything", async () => {
  const random = randomSource();
  await using world = await ManyRepos.open(REPOS);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  // Repos 5 to 9 are written by two devices, the last 20 by authors elsewhere.
  const owned = [range(0, 10), range(5, 20), []];
  const devices: Client[] = [];
  for (const mine of owned) devices.push(await world.connect(mine));
  const written = new Map<string, number>();
  const steps: readonly (() => unknown)[] = [
    () => {
      const device = random.integer(0, 1);
      const i = owned[device][random.integer(0, owned[device].length - 1)];
      const name = `device${device} ${written.size}`;
      devices[device].repos[i].set(name, true);
      written.set(name, i);
    },
    () => world.write(random.integer(20, REPOS - 1), random.seed + random.integer(0, 1e9)),
    () => world.alarm.ring(),
    () => devices[random.integer(0, 2)].traffic.drop(),
    () => random.integer(0, 9) === 0 && world.restart(),
    () => new Promise((resolve) => setTimeout(resolve, random.integer(0, 20))),
  ];
  for (let i = 0; i < STEPS; i++) await steps[random.integer(0, steps.length - 1)]();
  const deadline = Date.now() + 20_000;
  for (;;) {
    const heads = await Promise.all(devices.map(headsOf));
    const relay = { ...devices[0], registry: world.relay.registry };
    const [there] = await Promise.all([headsOf(relay)]);
    if (heads.every((own) => own.join() === there.join())) break;
    if (Date.now() > deadline) {
      for (const [i, own] of heads.entries()) {
        assert.deepStrictEqual(own, there, `device ${i}, ${random.seed}`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  for (const [name, i] of written) {
    for (const { repos } of devices) assert.equal(repos[i].get(name), true, random.seed);
  }
  for (const { session, repos } of devices.slice(0, 2)) {
    await Promise.all(repos.map((repo) => session.landed(repo)));
  }
});
