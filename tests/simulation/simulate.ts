/** One seed, from its beginning to the judgement of what is left. */

import { defaultCrypto } from "../../core/identity/default_crypto.ts";
import { Signer } from "../../core/identity/signer.ts";
import { MemoryStore } from "../../core/log/memory_store.ts";
import { Registry } from "../../core/repo/registry.ts";
import { Repo } from "../../core/repo/repo.ts";
import { FRAME_MAX_BYTES } from "../../core/sync/frame.ts";
import { WINDOW_BYTES } from "../../core/sync/send_window.ts";
import { connect } from "../../core/sync/session.ts";
import { transportPair } from "../../core/sync/transport.ts";
import { Device } from "./device.ts";
import type { Author } from "./scene.ts";
import { Shown } from "./shown.ts";
import { heal, makeTrouble } from "./troubles.ts";
import { work } from "./work.ts";
import { makeWorld, type World, type WorldOptions } from "./world.ts";

/** Everybody must be of one mind so long after the last trouble. */
const CALM_MS = 10 * 60_000;
/** So long nothing may change any more then. */
const REST_MS = 90_000;

/** Two windows of each log, as a peer may start over once, with the frames that go past them. */
const QUEUE_BYTES = 2 * (WINDOW_BYTES + FRAME_MAX_BYTES);

/** How a run ended. */
export interface Report {
  readonly seed: number;
  /** Nothing if all is well. */
  readonly faults: readonly string[];
  /** Equal for equal runs. */
  readonly hash: string;
  readonly tail: readonly string[];
  /** Writes, secured ones, heads at the end, lies, mangled messages: that something happened at all. */
  readonly counts: {
    writes: number;
    secured: number;
    blocks: number;
    lies: number;
    mangled: number;
    events: number;
    peakBytes: number;
  };
}

/** What is loaded late takes real time, which is spent here: sessions when they connect, compacting. */
const isLoaded = (async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const signer = new Signer("loads", await defaultCrypto().signingKey(new Uint8Array(32)));
  const session = connect(new Registry({ store: new MemoryStore() }), "nowhere", {
    signers: [signer],
    openTransport: () => {
      queueMicrotask(() => session.close());
      resolve();
      return transportPair()[0];
    },
  });
  await promise;
  const repo = await Repo.open(new MemoryStore(), signer);
  repo.set(1);
  await repo.compact();
})();

/** Runs the world of `seed`. */
export async function simulate(seed: number, options: WorldOptions = {}): Promise<Report> {
  await isLoaded;
  const world = await makeWorld(seed, options);
  const { scene } = world;
  const stop = catchUncaught((error) => scene.uncaught("process", error));
  try {
    for (const relay of world.relays) relay.start();
    for (const device of world.devices) {
      device.start();
      keepBusy(world, device);
    }
    makeTrouble(world);
    await scene.timeline.runUntil(world.chaosMs);
    heal(world);
    await calmDown(world);
    await judge(world);
  } finally {
    stop();
  }
  return report(world);
}

/** For people: what is wrong, what came before, and how to see it again. */
export function explain({ seed, faults, tail }: Report): string {
  return [
    `seed ${seed}: ${faults.length} faults`,
    ...faults,
    "the end of its trace:",
    ...tail.map((line) => line.slice(0, 200)),
    `STREAMO_SEED=${seed} deno test -A --no-check tests/simulation`,
  ].join("\n");
}

/** Somebody uses the device until the end of the chaos. */
function keepBusy({ scene, load, chaosMs }: World, device: Device): void {
  const { chance } = device;
  const again = (): void => {
    if (scene.timeline.now > chaosMs || device.isLost) return;
    work(device, load).catch((error) => scene.uncaught(device.name, error));
    scene.timeline.after(chance.skewed(1, 4 * load.pauseMs), again);
  };
  scene.timeline.after(chance.skewed(1, 4 * load.pauseMs), again);
}

/** A newcomer asks for everything; then all must become equal, and stay so. */
async function calmDown(world: World): Promise<void> {
  const { scene, devices } = world;
  bring(world, "newcomer");
  for (const author of scene.authors) {
    const own = devices.filter(({ options }) => options.author === author);
    // Relays keep aside what was acknowledged and lost a race, until somebody has the signer again.
    if (own.every(({ isLost }) => isLost)) bring(world, `heir of ${author.name}`, author);
  }
  const start = scene.timeline.now;
  for (const device of devices) device.flush();
  await scene.timeline.runUntil(start + CALM_MS, () => isCalm(world));
  if (!isCalm(world)) return scene.fault("world", `never calms down:\n${describe(world)}`);
  scene.trace.note("world", "is calm");
  const heads = describeHeads(world);
  let landings = 0;
  for (const device of devices) {
    device.flush();
    for (const session of device.sessions) device.land(session).then(() => landings++);
  }
  await scene.timeline.runUntil(scene.timeline.now + REST_MS);
  if (describeHeads(world) !== heads) {
    scene.fault("world", `goes on after it was calm:\n${heads}\n${describe(world)}`);
  }
  const expected = devices.reduce((sum, { sessions }) => sum + sessions.length, 0);
  if (landings < expected) scene.fault("world", `${expected - landings} landings never end`);
}

/** A new device that knows all relays. */
function bring({ scene, devices, relays }: World, name: string, author?: Author): void {
  const options = { isSync: true, isCompacting: false, isDeceived: false };
  const device = new Device(scene, {
    name,
    author,
    relays: relays.map(({ name }) => name),
    ...options,
  });
  devices.push(device);
  device.start();
}

/** Whether every process has the same head of every author, keeps nothing beside its log, and says so. */
function isCalm({ scene, devices, relays }: World): boolean {
  if (devices.some(({ pending, compactions }) => pending + compactions > 0)) return false;
  return scene.authors.every(({ key }) => {
    const first = devices.find(({ isLost }) => !isLost)?.repos.get(key);
    if (first === undefined) return false;
    const head = headText(first.head);
    return devices.every(({ isLost, repos, sessions }) => {
      if (isLost) return true;
      const repo = repos.get(key);
      if (repo === undefined || repo.log.isDirty || headText(repo.head) !== head) return false;
      if (repo.trunk.asides.length > 0) return false;
      return sessions.every(({ status }) => {
        if (status.state !== "online") return false;
        const found = status.repos.find((repo) => repo.key === key);
        return found?.phase === "live" &&
          (repo.signer === undefined || found.acked >= found.blocks);
      });
    }) && relays.every(({ disk }) =>
      headText(disk.headNow(key)) === head && disk.asidesNow(key) === 0
    );
  });
}

function headText(head: { epoch: number; blocks: number; root: Uint8Array } | undefined): string {
  return head === undefined ? "none" : `${head.epoch}/${head.blocks}/${head.root.toHex()}`;
}

function describeHeads({ scene, devices, relays }: World): string {
  return scene.authors.flatMap(({ name, key }) => [
    ...devices.map((device) =>
      `${name} on ${device.name}: ${headText(device.repos.get(key)?.head)}`
    ),
    ...relays.map(({ name: on, disk }) =>
      `${name} on ${on}: ${headText(disk.headNow(key))}, ${disk.asidesNow(key)} aside`
    ),
  ]).join("\n");
}

function describe(world: World): string {
  const sessions = world.devices.flatMap(({ name, sessions }) =>
    sessions.flatMap(({ status }) =>
      status.repos.map(({ key, phase, blocks, peerBlocks, acked, refusal }) =>
        `${name} ${status.state} ${status.url} ${key.slice(0, 6)} ${phase} ${blocks} blocks, ` +
        `peer ${peerBlocks}, acked ${acked} ${refusal?.code ?? ""}`
      )
    )
  );
  return [describeHeads(world), ...sessions].join("\n");
}

/** What must hold of what is left. */
async function judge(world: World): Promise<void> {
  const { scene, devices, relays } = world;
  const { peakBytes } = scene.network;
  if (peakBytes > scene.authors.length * QUEUE_BYTES) {
    scene.fault("network", `${peakBytes} bytes waited on one connection`);
  }
  for (const { name, isLost } of devices) {
    if (!isLost) { for (const { truth } of scene.authors) truth.settle(name); }
  }
  for (const { key, truth } of scene.authors) {
    const left = devices.filter(({ isLost }) => !isLost);
    for (const { disk } of [...left, ...relays]) await scene.inspector.whole(disk.kept, key);
    const values: string[] = [];
    for (const { repos, name } of devices) {
      const repo = repos.get(key);
      if (repo === undefined) continue;
      const [value, events] = await runNow(
        world,
        () => repo.read(() => [repo.get(), repo.events().map(({ value }) => value)] as const),
      );
      if (!await runNow(world, () => isLinked(repo))) scene.fault(name, "links leave events out");
      const shown = new Shown(truth);
      for (const fault of [...shown.faults(value), ...shown.eventFaults(events)]) {
        scene.fault(name, fault);
      }
      const text = JSON.stringify([value, events]);
      if (values.push(text) > 1 && text !== values[0]) scene.fault(name, "shows another value");
      if (values.length > 1) continue;
      for (const fault of truth.faults({ value, events })) scene.fault(truth.author, fault);
    }
  }
}

/** Whether the chain of events has all those that history has. */
async function isLinked(repo: Repo): Promise<boolean> {
  const linked = await Array.fromAsync(repo.loadEvents(), ({ record }) => record.seq);
  const all = await Array.fromAsync(repo.loadHistory());
  const published = all.filter(({ hasEvent }) => hasEvent).map(({ seq }) => seq);
  return linked.reverse().join() === published.join();
}

/** What `work` gives, while time goes on. */
async function runNow<T>({ scene }: World, work: () => Promise<T>): Promise<T> {
  let result: { value: T } | undefined;
  const done = work().then((value) => result = { value });
  await scene.timeline.runUntil(scene.timeline.now + 60_000, () => result !== undefined);
  await done;
  return result!.value;
}

function report({ scene, devices, liar, mangler }: World): Report {
  const { seed, faults, trace, timeline, authors, network } = scene;
  const sum = (count: (name: (typeof authors)[number]) => number) =>
    authors.reduce((total, author) => total + count(author), 0);
  return {
    seed,
    faults,
    hash: trace.hash,
    tail: trace.tail(60),
    counts: {
      writes: sum(({ truth }) => truth.size),
      secured: sum(({ truth }) => truth.secured),
      blocks: sum(({ key }) => devices.at(-1)?.repos.get(key)?.head?.blocks ?? 0),
      lies: liar?.lies ?? 0,
      mangled: mangler?.count ?? 0,
      events: timeline.events,
      peakBytes: network.peakBytes,
    },
  };
}

/** Errors that reach nobody come to `onError`, until the result is called. */
function catchUncaught(onError: (error: unknown) => void): () => void {
  const onRejection = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    onError(event.reason);
  };
  const onThrown = (event: ErrorEvent): void => {
    event.preventDefault();
    onError(event.error);
  };
  addEventListener("unhandledrejection", onRejection);
  addEventListener("error", onThrown);
  return () => {
    removeEventListener("unhandledrejection", onRejection);
    removeEventListener("error", onThrown);
  };
}
