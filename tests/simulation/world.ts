/** What one seed makes: who is there, what they do, what goes wrong. */

import type { Chance } from "./chance.ts";
import { Device } from "./device.ts";
import { Liar } from "./liar.ts";
import { Mangler } from "./mangler.ts";
import { Network } from "./network.ts";
import { Relay } from "./relay.ts";
import { Scene } from "./scene.ts";
import type { WorkLoad } from "./work.ts";

/** Kinds of worlds: which ones a run may be. */
export interface WorldOptions {
  /** How many relays there are at most; 1 by default. */
  readonly maxRelays?: number;
  /** Prints every line of the trace. */
  readonly isShown?: boolean;
}

/** What goes wrong in a world. */
export type Trouble =
  | "break"
  | "partition"
  | "crashDevice"
  | "crashRelay"
  | "fullDisk"
  | "slowDisk"
  | "clock"
  | "reopen"
  | "lose";

/** Everybody of one run. */
export interface World {
  readonly scene: Scene;
  readonly relays: readonly Relay[];
  readonly devices: Device[];
  readonly liar: Liar | undefined;
  readonly mangler: Mangler | undefined;
  readonly load: WorkLoad;
  readonly troubles: readonly Trouble[];
  /** How long it is troubled, in milliseconds. */
  readonly chaosMs: number;
  /** Mean milliseconds between two troubles. */
  readonly troubleMs: number;
}

const TROUBLES: readonly Trouble[] = [
  "break",
  "break",
  "partition",
  "crashDevice",
  "crashRelay",
  "fullDisk",
  "slowDisk",
  "clock",
  "reopen",
];

/** The world of a seed. */
export async function makeWorld(seed: number, options: WorldOptions): Promise<World> {
  const scene = new Scene(seed, options.isShown ?? false);
  const chance = scene.chance("world");
  const mangling = scene.chance("mangler");
  const mangler = mangling.is(0.15) ? new Mangler(mangling) : undefined;
  scene.network = makeNetwork(scene, chance, mangler);
  const authors = ["alice", "bob", "carol"].slice(0, chance.of([1, 1, 1, 2, 2, 3]));
  for (const name of authors) await scene.addAuthor(name);
  const isLied = chance.is(0.25);
  const isCompacted = !isLied && chance.is(0.2);
  const isLossy = !isLied && !isCompacted && chance.is(0.3);
  const liar = isLied ? await Liar.open(scene) : undefined;
  const relays = makeRelays(scene, chance, options, liar);
  const devices = makeDevices(scene, chance, relays, mangler !== undefined);
  const troubles = TROUBLES.filter(() => chance.is(0.5));
  return {
    scene,
    relays,
    devices,
    liar,
    mangler,
    load: {
      pauseMs: chance.of([300, 1000, 3000]),
      largeBytes: chance.of([5_000, 50_000, 300_000]),
      compactions: isCompacted ? 0.05 : 0,
    },
    troubles: isLossy ? [...troubles, "lose"] : troubles,
    chaosMs: chance.of([10_000, 20_000, 40_000]),
    troubleMs: chance.of([500, 1500, 4000]),
  };
}

function makeNetwork(scene: Scene, chance: Chance, mangler: Mangler | undefined): Network {
  const { timeline, trace } = scene;
  return new Network({
    timeline,
    trace,
    mangler,
    chance: scene.chance("network"),
    latencyMs: chance.of([1, 20, 200]),
    bytesPerMs: chance.of([50, 1000, 10_000]),
    onCode: (who, code, reason) => {
      // What a lying relay makes of its clients is its own affair.
      if (code === 4002) scene.trace.note(who, `ended for: ${reason}`);
      if (reason.includes("unexpected: ")) scene.fault(who, reason);
    },
  });
}

function makeRelays(scene: Scene, chance: Chance, options: WorldOptions, liar?: Liar): Relay[] {
  const count = chance.integer(1, options.maxRelays ?? 1);
  return Array.from({ length: count }, (_, i) => {
    return new Relay(scene, `relay${i}`, chance.is(0.3), i === 0 ? liar : undefined);
  });
}

function makeDevices(
  scene: Scene,
  chance: Chance,
  relays: readonly Relay[],
  isMangled: boolean,
): Device[] {
  const count = Math.max(chance.integer(2, 4), scene.authors.length);
  const names = relays.map(({ name }) => name);
  const isDeceived = isMangled || relays.some(({ liar }) => liar !== undefined);
  return Array.from({ length: count }, (_, i) => {
    const isReader = i >= scene.authors.length && chance.is(0.3);
    const author = isReader ? undefined : scene.authors[i % scene.authors.length];
    const name = `${author?.name ?? "reader"}${i}`;
    const known = chance.is(0.5) ? names : [chance.of(names)];
    const isSync = chance.is(0.6);
    const isCompacting = i < scene.authors.length;
    return new Device(scene, { name, author, relays: known, isSync, isCompacting, isDeceived });
  });
}
