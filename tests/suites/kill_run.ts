/** A relay and two devices that are killed at random moments while both folders are edited. */

import assert from "node:assert/strict";
import { type Key, parseKey } from "../../core/identity/key.ts";
import { decodeHead } from "../../core/log/head.ts";
import { portOf, type Program, relayProgram, until } from "./cli.ts";
import { Device } from "./device.ts";
import { Edits, pause, toNumber } from "./kill_edits.ts";
import type { RandomSource } from "./random.ts";
import { difference, listTree } from "./sample_tree.ts";

/** What is killed, and started again. */
interface Victim {
  readonly program: Program;
  start(): void;
  /** How many blocks somebody was told to be durable here. */
  promised(): number;
  /** How many blocks it has right after it started; undefined if it did not come to that. */
  held(): Promise<number | undefined>;
}

/** Kills `kills` times, then waits for quiet and checks that all is there. */
export async function killRun(top: string, kills: number, random: RandomSource): Promise<void> {
  const begin = performance.now();
  await using relay = new KilledRelay(`${top}/relay-data`);
  const port = await portOf(relay.program);
  const args = ["--origin", `localhost:${port}`, "--web", "0"];
  await using one = new Device("one", top, args);
  await using two = new Device("two", top, args);
  const [, key] = await one.program.line(/ key +(\S+)/);
  // On a machine on which programs take longer to start, they live longer.
  const lifeMs = Math.ceil(performance.now() - begin);
  relay.know(port, parseKey(key), [one, two]);
  const victims = [killedDevice(one), killedDevice(two), relay];
  const editing = new AbortController();
  const edits = [one, two].map((device) => new Edits(device, random));
  const editors = Promise.all(edits.map((edit) => edit.run(editing.signal)));
  const checks: Promise<void>[] = [];
  try {
    for (let kill = 0; kill < kills; kill++) {
      const killing = killOne(victims[random.integer(0, 2)], lifeMs, random, checks);
      await Promise.race([killing, editors, ...checks.map((check) => check.then(() => killing))]);
    }
  } finally {
    editing.abort();
  }
  await Promise.all([editors, ...checks]);
  await settled(one, two, relay.program);
  for (const edit of edits) edit.check([one, two]);
  await checkNewcomer(one, top, port);
  const acked = edits.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const made = edits.reduce((sum, edit) => sum + edit.made, 0);
  const files = listTree(one.folder).size;
  console.log(`  ${kills} kills, ${made} edits, ${acked} seen acknowledged; ${files} files`);
  assert.ok(acked > 0, "the run was no test: nothing was acknowledged");
}

/** The relay: it is told by the devices what it has acknowledged. */
class KilledRelay implements Victim, AsyncDisposable {
  readonly #dataDir: string;
  #program: Program;
  #known: { port: number; key: Key; devices: readonly Device[] } | undefined;
  #acknowledged = 0;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#program = relayProgram(dataDir);
  }

  get program(): Program {
    return this.#program;
  }

  know(port: number, key: Key, devices: readonly Device[]): void {
    this.#known = { port, key, devices };
  }

  start(): void {
    this.#program = relayProgram(this.#dataDir, this.#known!.port);
  }

  promised(): number {
    const told = this.#known!.devices.map(({ program }) =>
      lastCount(program, /acknowledged every/)
    );
    return this.#acknowledged = Math.max(this.#acknowledged, ...told);
  }

  async held(): Promise<number | undefined> {
    const { port, key } = this.#known!;
    const { program } = this;
    try {
      await portOf(program);
      const bytes = await headAt(port, key);
      return bytes === undefined ? 0 : decodeHead(bytes).blocks;
    } catch (error) {
      // The next kill was faster.
      if (program.wasKilled) return undefined;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill();
  }
}

function killedDevice(device: Device): Victim {
  let stored = 0;
  return {
    get program() {
      return device.program;
    },
    start: () => device.start(),
    promised: () => stored = Math.max(stored, lastCount(device.program, /committed|acknowledged/)),
    async held() {
      const { program } = device;
      try {
        const [, blocks] = await program.line(/ data .*\(([\d,]+) blocks?\)/);
        return toNumber(blocks);
      } catch (error) {
        if (program.wasKilled) return undefined;
        throw error;
      }
    },
  };
}

/** The number of blocks in the last line of this kind; 0 if there is none. */
function lastCount({ lines }: Program, kind: RegExp): number {
  const line = lines.findLast((line) => kind.test(line) && / blocks?\)/.test(line)) ?? "0 blocks)";
  return toNumber(/([\d,]+) blocks?\)/.exec(line)![1]);
}

async function killOne(
  victim: Victim,
  lifeMs: number,
  random: RandomSource,
  checks: Promise<void>[],
): Promise<void> {
  await pause(random.integer(0, lifeMs));
  const { program } = victim;
  assert.ok(program.isRunning, `${program.label} ended by itself:\n${program.lines.join("\n")}`);
  await program.kill();
  await pause(random.integer(0, 300));
  const promised = victim.promised();
  victim.start();
  checks.push(
    victim.held().then((held) => {
      const text = `${program.label} had promised to hold ${promised} blocks and has ${held}`;
      assert.ok(held === undefined || held >= promised, text);
    }),
  );
}

/** Waits until the folders are equal and all three have the same head, twice in a row. */
async function settled(one: Device, two: Device, relay: Program): Promise<void> {
  const [, text] = await one.program.line(/ key +(\S+)/);
  const key = parseKey(text);
  const ports = await Promise.all([one.program, two.program, relay].map(portOf));
  let same = "";
  let last: unknown;
  try {
    await until("all three have the same head, and both folders the same files", async () => {
      const heads = await Promise.all(ports.map((port) => headAt(port, key)));
      const differences = difference(one.folder, two.folder);
      last = { heads, differences };
      const texts = new Set(heads.map((head) => head?.toHex() ?? ""));
      const now = differences.length === 0 && texts.size === 1 ? [...texts][0] : "";
      const isSettled = now !== "" && now === same;
      same = now;
      if (now !== "" && !isSettled) await pause(300);
      return isSettled;
    });
  } catch (error) {
    const said = [one.program, two.program, relay].map(({ label, lines }) =>
      `${label}:\n${lines.slice(-15).join("\n")}`
    );
    throw new Error(`${(error as Error).message}\n${said.join("\n")}`, { cause: { error, last } });
  }
}

async function headAt(port: number, key: Key): Promise<Uint8Array | undefined> {
  // A connection that is kept may be one to the process that was killed.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const response = await fetch(`http://localhost:${port}/streams/${key}/head`, { client });
  const bytes = await response.bytes();
  return response.ok ? bytes : undefined;
}

/** What a device that comes new gets from the relay is what the folders hold. */
async function checkNewcomer(one: Device, top: string, port: number): Promise<void> {
  await using newcomer = new Device("newcomer", top, ["--origin", `localhost:${port}`]);
  await newcomer.program.line(/files /);
  let last: string[] = [];
  await until("a newcomer gets everything", () => {
    last = difference(one.folder, newcomer.folder);
    return last.length === 0;
  }).catch((error) => {
    throw new Error(`${error.message}\n${last.join("\n")}`);
  });
}
