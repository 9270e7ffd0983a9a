/** What `deno task relay` is told: flags first, then STREAMO_* variables, then defaults. */

import { Command, CommanderError } from "commander";
import { parseKey } from "../core/identity/key.ts";
import type { Key } from "../core/identity/key.ts";
import { StreamoError } from "../core/errors.ts";
import { relayUrl } from "../core/sync/relay_url.ts";
import { UsageError } from "./exit_codes.ts";

/** Everything that can be chosen. */
export interface MainOptions {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Path or URL of the Deno KV database; a file in `dataDir` without it. */
  readonly kv: string | undefined;
  readonly home: Key | undefined;
  readonly name: string | undefined;
  /** Relays that this one is fed from. */
  readonly origins: readonly string[];
  /** Repos that are always followed there. */
  readonly feeds: readonly Key[];
  /** Names by which clients reach the relay; undefined: this machine's only. */
  readonly hosts: readonly string[] | undefined;
}

/** Text to print instead of starting: what `--help` gives. */
export interface HelpText {
  readonly help: string;
}

/** Reads an environment variable. */
export type Env = (name: string) => string | undefined;

interface Choice {
  readonly flags: string;
  readonly variable: string;
  readonly text: string;
  readonly fallback?: string;
}

const CHOICES = {
  port: {
    flags: "--port <number>",
    variable: "STREAMO_PORT",
    text: "where to listen; 0 takes a free port",
    fallback: "8080",
  },
  host: {
    flags: "--host <address>",
    variable: "STREAMO_HOST",
    text: "address to listen on; 127.0.0.1 keeps other machines out",
    fallback: "0.0.0.0",
  },
  dataDir: {
    flags: "--data-dir <folder>",
    variable: "STREAMO_DATA_DIR",
    text: "where logs are kept",
    fallback: ".streamo",
  },
  kv: {
    flags: "--kv <path or url>",
    variable: "STREAMO_KV",
    text:
      "a Deno KV database: a file or the URL of a server; relay.kv in the data folder by default",
  },
  home: {
    flags: "--home <key>",
    variable: "STREAMO_HOME",
    text: "the repo that / shows",
  },
  name: {
    flags: "--name <text>",
    variable: "STREAMO_RELAY_NAME",
    text: "what the relay calls itself",
  },
  origin: {
    flags: "--origin <address...>",
    variable: "STREAMO_ORIGIN",
    text:
      "a relay to stay connected to: what is used here is asked for there, what is pushed here " +
      "goes there (several: repeat, or separate by commas)",
  },
  feed: {
    flags: "--feed <key...>",
    variable: "STREAMO_FEED",
    text: "a repo to follow there always, also when nobody uses it here (several: as above)",
  },
  publicHost: {
    flags: "--public-host <name...>",
    variable: "STREAMO_PUBLIC_HOST",
    text:
      "a name, with its port, by which clients reach it: only there can they show which keys they " +
      "hold (several: as above; default: this machine, for clients on it)",
  },
} as const satisfies Record<string, Choice>;

type Chosen = Partial<Record<keyof typeof CHOICES, string | readonly string[]>>;

/** The options that `args` and `env` give, or a text for people. UsageError if they make no sense. */
export function parseOptions(args: readonly string[], env: Env): MainOptions | HelpText {
  const lines: string[] = [];
  const command = new Command("relay")
    .description("A Streamo relay: keeps logs, passes them on, serves them over HTTP")
    .exitOverride()
    .configureOutput({ writeOut: (text) => lines.push(text), writeErr: () => undefined });
  for (const { flags, variable, text, ...rest } of Object.values<Choice>(CHOICES)) {
    const fallback = rest.fallback === undefined ? "" : `, default ${rest.fallback}`;
    command.option(flags, `${text} (${variable}${fallback})`);
  }
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { help: lines.join("") };
    throw new UsageError(error.message.replace(/^error: /, ""), { cause: error });
  }
  if (command.args.length > 0) throw new UsageError(`unknown argument "${command.args[0]}"`);
  const flags = command.opts<Chosen>();
  const choose = (name: keyof typeof CHOICES): string | undefined => {
    const { variable, fallback }: Choice = CHOICES[name];
    // An empty variable is one that is not set: that is how compose files leave things out.
    return flags[name]?.toString() ?? (env(variable) || fallback);
  };
  const chooseAll = (name: keyof typeof CHOICES): string[] =>
    (choose(name) ?? "").split(",").map((text) => text.trim()).filter((text) => text !== "");
  const origins = chooseAll("origin").map((text) => parseOrigin(text));
  const hosts = chooseAll("publicHost").map((text) => parseHost(text));
  const feeds = chooseAll("feed").map((text) => parseRepo(text, "--feed"));
  if (feeds.length > 0 && origins.length === 0) {
    throw new UsageError("--feed needs an --origin to follow it at");
  }
  const home = choose("home");
  return {
    port: parsePort(choose("port")!),
    host: choose("host")!,
    dataDir: choose("dataDir")!,
    kv: choose("kv"),
    home: home === undefined ? undefined : parseRepo(home, "--home"),
    name: choose("name"),
    origins,
    feeds,
    hosts: hosts.length === 0 ? undefined : hosts,
  };
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw new UsageError(`not a port: "${text}" (0 to 65535)`);
}

/** A name and a port, and nothing else: no scheme, path or user. */
function parseHost(text: string): string {
  if (URL.canParse(`http://${text}`) && !/[/?#@\\]/.test(text)) return text;
  throw new UsageError(`--public-host is not the name of a host: "${text}"`);
}

function parseRepo(text: string, flag: string): Key {
  try {
    return parseKey(text);
  } catch (error) {
    if (error instanceof StreamoError) throw new UsageError(`${flag} is ${error.message}`);
    throw error;
  }
}

function parseOrigin(text: string): string {
  try {
    return relayUrl(text);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`--origin is ${error.message}`);
    throw error;
  }
}
