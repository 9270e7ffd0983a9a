/**
 * The numbers of DESIGN section 11: `deno task bench [--quick] [area...]`. One row each, with what it
 * cannot be faster than, measured in the same run: the ratio says more than the number, since
 * machines differ and are shared. `--quick` only shows that everything runs. `profile.ts` shows where the
 * time goes.
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

/** What can also be measured alone: for profiles. */
const PARTS: Readonly<Record<string, Part>> = { commits, replay, codec, diff };

const AREAS: Readonly<Record<string, readonly Part[]>> = {
  core: Object.values(PARTS),
  growth: [growth],
  stores: [stores],
  sync: [sync, publish, fanOut, idle],
  sparse: [sparse],
  mirror: [mirror],
};

async function main(args: readonly string[]): Promise<number> {
  const quick = args.includes("--quick");
  const named = args.filter((arg) => arg !== "--quick");
  const names = [...Object.keys(AREAS), ...Object.keys(PARTS)];
  const unknown = named.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    console.error(`bench: no area "${unknown}" (${names.join(", ")}, --quick)`);
    return 2;
  }
  const bench = new Bench(quick, (line) => console.log(line));
  const primitives = new Primitives(bench);
  for (const area of named.length > 0 ? named : Object.keys(AREAS)) {
    for (const part of AREAS[area] ?? [PARTS[area]]) await part(bench, primitives);
  }
  return 0;
}

Deno.exit(await main(Deno.args));
