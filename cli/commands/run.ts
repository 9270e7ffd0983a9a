/** `streamo`: mirror a folder, serve it, stay connected, until it is told to stop. */

import { join, resolve } from "node:path";
import { StreamoError } from "../../core/errors.ts";
import { Credentials } from "../../core/identity/credentials.ts";
import type { Signer } from "../../core/identity/signer.ts";
import { systemClock } from "../../core/platform.ts";
import { Registry } from "../../core/repo/registry.ts";
import type { Repo } from "../../core/repo/repo.ts";
import type { Session } from "../../core/sync/session.ts";
import { Upstreams } from "../../core/sync/upstreams.ts";
import { createRelay } from "../../relay/app.ts";
import { dial } from "../../relay/dial.ts";
import { UsageError } from "../../relay/exit_codes.ts";
import { serveSync } from "../../relay/sync.ts";
import { checkDataset } from "../datasets.ts";
import { EntryIds } from "../entry_ids.ts";
import { FileStore } from "../file_store.ts";
import { Lan } from "../lan/lan.ts";
import { Mirror, type Report } from "../mirror/mirror.ts";
import { describeMissing, messageOf, reportChanges, reportSession } from "../news.ts";
import type { Options } from "../options.ts";
import { askPassword } from "../password.ts";
import { counted, type Printer } from "../printer.ts";
import { RepoTree } from "../repo_tree.ts";
import { settleFiles } from "../settle.ts";

/** What a program that runs this says differently. */
export interface Front {
  /** The option that chooses the port, for messages. */
  readonly portFlag?: string;
  /** Called once, with the address of the home page, as soon as what it shows is in the repo. */
  readonly onReady?: (url: string) => void;
}

/** Runs until `signal`. Every error is one clear sentence; see exit_codes.ts for what it ends with. */
export async function run(
  options: Options,
  printer: Printer,
  signal: AbortSignal,
  front: Front = {},
): Promise<void> {
  const signer = await deriveSigner(options, signal);
  printer.line(`streamo: ${options.name} of ${options.username}`);
  printer.fact("key", signer.key);
  const store = await openStore(options.dataDir);
  await using closing = new AsyncDisposableStack();
  closing.defer(() => store.close());
  await checkDataset(options.dataDir, options.username, signer);
  const files = options.filesKey === undefined ? [] : [options.filesKey];
  const onConflict = settleFiles({
    files,
    clock: systemClock,
    tag: signer.key.slice(0, 8),
    onKept: (path, kept) => printer.line(`two versions of ${path}: this device's is now ${kept}`),
  });
  const registry = new Registry({ store, onConflict });
  const repo = await registry.open(signer);
  closing.defer(async () => void await repo.flush());
  printer.fact("data", `${resolve(options.dataDir)} (${counted(repo.head?.blocks ?? 0, "block")})`);
  reportChanges(repo, files, printer);
  const upstreams = await follow(options, registry, repo, printer);
  const { sessions } = upstreams;
  closing.defer(() => upstreams.close());
  const served = options.web === undefined
    ? undefined
    : closing.use(serve(options, { registry, repo, upstreams, printer }, front.portFlag));
  if (options.lan !== undefined) {
    closing.use(await openLan(options.lan, registry, signer, printer));
  }
  const ready = () => served && front.onReady?.(served.url);
  if (options.files !== undefined) {
    await firstAnswer(sessions, repo, signal);
    await mirror(options, repo, printer, { signal, onFirst: ready });
  } else {
    ready();
    await stopped(signal);
  }
  printer.line("stopping");
  for (const { status } of sessions) {
    const missing = describeMissing(status, repo.key);
    if (missing !== undefined) printer.line(missing);
  }
}

/** The store; what the system does not allow is an option that makes no sense. */
async function openStore(dataDir: string): Promise<FileStore> {
  try {
    return await FileStore.open(dataDir);
  } catch (error) {
    if (!(error instanceof StreamoError && error.code === "storage")) throw error;
    throw new UsageError(`--data-dir: ${error.message}`, { cause: error });
  }
}

async function deriveSigner(
  { username, password, name, key }: Options,
  signal: AbortSignal,
): Promise<Signer> {
  const secret = password ?? await askPassword(`Password of ${username}: `, signal);
  let signer: Signer;
  try {
    signer = await (await Credentials.derive(username, secret)).signer(name);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  if (key === undefined || key === signer.key) return signer;
  throw new StreamoError("wrong_key", `these credentials give the key ${signer.key}, not ${key}`);
}

interface Served {
  readonly registry: Registry;
  readonly repo: Repo;
  readonly upstreams: Upstreams;
  readonly printer: Printer;
}

function serve(
  { web, host }: Options,
  { registry, repo, upstreams, printer }: Served,
  portFlag = "--web",
): AsyncDisposable & { readonly url: string } {
  const relay = createRelay({
    registry,
    home: repo.key,
    storage: { name: "files" },
    onSocket: serveSync({ registry, home: repo.key, upstreams }),
    upstreams,
    onError: (error) => printer.line(`unexpected while serving: ${messageOf(error)}`),
  });
  const server = listen(web!, host, portFlag, relay.fetch);
  const { port } = server.addr;
  const shown = host === "0.0.0.0" || host === "::" || host === "127.0.0.1" ? "localhost" : host;
  const url = `http://${shown}:${port}/`;
  printer.fact("web", url);
  printer.fact("sync", `ws://${shown}:${port}/sync (for --origin on other devices)`);
  return {
    url,
    async [Symbol.asyncDispose]() {
      relay.close();
      await server.shutdown();
    },
  };
}

function listen(
  port: number,
  hostname: string,
  portFlag: string,
  fetch: Deno.ServeHandler<Deno.NetAddr>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ port, hostname, onListen: () => undefined }, fetch);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      const message = `port ${port} is in use; choose another with ${portFlag}`;
      throw new UsageError(message, { cause: error });
    }
    const reason = messageOf(error);
    throw new UsageError(`cannot listen on ${hostname}:${port}: ${reason}`, { cause: error });
  }
}

/** Stays connected to the origins: for the repo always, for others while somebody uses them here. */
async function follow(
  { origins }: Options,
  registry: Registry,
  { key }: Repo,
  printer: Printer,
): Promise<Upstreams> {
  const session = { software: "streamo cli", openTransport: dial };
  const onError = (error: unknown) => printer.line(`unexpected: ${messageOf(error)}`);
  const upstreams = await Upstreams.open({ registry, origins, feeds: [key], session, onError });
  for (const session of upstreams.sessions) {
    printer.fact("origin", session.url);
    reportSession(session, key, printer);
  }
  return upstreams;
}

async function openLan(
  port: number,
  registry: Registry,
  signer: Signer,
  printer: Printer,
): Promise<Lan> {
  const lan = await Lan.open({
    registry,
    signer,
    port,
    onSession: (session) => reportSession(session, signer.key, printer),
    onNews: (line) => printer.line(line),
  });
  printer.fact("lan", `port ${lan.port}, for devices of this key alone`);
  return lan;
}

/** An empty repo is filled before the folder is looked at, if any origin can do it. */
async function firstAnswer(
  sessions: readonly Session[],
  repo: Repo,
  signal: AbortSignal,
): Promise<void> {
  const answers = sessions.map((session) =>
    new Promise<void>((resolve) => {
      session.synced(repo).then(resolve, () => resolve());
      session.on("status", ({ state }) => state === "away" && resolve());
    })
  );
  await Promise.race([Promise.all(answers), stopped(signal)]);
}

async function mirror(
  options: Options,
  repo: Repo,
  printer: Printer,
  { signal, onFirst }: { readonly signal: AbortSignal; readonly onFirst: () => void },
): Promise<void> {
  const folder = resolve(options.files!);
  await openFolder(folder, options.dataDir);
  const place = `${repo.key}-${await shortHash(`${folder}\0${options.filesKey ?? ""}`)}`;
  const state = join(options.dataDir, "mirrors", place);
  await Deno.mkdir(state, { recursive: true });
  const path = options.filesKey === undefined ? [] : [options.filesKey];
  const tree = new RepoTree(repo, await EntryIds.open(repo, join(state, "ids.json")), path);
  const mirror = await Mirror.open({
    folder,
    tree,
    repo: repo.key,
    baseFile: join(state, "base"),
    dataDir: options.dataDir,
    clock: systemClock,
    tag: repo.key,
    baseContent: (_path, id) => tree.text(id),
    allowEmpty: options.allowEmpty,
    onProgress: ({ stage, done, total }) =>
      printer.progress(`${stage}: ${done.toLocaleString("en")}${total ? ` of ${total}` : ""}`),
  });
  printer.fact("files", `${folder} (both ways)`);
  const stop = repo.on("change", () => mirror.notify());
  let problems = "";
  let failure = "";
  let isFirst = true;
  try {
    await mirror.watch({
      signal,
      onReport: (report) => {
        failure = "";
        problems = printReport(report, problems, printer);
        if (isFirst) onFirst();
        isFirst = false;
      },
      onError: ({ message }) => {
        if (message !== failure) printer.line(message);
        failure = message;
      },
    });
  } finally {
    stop();
  }
}

/** Says what reached the folder, and problems once; what went into the repo is told by its commit. */
function printReport(report: Report, before: string, printer: Printer): string {
  const { downloaded, deleted, merged, conflicts, problems } = report;
  const parts = [
    downloaded > 0 ? `${counted(downloaded, "file")} written` : "",
    deleted > 0 ? `${counted(deleted, "file")} deleted` : "",
    merged > 0 ? `${counted(merged, "file")} merged by line` : "",
  ].filter((part) => part !== "");
  if (parts.length > 0) printer.line(`folder: ${parts.join(", ")}`);
  for (const { path, kept } of conflicts) {
    printer.line(`two versions of ${path}: the folder's is now ${kept}`);
  }
  const now = JSON.stringify(problems);
  if (now !== before) {
    for (const { path, code, message } of problems.slice(0, 20)) {
      printer.line(`left out ${path}: ${message} (${code})`);
    }
    if (problems.length > 20) printer.line(`left out ${problems.length - 20} more`);
  }
  return now;
}

/** Makes the folder if there is none, and looks whether it can be read; else the start fails. */
async function openFolder(folder: string, dataDir: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    for await (const _entry of Deno.readDir(folder)) break;
  } catch (error) {
    throw new UsageError(`cannot mirror "${folder}": ${messageOf(error)}`, { cause: error });
  }
  if (await Deno.realPath(folder) === await Deno.realPath(dataDir)) {
    throw new UsageError(`cannot mirror "${folder}": it is the data directory`);
  }
}

async function shortHash(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).slice(0, 4).reduce(
    (hex, byte) => hex + byte.toString(16).padStart(2, "0"),
    "",
  );
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
