/** What `streamo` is told: flags first, then STREAMO_* variables, then those of `--env-file`. */

import { parseEnv } from "node:util";
import { Command, CommanderError, Option } from "commander";
import { StreamoError } from "../core/errors.ts";
import { type Key, parseKey } from "../core/identity/key.ts";
import { relayUrl } from "../core/sync/relay_url.ts";
import { UsageError } from "../relay/exit_codes.ts";

/** Everything that can be chosen. */
export interface Options {
  readonly name: string;
  readonly username: string;
  /** Undefined: ask for it. */
  readonly password: string | undefined;
  /** The key that the credentials should give. */
  readonly key: Key | undefined;
  readonly dataDir: string;
  readonly files: string | undefined;
  readonly filesKey: string | undefined;
  readonly web: number | undefined;
  readonly host: string;
  readonly origins: readonly string[];
  /** The port on which other devices of the key are met, 0 for a free one; undefined: none are. */
  readonly lan: number | undefined;
  /** A folder that lost all its files is taken at its word. */
  readonly allowEmpty: boolean;
}

/** Reads an environment variable. */
export type Env = (name: string) => string | undefined;

const FLAGS: readonly { flags: string; variable?: string; text: string }[] = [
  { flags: "--name <name>", variable: "NAME", text: "dataset name" },
  { flags: "--username <name>", variable: "USERNAME", text: "signing identity" },
  {
    flags: "--password <text>",
    variable: "PASSWORD",
    text: "signing password; asked for if not given (other users may see flags)",
  },
  {
    flags: "--key <key>",
    variable: "KEY",
    text: "refuse to start if the credentials give another key",
  },
  {
    flags: "--data-dir <folder>",
    variable: "DATA_DIR",
    text: "where logs are kept (default .streamo)",
  },
  { flags: "--files <folder>", variable: "FILES", text: "keep this folder and the repo equal" },
  {
    flags: "--files-key <key>",
    variable: "FILES_KEY",
    text: "keep the files under this key of the value, beside other state",
  },
  {
    flags: "--web <port>",
    variable: "WEB",
    text: "serve HTTP and sync on this port; 0 takes a free one",
  },
  {
    flags: "--host <address>",
    variable: "HOST",
    text: "address to listen on (default 127.0.0.1; 0.0.0.0 for all)",
  },
  {
    flags: "--origin <address...>",
    variable: "ORIGIN",
    text: "stay connected to this relay (several: repeat, or separate by commas)",
  },
  {
    flags: "--lan [port]",
    variable: "LAN",
    text: "find devices of this key on the local network; listens on this port, or a free one",
  },
  { flags: "--env-file <file>", text: "read STREAMO_* variables from this file" },
];

const EXIT_HELP = `
Exit codes: 0 stopped as asked, 1 unexpected, 2 cannot start as asked, 3 data directory in use,
4 unreachable, 5 wrong key or refused, 6 damaged data.`;

/** The options that `args` and `env` give, or help for people. UsageError if they make no sense. */
export function parseOptions(
  args: readonly string[],
  env: Env,
  readFile: (path: string) => string,
): Options | { readonly help: string } {
  const lines: string[] = [];
  const command = new Command("streamo")
    .description("Signed, synced data: mirror a folder, serve it, keep it equal on every device")
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeOut: (text) => lines.push(text), writeErr: () => undefined })
    .addOption(
      new Option("--allow-empty", "delete all files of the repo if the folder lost all its own"),
    )
    .addHelpText("after", EXIT_HELP);
  for (const { flags, variable, text } of FLAGS) {
    command.option(flags, variable === undefined ? text : `${text} (STREAMO_${variable})`);
  }
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { help: lines.join("") };
    throw new UsageError(error.message.replace(/^error: /, ""), { cause: error });
  }
  if (command.args.length > 0) throw new UsageError(`unknown argument "${command.args[0]}"`);
  const flags = command.opts<Record<string, string | string[] | boolean | undefined>>();
  const file = typeof flags.envFile === "string" ? readEnvFile(flags.envFile, readFile) : {};
  const choose = (name: string, variable: string): string | undefined => {
    const flag = flags[name];
    if (typeof flag === "string") return flag;
    // An empty variable is one that is not set: that is how compose files leave things out.
    return (Array.isArray(flag) ? flag.join(",") : "") || env(`STREAMO_${variable}`) ||
      file[`STREAMO_${variable}`] || undefined;
  };
  return {
    name: required(choose("name", "NAME"), "name"),
    username: required(choose("username", "USERNAME"), "username"),
    password: choose("password", "PASSWORD"),
    key: parse(choose("key", "KEY"), "--key", parseKey),
    dataDir: choose("dataDir", "DATA_DIR") ?? ".streamo",
    files: choose("files", "FILES"),
    filesKey: choose("filesKey", "FILES_KEY"),
    web: parse(choose("web", "WEB"), "--web", parsePort),
    host: choose("host", "HOST") ?? "127.0.0.1",
    origins: (choose("origin", "ORIGIN") ?? "").split(",").map((text) => text.trim())
      .filter((text) => text !== "").map((text) => parse(text, "--origin", relayUrl)!),
    lan: flags.lan === true ? 0 : parse(choose("lan", "LAN"), "--lan", parsePort),
    allowEmpty: flags.allowEmpty === true,
  };
}

function readEnvFile(path: string, readFile: (path: string) => string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFile(path));
  } catch (error) {
    throw new UsageError(`cannot read --env-file "${path}": ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function required(value: string | undefined, flag: string): string {
  if (value !== undefined) return value;
  throw new UsageError(`--${flag} is missing (or STREAMO_${flag.toUpperCase()}); see --help`);
}

function parse<T>(
  text: string | undefined,
  flag: string,
  read: (text: string) => T,
): T | undefined {
  if (text === undefined) return undefined;
  try {
    return read(text);
  } catch (error) {
    if (error instanceof StreamoError || error instanceof TypeError) {
      throw new UsageError(`${flag} is ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw new TypeError(`not a port: "${text}" (0 to 65535)`);
}
