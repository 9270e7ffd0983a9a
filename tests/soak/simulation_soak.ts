/**
 * {@link simulate} for longer: STREAMO_SEEDS says how many, 5,000 by default, from STREAMO_SEED on, with up
 * to STREAMO_RELAYS relays. Not all of them pass: DECISIONS 56 says which do not.
 */

import assert from "node:assert/strict";
import { explain, simulate } from "../simulation/simulate.ts";

const seeds = Number(Deno.env.get("STREAMO_SEEDS") ?? 5000);
const maxRelays = Number(Deno.env.get("STREAMO_RELAYS") ?? 1);
const first = Number(Deno.env.get("STREAMO_SEED") ?? 1_000);

Deno.test(`simulation: ${seeds} seeds from ${first} on`, async () => {
  const failed: string[] = [];
  const start = performance.now();
  for (let seed = first; seed < first + seeds; seed++) {
    const report = await simulate(seed, { maxRelays });
    if (report.faults.length > 0) failed.push(explain(report));
  }
  const perSecond = seeds / (performance.now() - start) * 1000;
  console.log(`${perSecond.toFixed(1)} runs/s, ${failed.length} of ${seeds} failed`);
  assert.deepStrictEqual(failed, [], failed.join("\n\n"));
});
