/** `kill -9` of everything, at any moment. tests/soak/kill_soak.ts does it for longer. */

import { inTempFolder } from "../suites/cli.ts";
import { killRun } from "../suites/kill_run.ts";
import { randomSource } from "../suites/random.ts";

Deno.test("relay and devices killed at any moment come to one state with all that was written", async () => {
  const random = randomSource();
  try {
    await inTempFolder((top) => killRun(top, 20, random));
  } catch (error) {
    throw new Error(`failed with ${random.seed}`, { cause: error });
  }
});
