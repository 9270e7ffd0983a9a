/** {@link simulate} for longer: STREAMO_SEEDS says how many, 5,000 by default, from STREAMO_SEED on. */

import assert from "node:assert/strict";
import { explain, simulate } from "../simulation/simulate.ts";

const seeds = Number(Deno.env.get("STREAMO_SEEDS") ?? 5000);
const first = Number(Deno.env.get("STREAMO_SEED") ?? 1_000);

Deno.test(`simulation: ${seeds} seeds from ${first} on`, async () => {
  const failed: string[] = [];
  const start = performance.now();
  for (let seed = first; seed < first + seeds; seed++) {
    const report = await simulate(seed);
    if (report.faults.length > 0) failed.push(explain(report));
  }
  const perSecond = seeds / (performance.now() - start) * 1000;
  console.log(`${perSecond.toFixed(1)} runs/s, ${failed.length} of ${seeds} failed`);
  assert.deepStrictEqual(failed, [], failed.join("\n\n"));
});
