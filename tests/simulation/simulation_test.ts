/**
 * Devices, relays, a network and disks on virtual time: see {@link simulate}. A failing seed is
 * printed with the end of its trace; `STREAMO_SEED=n` runs that one alone, with its whole trace.
 */

import assert from "node:assert/strict";
import { explain, simulate } from "./simulate.ts";

const SEEDS = 200;
const maxRelays = 2;

Deno.test("simulation: whatever breaks, nothing acknowledged is lost and all end on equal bytes", async () => {
  const chosen = Deno.env.get("STREAMO_SEED");
  const first = Number(chosen ?? 1);
  const totals = { secured: 0, lies: 0, mangled: 0 };
  for (let seed = first; seed < first + (chosen === undefined ? SEEDS : 1); seed++) {
    const report = await simulate(seed, { maxRelays, isShown: chosen !== undefined });
    assert.deepStrictEqual(report.faults, [], explain(report));
    totals.secured += report.counts.secured;
    totals.lies += report.counts.lies;
    totals.mangled += report.counts.mangled;
  }
  if (chosen === undefined) {
    assert.ok(totals.secured > 10 * SEEDS, "something was written");
    assert.ok(
      Math.min(totals.lies, totals.mangled) > SEEDS / 4,
      "something was not as it should be",
    );
  }
});

Deno.test("simulation: nobody stays alone where somebody once did, and no more waits than may", async () => {
  for (const [seed, maxRelays] of [[7065, 1], [6092, 1], [327, 2]]) {
    const report = await simulate(seed, { maxRelays });
    assert.deepStrictEqual(report.faults, [], explain(report));
  }
});

Deno.test("simulation: a seed gives the same run every time", async () => {
  for (const seed of [4, 10, 42]) {
    const [a, b] = [await simulate(seed, { maxRelays }), await simulate(seed, { maxRelays })];
    assert.equal(a.hash, b.hash, `seed ${seed}`);
  }
});
