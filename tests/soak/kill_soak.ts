/** {@link killRun} for longer: STREAMO_SOAK_KILLS says how often, 500 times by default. */

import { inTempFolder } from "../suites/cli.ts";
import { killRun } from "../suites/kill_run.ts";
import { randomSource } from "../suites/random.ts";

Deno.test("relay and devices are killed hundreds of times", async () => {
  const random = randomSource();
  const kills = Number(Deno.env.get("STREAMO_SOAK_KILLS") ?? 500);
  try {
    await inTempFolder((top) => killRun(top, kills, random));
  } catch (error) {
    throw new Error(`failed with ${random.seed}`, { cause: error });
  }
});
