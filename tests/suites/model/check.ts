/**
 * Runs properties as tests. A failure prints its seed and path: STREAMO_SEED and STREAMO_PATH run that
 * very case again, and with STREAMO_SHRINK=1 a smaller one is looked for, which may take minutes.
 */

import fc from "fast-check";

/** Makes a test of a property that is tried `runs` times. */
export type Check = (name: string, runs: number, property: Property) => void;

/** A property, synchronous or not. */
export type Property = fc.IRawProperty<unknown, boolean>;

/** A {@link Check} that tries everything `factor` times as often. */
export function checker(factor = 1): Check {
  const seed = Deno.env.get("STREAMO_SEED");
  const path = Deno.env.get("STREAMO_PATH");
  return (name, runs, property) => {
    Deno.test(name, async () => {
      await fc.assert(property, {
        numRuns: Math.ceil(runs * factor),
        ...(seed === undefined ? {} : { seed: Number(seed) }),
        ...(path === undefined ? {} : { path }),
        endOnFailure: Deno.env.get("STREAMO_SHRINK") === undefined,
      });
    });
  };
}
