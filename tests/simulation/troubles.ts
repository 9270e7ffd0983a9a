/** What goes wrong, one thing at a time, each with its end. */

import type { Chance } from "./chance.ts";
import type { Device } from "./device.ts";
import type { Relay } from "./relay.ts";
import type { Trouble, World } from "./world.ts";

const DAY_MS = 86_400_000;

type Make = (world: World, chance: Chance) => void;

const MAKE: Readonly<Record<Trouble, Make>> = {
  break: ({ scene }) => scene.network.breakOne(),
  partition: ({ scene, relays, devices }, chance) => {
    const island = [...relays, ...devices].map(({ name }) => name).filter(() => chance.is(0.4));
    scene.trace.note("network", `cuts off ${island}`);
    scene.network.partition(new Set(island));
    scene.timeline.after(chance.skewed(100, 60_000), () => scene.network.partition(new Set()));
  },
  crashDevice: ({ scene, devices }, chance) => {
    const device = chance.of(devices);
    device.crash();
    scene.timeline.after(chance.skewed(1, 15_000), () => device.start());
  },
  crashRelay: ({ scene, relays }, chance) => {
    const relay = chance.of(relays);
    relay.crash();
    scene.timeline.after(chance.skewed(1, 15_000), () => relay.start());
  },
  fullDisk: (world, chance) => {
    const { disk, name } = oneOf(world, chance);
    const isFull = chance.is(0.7);
    world.scene.trace.note(name, isFull ? "disk is full" : "disk loses answers");
    if (isFull) disk.isFull = true;
    else disk.lostAnswers = 0.3;
    world.scene.timeline.after(chance.skewed(10, 20_000), () => {
      disk.isFull = false;
      disk.lostAnswers = 0;
    });
  },
  slowDisk: (world, chance) => {
    const { disk, name } = oneOf(world, chance);
    const usual = disk.slownessMs;
    disk.slownessMs = chance.of([50, 500, 3000]);
    world.scene.trace.note(name, `disk takes up to ${disk.slownessMs} ms`);
    world.scene.timeline.after(
      chance.skewed(10, 20_000),
      () => disk.slownessMs = Math.min(usual, 2),
    );
  },
  clock: (world, chance) => {
    const node = oneOf(world, chance);
    node.clockOffMs += chance.integer(-5 * DAY_MS, 5 * DAY_MS);
    world.scene.trace.note(node.name, `clock is ${node.clockOffMs} ms off`);
  },
  reopen: ({ scene, devices }, chance) => {
    const device = chance.of(devices);
    device.close().then(() => {
      scene.timeline.after(chance.skewed(1, 5000), () => device.start());
    });
  },
  lose: ({ devices }, chance) => {
    const left = devices.filter(({ isLost }) => !isLost);
    if (left.length > 1 && chance.is(0.3)) chance.of(left).lose();
  },
};

/** Makes trouble until the end of the chaos. */
export function makeTrouble(world: World): void {
  const { scene, troubles, chaosMs, troubleMs } = world;
  if (troubles.length === 0) return;
  const chance = scene.chance("troubles");
  const again = (): void => {
    if (scene.timeline.now > chaosMs) return;
    MAKE[chance.of(troubles)](world, chance);
    scene.timeline.after(chance.skewed(1, 2 * troubleMs), again);
  };
  scene.timeline.after(chance.skewed(1, 2 * troubleMs), again);
}

/** Everything works from now on, and everybody is there who is not lost. */
export function heal(world: World): void {
  const { scene, relays, devices, liar, mangler } = world;
  scene.trace.note("world", "heals");
  scene.network.partition(new Set());
  if (liar !== undefined) {
    liar.isLying = false;
    // Nobody can know what it has said that was not so.
    for (const relay of relays) if (relay.liar !== undefined) relay.crash();
  }
  if (mangler !== undefined) {
    mangler.isMangling = false;
    scene.network.breakAll();
  }
  for (const node of [...relays, ...devices]) {
    node.disk.isFull = false;
    node.disk.lostAnswers = 0;
    node.disk.slownessMs = 2;
    node.start();
  }
}

function oneOf({ relays, devices }: World, chance: Chance): Device | Relay {
  return chance.of([...relays, ...devices]);
}
