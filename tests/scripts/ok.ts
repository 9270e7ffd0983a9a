/**
 * `deno task ok`: the whole gate. Runs every step in turn, prints its name and time, and stops at the
 * first that fails. `--no-tests` leaves out the test suite, for CI that has just run it; the examples
 * in the documentation always run here and nowhere else.
 */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { exportFaults, importFaults } from "./entry_points.ts";
import { FILE_MAX_LINES, longFiles } from "./file_sizes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Step {
  readonly name: string;
  /** What is wrong; nothing if the step passes. */
  readonly run: () => Promise<string[]>;
}

interface Config {
  readonly exports: Record<string, string>;
  readonly imports: Record<string, string>;
}

/** Where documentation examples stand. */
const DOCUMENTED = ["mod.ts", "core", "relay", "web", "cli", "README.md"];

async function main(args: string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== "--no-tests");
  if (unknown.length > 0) {
    console.error(`ok: unknown option "${unknown[0]}" (only --no-tests)`);
    return 2;
  }
  for (const step of await steps(!args.includes("--no-tests"))) {
    console.log(`ok: ${step.name} ...`);
    const start = performance.now();
    const faults = await step.run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    for (const fault of faults) console.error(`  ${fault}`);
    if (faults.length > 0) {
      console.error(`ok: FAILED at "${step.name}" after ${seconds} s`);
      return 1;
    }
    console.log(`ok: ${step.name} passed in ${seconds} s`);
  }
  console.log("ok: everything passed");
  return 0;
}

async function steps(withTests: boolean): Promise<Step[]> {
  const config: Config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const exists = (file: string): boolean => existsSync(`${ROOT}${file}`);
  const documented = DOCUMENTED.filter(exists);
  return [
    deno("formatting", "fmt", "--check"),
    deno("lint", "lint"),
    { name: "file sizes", run: fileSizes },
    { name: "imports", run: () => Promise.resolve(importFaults(config.imports)) },
    { name: "exports", run: () => Promise.resolve(exportFaults(config.exports, exists)) },
    deno("types", "check", "."),
    deno("documentation", "doc", "--lint", ...Object.values(config.exports)),
    deno("publishing", "publish", "--dry-run", "--allow-dirty"),
    ...(withTests ? [deno("tests", "task", "test")] : []),
    deno("examples", "test", "-A", "--doc", "--permit-no-files", ...documented),
  ];
}

async function fileSizes(): Promise<string[]> {
  const files = await longFiles(ROOT, FILE_MAX_LINES);
  return files.map(({ path, lines }) => `${path} has ${lines} lines, more than ${FILE_MAX_LINES}`);
}

/** A step that runs this same deno; it fails unless the exit code is 0. */
function deno(name: string, ...args: string[]): Step {
  return {
    name,
    async run() {
      const command = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" });
      const { success, code } = await command.spawn().status;
      return success ? [] : [`deno ${args.join(" ")}: exit code ${code}`];
    },
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
