/** The `streamo` command. Exit codes: see `--help`. */

import { systemClock } from "../core/platform.ts";
import { EXIT_CODES, exitCodeOf } from "../relay/exit_codes.ts";
import { run } from "./commands/run.ts";
import { messageOf } from "./news.ts";
import { parseOptions } from "./options.ts";
import { Printer } from "./printer.ts";

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

/** Aborts at the first SIGINT or SIGTERM; the second ends the process at once. */
function stopSignals(): AbortController {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const stop = () => {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
    controller.abort();
  };
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  return controller;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
