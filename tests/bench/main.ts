/**
 * The numbers of DESIGN section 11: `deno task bench [--quick] [area...]`. One row each, with what it
 * cannot be faster than, measured in the same run: the ratio says more than the number, since
 * machines differ and are shared. `--quick` only shows that everything runs.
 */

import { Bench } from "./bench.ts";
import { codec } from "./codec.ts";
import { commits } from "./commits.ts";
import { diff } from "./diff.ts";
import { fanOut } from "./fan_out.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { mirror } from "./mirror.ts";
import { Primitives } from "./primitives.ts";
import { publish } from "./publish.ts";
import { replay } from "./replay.ts";
import { sparse } from "./sparse.ts";
import { stores } from "./stores.ts";
import { sync } from "./sync.ts";

type Part = (bench: Bench, primitives: Primitives) => Promise<void>;

const AREAS: Readonly<Record<string, readonly Part[]>> = {
  core: [commits, replay, codec, diff],
  growth: [growth],
  stores: [stores],
  sync: [sync, publish, fanOut, idle],
  sparse: [sparse],
  mirror: [mirror],
};

async function main(args: readonly string[]): Promise<number> {
  const quick = args.includes("--quick");
  const named = args.filter((arg) => arg !== "--quick");
  const unknown = named.find((name) => !Object.hasOwn(AREAS, name));
  if (unknown !== undefined) {
    console.error(`bench: no area "${unknown}" (${Object.keys(AREAS).join(", ")}, --quick)`);
    return 2;
  }
  const bench = new Bench(quick, (line) => console.log(line));
  const primitives = new Primitives(bench);
  for (const area of named.length > 0 ? named : Object.keys(AREAS)) {
    for (const part of AREAS[area]) await part(bench, primitives);
  }
  return 0;
}

Deno.exit(await main(Deno.args));
