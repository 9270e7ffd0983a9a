/** The `streamo` command. Exit codes: see `--help`. */

import { systemClock } from "../core/platform.ts";
import { EXIT_CODES, exitCodeOf } from "../relay/exit_codes.ts";
import { run } from "./commands/run.ts";
import { messageOf } from "./news.ts";
import { parseOptions } from "./options.ts";
import { Printer } from "./printer.ts";
import { stopSignals } from "./stop_signals.ts";

/** Runs the command; gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const stop = stopSignals();
  try {
    const options = parseOptions(args, (name) => Deno.env.get(name), Deno.readTextFileSync);
    if ("help" in options) console.log(options.help.trimEnd());
    else await run(options, new Printer(systemClock), stop.signal);
    return EXIT_CODES.ok;
  } catch (error) {
    console.error(`streamo: ${messageOf(error)}`);
    return exitCodeOf(error);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
