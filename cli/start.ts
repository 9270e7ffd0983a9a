/**
 * `deno task start`: a relay whose home repo is a folder, on this machine, without any question. Takes
 * the options of `streamo`, with defaults for all of them.
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../core/platform.ts";
import { EXIT_CODES, exitCodeOf } from "../relay/exit_codes.ts";
import { run } from "./commands/run.ts";
import { keptPassword } from "./kept_password.ts";
import { messageOf } from "./news.ts";
import { type Options, parseOptions } from "./options.ts";
import { Printer } from "./printer.ts";
import { stopSignals } from "./stop_signals.ts";

/** What holds where neither an option nor a variable says otherwise. */
const DEFAULTS: Readonly<Record<string, string>> = {
  STREAMO_NAME: "home",
  STREAMO_USERNAME: "owner",
  STREAMO_WEB: "8080",
};

/** Starts, and runs until it is stopped; gives the exit code. */
export async function start(args: readonly string[]): Promise<number> {
  const stop = stopSignals();
  try {
    const options = parseOptions(portFirst(args), variable, Deno.readTextFileSync);
    if ("help" in options) console.log(options.help.trimEnd());
    else await serveHome(options, stop.signal);
    return EXIT_CODES.ok;
  } catch (error) {
    console.error(`start: ${messageOf(error)}`);
    return exitCodeOf(error);
  }
}

async function serveHome(given: Options, signal: AbortSignal): Promise<void> {
  const printer = new Printer(systemClock);
  const files = given.files ?? homeFolder();
  // Who gives a name is asked for the password that goes with it.
  const isOwn = given.password !== undefined || given.username !== DEFAULTS.STREAMO_USERNAME;
  const kept = isOwn ? undefined : await keptPassword(given.dataDir);
  const options = { ...given, files, password: given.password ?? kept?.password };
  await run(options, printer, signal, {
    portFlag: "--port (or STREAMO_PORT)",
    onReady: (url) => welcome(url, options, kept?.file),
  });
}

/** The one address, and what to try. */
function welcome(url: string, options: Options, passwordFile: string | undefined): void {
  const { dataDir, files, name, username } = options;
  const password = passwordFile === undefined ? "" : `STREAMO_PASSWORD=$(cat ${passwordFile}) `;
  console.log(`
  Open ${url}

  Then try
    change this page   edit ${resolve(files!, "style.css")} and watch
    a second device    in another terminal, or elsewhere with the same password:
      ${password}deno task streamo --name ${name} --username ${username} \\
        --data-dir ${dataDir}-2 --files copy --origin ${new URL(url).host}
    stop               Ctrl-C; everything is kept
`);
  if (passwordFile === undefined) return;
  console.log(`  The password was made at random and is in ${resolve(passwordFile)}
  Keep a copy: whoever has it can write as this key, and without it nobody can.
`);
}

/** The folder of the site: beside the program, so that it is found from wherever it is started. */
function homeFolder(): string {
  return fileURLToPath(new URL("../web/home/", import.meta.url));
}

/** `--port` is the short way to say `--web`. */
function portFirst(args: readonly string[]): string[] {
  return args.map((arg) => arg.replace(/^--port(?==|$)/, "--web"));
}

function variable(name: string): string | undefined {
  const own = name === "STREAMO_WEB" ? Deno.env.get("STREAMO_PORT") : undefined;
  return own || Deno.env.get(name) || DEFAULTS[name];
}

if (import.meta.main) Deno.exit(await start(Deno.args));
