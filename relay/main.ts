/** `deno task relay`: a relay on this machine. Exit codes: see exit_codes.ts. */

import { Registry } from "../core/repo/registry.ts";
import { Upstreams } from "../core/sync/upstreams.ts";
import { createRelay } from "./app.ts";
import { dial } from "./dial.ts";
import { EXIT_CODES, exitCodeOf, UsageError } from "./exit_codes.ts";
import { openStore } from "./open_store.ts";
import { type MainOptions, parseOptions } from "./options.ts";
import { describeBehind, tellOrigins } from "./origins.ts";
import { watchStore } from "./watch_store.ts";
import { serveSync } from "./sync.ts";

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, (name) => Deno.env.get(name));
    if ("help" in options) console.log(options.help.trimEnd());
    else await run(options);
    return EXIT_CODES.ok;
  } catch (error) {
    console.error(`relay: ${error instanceof Error ? error.message : error}`);
    return exitCodeOf(error);
  }
}

/** Runs until it is told to stop. */
async function run(options: MainOptions): Promise<void> {
  const { store, storage, place, isShared } = await openStore(options);
  const { home, name, hosts, origins, feeds } = options;
  const registry = new Registry({ store });
  const onError = (error: unknown) => console.error("relay: unexpected:", error);
  const closing = new AbortController();
  const { signal } = closing;
  let upstreams: Upstreams | undefined;
  try {
    if (isShared) void watchStore(registry, { signal, onError });
    const session = { openTransport: dial };
    upstreams = await Upstreams.open({ registry, origins, feeds, session, onError });
    tellOrigins(upstreams, (line) => console.log(`relay: ${line}`));
    const onSocket = serveSync({ registry, home, hosts, upstreams });
    const relay = createRelay({ registry, home, name, storage, onError, onSocket, upstreams });
    const server = listen(options, relay.fetch);
    const { hostname, port } = server.addr;
    const shown = hostname === "0.0.0.0" || hostname === "::" ? "localhost" : hostname;
    console.log(`relay: listening on http://${shown}:${port}/`);
    console.log(`relay: keeps logs in ${place}; home is ${home ?? "not set"}`);
    for (const warning of storage.warnings ?? []) console.warn(`relay: warning: ${warning}`);
    console.log(`relay: stopping after ${await stopSignal()}`);
    for (const line of describeBehind(upstreams)) console.log(`relay: ${line}`);
    relay.close();
    await server.shutdown();
  } finally {
    closing.abort();
    upstreams?.close();
    await store.close();
  }
}

function listen(
  { port, host }: MainOptions,
  fetch: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ port, hostname: host, onListen: () => undefined }, fetch);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new UsageError(`port ${port} is in use; choose another with --port`, { cause: error });
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof TypeError) {
      throw new UsageError(`cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** The name of the first signal that asks the process to stop. */
function stopSignal(): Promise<Deno.Signal> {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  return new Promise((resolve) => {
    const listeners = signals.map((signal) => ({ signal, stop: () => done(signal) }));
    const done = (signal: Deno.Signal): void => {
      // A second signal ends the process at once.
      for (const { signal, stop } of listeners) Deno.removeSignalListener(signal, stop);
      resolve(signal);
    };
    for (const { signal, stop } of listeners) Deno.addSignalListener(signal, stop);
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
