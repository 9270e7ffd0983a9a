/** `kill -9` of a process that writes. */

import assert from "node:assert/strict";
import { FileStore } from "../../../cli/file_store.ts";
import { assertHolds } from "../../suites/store_checks.ts";
import { seeded, testCrypto } from "../../suites/test_log.ts";
import { childLog } from "./appending_child.ts";

const ROUNDS = 10;

Deno.test("nothing acknowledged is lost when the process is killed", async () => {
  const seed = Number(Deno.env.get("STREAMO_SEED") ?? Math.floor(Math.random() * 2 ** 31));
  const random = seeded(seed);
  const directory = await Deno.makeTempDir({ prefix: "streamo-" });
  try {
    let held = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const acknowledged = await runAndKill(directory, 1 + Math.floor(random() * 60), random() * 3);
      assert.ok(acknowledged > held, "the process went on from what was held");
      held = await assertWhole(directory, acknowledged);
    }
  } catch (error) {
    throw new Error(`failed with STREAMO_SEED=${seed}`, { cause: error });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Kills a writing process some time after its `lines`th acknowledgement; gives the last one. */
async function runAndKill(directory: string, lines: number, delayMs: number): Promise<number> {
  const script = new URL("./appending_child.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, directory],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const killed = Promise.withResolvers<void>();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const before = output.split("\n").length;
    output += text;
    // The delay moves the kill to any moment of an append; nothing depends on its length.
    if (before <= lines && output.split("\n").length > lines) {
      setTimeout(() => {
        child.kill("SIGKILL");
        killed.resolve();
      }, delayMs);
    }
  }
  const { signal } = await child.status;
  assert.equal(signal, "SIGKILL");
  await killed.promise;
  // A last line that was cut off was not acknowledged.
  return Number(output.split("\n").at(-2));
}

async function assertWhole(directory: string, acknowledged: number): Promise<number> {
  const store = await FileStore.open(directory, { crypto: testCrypto });
  try {
    const { key } = await childLog(0);
    const stored = await store.head(key);
    assert.ok(stored !== undefined && stored.length >= acknowledged);
    const log = await childLog(stored.length);
    await assertHolds(store, log, await log.stored());
    return stored.length;
  } finally {
    await store.close();
  }
}
