/** A relay and two devices that are killed at random moments while both folders are edited. */

import assert from "node:assert/strict";
import { portOf, type Program, relayProgram, until } from "./cli.ts";
import { Device } from "./device.ts";
import { Edits, pause } from "./kill_edits.ts";
import type { RandomSource } from "./random.ts";
import { difference, listTree } from "./sample_tree.ts";

/** What is killed, and started again. */
interface Victim {
  readonly program: Program;
  start(): void | Promise<void>;
}

/** Kills `kills` times, then waits for quiet and checks that all is there. */
export async function killRun(top: string, kills: number, random: RandomSource): Promise<void> {
  let relay = relayProgram(`${top}/relay-data`);
  await using _relay = { [Symbol.asyncDispose]: async () => void await relay.kill() };
  const port = await portOf(relay);
  const args = ["--origin", `localhost:${port}`, "--web", "0"];
  await using one = new Device("one", top, args);
  await using two = new Device("two", top, args);
  const victims: Victim[] = [one, two, {
    get program() {
      return relay;
    },
    start: () => void (relay = relayProgram(`${top}/relay-data`, port)),
  }];
  const editing = new AbortController();
  const edits = [one, two].map((device) => new Edits(device, random));
  const editors = Promise.all(edits.map((edit) => edit.run(editing.signal)));
  try {
    for (let kill = 0; kill < kills; kill++) {
      await Promise.race([killOne(victims[random.integer(0, 2)], random), editors]);
    }
  } finally {
    editing.abort();
  }
  await editors;
  await settled(one, two, relay);
  for (const edit of edits) edit.check([one, two]);
  await checkNewcomer(one, top, port);
  const acked = edits.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const made = edits.reduce((sum, edit) => sum + edit.made, 0);
  const files = listTree(one.folder).size;
  console.log(`  ${kills} kills, ${made} edits, ${acked} seen acknowledged; ${files} files`);
  assert.ok(acked >= kills, "the run was no test: hardly anything was acknowledged");
}

async function killOne(victim: Victim, random: RandomSource): Promise<void> {
  await pause(random.integer(0, 1500));
  const { program } = victim;
  assert.ok(program.isRunning, `${program.label} ended by itself:\n${program.lines.join("\n")}`);
  await program.kill();
  await pause(random.integer(0, 300));
  await victim.start();
}

/** Waits until the folders are equal and all three have the same head, twice in a row. */
async function settled(one: Device, two: Device, relay: Program): Promise<void> {
  const [, key] = await one.program.line(/ key +(\S+)/);
  const ports = await Promise.all([one.program, two.program, relay].map(portOf));
  let same = "";
  let last: unknown;
  try {
    await until("all three have the same head, and both folders the same files", async () => {
      const heads = await Promise.all(ports.map((port) => headAt(port, key)));
      const differences = difference(one.folder, two.folder);
      last = { heads, differences };
      const now = differences.length === 0 && new Set(heads).size === 1 ? heads[0] : "";
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

async function headAt(port: number, key: string): Promise<string> {
  const response = await fetch(`http://localhost:${port}/streams/${key}/head`);
  const body = await response.bytes();
  return response.ok ? body.toHex() : "";
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
