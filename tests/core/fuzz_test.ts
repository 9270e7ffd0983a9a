/** Damaged input into every decoder; `STREAMO_SEED` replays a failure. */

import assert from "node:assert/strict";
import { fuzzTargets } from "../suites/fuzz/fuzz.ts";
import { randomSource } from "../suites/random.ts";

/** Damaged inputs in all. */
const INPUTS = 10_000;

const targets = Object.entries(await fuzzTargets());

for (const [name, target] of targets) {
  Deno.test(`damaged ${name} are refused with a StreamoError, or have one form`, async () => {
    const random = randomSource();
    let accepted = 0;
    try {
      for (let i = 0; i < INPUTS / targets.length; i++) if (await target(random)) accepted++;
    } catch (error) {
      throw new Error(`failed with ${random.seed}`, { cause: error });
    }
    // Damage that is never noticed would test nothing.
    assert(accepted < INPUTS / targets.length, "nothing was refused");
  });
}
