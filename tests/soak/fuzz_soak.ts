/** Damaged input into every decoder, for longer: STREAMO_SOAK_INPUTS in all, 2,000,000 by default. */

import { fuzzTargets } from "../suites/fuzz/fuzz.ts";
import { randomSource } from "../suites/random.ts";

const inputs = Number(Deno.env.get("STREAMO_SOAK_INPUTS") ?? 2_000_000);
const targets = Object.entries(await fuzzTargets());

for (const [name, target] of targets) {
  Deno.test(`${inputs / targets.length} damaged ${name}`, async () => {
    const random = randomSource();
    try {
      for (let i = 0; i < inputs / targets.length; i++) await target(random);
    } catch (error) {
      throw new Error(`failed with ${random.seed}`, { cause: error });
    }
  });
}
