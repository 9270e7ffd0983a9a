/** The relay as a web application: which path is answered by whom. */

import { type Context, Hono } from "hono";
import { StreamoError } from "../core/errors.ts";
import { type Key, KEY_CHARACTERS, parseKey } from "../core/identity/key.ts";
import type { Crypto } from "../core/identity/crypto.ts";
import { defaultCrypto } from "../core/identity/default_crypto.ts";
import { StoreSource } from "../core/log/store_source.ts";
import { type Clock, systemClock } from "../core/platform.ts";
import type { Registry } from "../core/repo/registry.ts";
import type { Upstreams } from "../core/sync/upstreams.ts";
import { HealthCheck, type Storage } from "./health.ts";
import { errorResponse, faultResponse } from "./http/errors.ts";
import { bytesBody, respond } from "./http/respond.ts";
import { Library } from "./library/library.ts";
import { reportOrigins } from "./origins.ts";
import { injectImportMap } from "./site/inject.ts";
import { withSlash } from "./site/path.ts";
import { serveFile } from "./site/serve.ts";
import { type OnSocket, Sockets, SUBPROTOCOL } from "./socket.ts";
import { Changes } from "./streams/changes.ts";
import { headEvents } from "./streams/events.ts";
import { serveProof } from "./streams/proof.ts";
import { serveHead, serveLog } from "./streams/raw.ts";
import { serveValue, type ValueLimits } from "./streams/value.ts";
import { type View, Views } from "./views.ts";

/** What one relay allows. */
export interface RelayLimits {
  /** What `/streams/KEY` may decode and write. */
  readonly value: ValueLimits;
  /** Repos kept open for reading. */
  readonly openRepos: number;
  /** Event streams at a time. */
  readonly eventStreams: number;
  /** WebSockets at a time. */
  readonly connections: number;
}

/** What a relay allows unless told otherwise. */
export const DEFAULT_LIMITS: RelayLimits = {
  value: { characters: 16 * 2 ** 20, elements: 1_000_000, bytes: 64 * 2 ** 20 },
  openRepos: 32,
  eventStreams: 1_000,
  connections: 10_000,
};

/** What a relay is made of; only `registry` has no default. */
export interface RelayOptions {
  /** The repos, and through them the store, of this process. */
  readonly registry: Registry;
  /** The repo that `/` shows. */
  readonly home?: Key;
  /** What `/.well-known/streamo` calls this relay. */
  readonly name?: string;
  /** Where the registry's store keeps things, for `/healthz`. */
  readonly storage?: Storage;
  /** Relays that are asked for what is read here. */
  readonly upstreams?: Upstreams;
  /** Speaks the sync protocol; without it `/sync` answers `unsupported`. */
  readonly onSocket?: OnSocket;
  /** Streamo's own files; those of this very installation by default. */
  readonly library?: Library;
  /** Checks heads and hashes; the best of this platform by default. */
  readonly crypto?: Crypto;
  /** The platform's clock by default. */
  readonly clock?: Clock;
  /** {@link DEFAULT_LIMITS} where nothing else is said. */
  readonly limits?: Partial<RelayLimits>;
  /** Silence on an event stream after which a comment is sent. */
  readonly keepAliveMs?: number;
  /** Hears of errors that no response can carry: faults of the relay itself, failing watches. */
  readonly onError?: (error: unknown) => void;
}

/** A running relay. */
export interface Relay {
  /** Answers one request; a handler for `Deno.serve` and Deno Deploy. */
  fetch(request: Request, info?: Deno.ServeHandlerInfo): Response | Promise<Response>;
  /** Ends event streams and closes sockets (1012). The store stays open: it is the caller's. */
  close(): void;
}

/** What Hono hands from `fetch` to the handlers. */
type Env = { Bindings: { readonly info: Deno.ServeHandlerInfo | undefined } };

/**
 * What a page of some author may do under an origin that it shares with others: run, but as an origin
 * of its own, so that it reaches nobody's storage, not even that of another page of its own.
 */
const SANDBOX =
  "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads allow-pointer-lock";

/** A relay over `registry`, as `fetch` and nothing else: no socket is opened here. */
export function createRelay(options: RelayOptions): Relay {
  const app = new App(options);
  return {
    fetch: (request, info) => app.hono.fetch(request, { info }),
    close: () => app.close(),
  };
}

class App {
  readonly hono: Hono<Env>;
  readonly #options: RelayOptions;
  readonly #limits: RelayLimits;
  readonly #views: Views;
  readonly #source: StoreSource;
  readonly #changes: Changes;
  readonly #sockets: Sockets;
  readonly #library: Library;
  readonly #health: HealthCheck;
  readonly #closing = new AbortController();
  #eventStreams = 0;

  constructor(options: RelayOptions) {
    const { registry, library = new Library(), crypto, onSocket, home } = options;
    const { clock = systemClock, storage = { name: "unnamed" } } = options;
    const { store } = registry;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#views = new Views({ store, crypto, maxViews: this.#limits.openRepos });
    this.#source = StoreSource.of(store, crypto ?? defaultCrypto());
    this.#changes = new Changes(registry, (error) => options.onError?.(error));
    this.#sockets = new Sockets(onSocket, this.#limits.connections);
    this.#library = library;
    const counts = () => ({
      connections: this.#sockets.size,
      eventStreams: this.#eventStreams,
      openRepos: this.#views.size,
      origins: reportOrigins(options.upstreams),
    });
    this.#health = new HealthCheck({ store, storage, home, clock, counts });
    this.hono = this.#routes();
  }

  close(): void {
    this.#closing.abort();
    this.#changes.close();
    this.#sockets.close();
  }

  #routes(): Hono<Env> {
    // The path as it is in the URL: an escaped slash must not become a separator.
    const app = new Hono<Env>({ getPath: (request) => new URL(request.url).pathname });
    app.onError((error, { req }) => this.#fail(req.raw, error));
    app.notFound(({ req }) => {
      const { pathname } = new URL(req.url);
      return errorResponse(req.raw, new StreamoError("not_found", `nothing is at "${pathname}"`));
    });
    app.use(async ({ req }, next) => {
      if (req.raw.method === "GET" || req.raw.method === "HEAD") return await next();
      return this.#otherMethod(req.raw);
    });
    app.use("/streams/*", async (context, next) => {
      await next();
      context.res.headers.set("content-security-policy", SANDBOX);
    });
    app.get("/healthz", ({ req }) => this.#serveHealth(req.raw));
    app.get("/.well-known/streamo", ({ req }) => this.#serveAbout(req.raw));
    app.get("/sync", ({ req, env }) => this.#sockets.upgrade(req.raw, env.info));
    app.get("/streamo/*", (context) => this.#serveLibrary(context, "/streamo/", ""));
    app.get("/apps/*", (context) => this.#serveLibrary(context, "/apps/", "web/apps/"));
    app.get("/streams/:key", async (context) => {
      const view = await this.#viewOf(context.req.param("key"));
      return await serveValue(context.req.raw, view, this.#limits.value);
    });
    app.get("/streams/:key/head", async (context) => {
      return await serveHead(context.req.raw, await this.#viewOf(context.req.param("key")));
    });
    app.get("/streams/:key/log", async (context) => {
      const view = await this.#viewOf(context.req.param("key"));
      return await serveLog(context.req.raw, view, this.#options.registry.store);
    });
    app.get("/streams/:key/proof", async ({ req }) => {
      return await serveProof(req.raw, parseKey(req.param("key")), this.#source);
    });
    app.get("/streams/:key/events", (context) => this.#serveEvents(context));
    app.get("/streams/:key/*", async (context) => {
      const view = await this.#viewOf(context.req.param("key"));
      const prefix = `/streams/${view.key}/`;
      return await this.#serveSite(context.req.raw, view, prefix);
    });
    app.get("*", async ({ req }) => {
      const key = keyOfHost(req.url) ?? this.#options.home;
      if (key === undefined) throw new StreamoError("not_found", "this relay has no home repo");
      return await this.#serveSite(req.raw, await this.#viewOf(key), "/");
    });
    return app;
  }

  async #viewOf(text: string): Promise<View> {
    const key = parseKey(text);
    await this.#options.upstreams?.look(key);
    const view = await this.#views.open(key);
    if (view === undefined) throw new StreamoError("not_found", `nothing is stored of ${key}`);
    return view;
  }

  async #serveSite(request: Request, view: View, prefix: string): Promise<Response> {
    const { pathname } = new URL(request.url);
    const { bytes, tag } = await this.#library.importMap();
    return await serveFile(request, view, pathname.slice(prefix.length), { script: bytes, tag });
  }

  async #serveLibrary({ req }: Context<Env>, prefix: string, folder: string): Promise<Response> {
    const url = new URL(req.url);
    const path = folder + url.pathname.slice(prefix.length);
    const isFolder = path.endsWith("/");
    const file = await this.#library.file(isFolder ? `${path}index.html` : path);
    if (file === undefined) {
      if (!isFolder && await this.#library.file(`${path}/index.html`) !== undefined) {
        return new Response(null, { status: 307, headers: { location: withSlash(url) } });
      }
      throw new StreamoError("not_found", `the library has no file "${url.pathname}"`);
    }
    const { type, tag, immutable, bytes } = file;
    const body = bytesBody(bytes);
    if (type !== "text/html") {
      return await respond(req.raw, {
        type,
        tag,
        immutable,
        approximateSize: bytes.length,
        open: () => body,
      });
    }
    const map = await this.#library.importMap();
    const open = () => injectImportMap(body, map.bytes);
    return await respond(req.raw, { type, tag: `${tag}-${map.tag}`, open });
  }

  async #serveEvents({ req }: Context<Env>): Promise<Response> {
    const { key } = await this.#viewOf(req.param("key")!);
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
      // Some proxies hold back what they pass on until they have enough of it.
      "x-accel-buffering": "no",
    };
    if (req.raw.method === "HEAD") return new Response(null, { headers });
    if (this.#eventStreams >= this.#limits.eventStreams) {
      const most = this.#limits.eventStreams;
      throw new StreamoError("refused", `this relay has ${most} event streams already`);
    }
    this.#eventStreams++;
    const { upstreams } = this.#options;
    const reader = {};
    await upstreams?.use(reader, key);
    const stream = await headEvents({
      key,
      store: this.#options.registry.store,
      changes: this.#changes,
      keepAliveMs: this.#options.keepAliveMs ?? 25_000,
      signal: this.#closing.signal,
      onEnd: () => {
        upstreams?.leave(reader, key);
        this.#eventStreams--;
      },
    }, req.header("last-event-id") ?? null);
    return new Response(stream, { headers });
  }

  async #serveHealth(request: Request): Promise<Response> {
    const health = await this.#health.report();
    return json(request, health, health.status === "ok" ? 200 : 503);
  }

  #serveAbout(request: Request): Response {
    const { name = "streamo relay", home = null } = this.#options;
    const { value, connections } = this.#limits;
    return json(request, {
      name,
      home,
      protocols: [SUBPROTOCOL],
      sync: "/sync",
      limits: { value, connections },
    });
  }

  #otherMethod(request: Request): Response {
    if (request.method === "OPTIONS" && request.headers.has("access-control-request-method")) {
      const headers = {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, HEAD",
        "access-control-allow-headers": "range, if-range, if-none-match, last-event-id",
        "access-control-max-age": "86400",
      };
      return new Response(null, { status: 204, headers });
    }
    const message = `"${request.method.slice(0, 20)}" is not possible here; GET and HEAD are`;
    return faultResponse(request, 405, "unsupported", message, { allow: "GET, HEAD" });
  }

  #fail(request: Request, error: unknown): Response {
    if (!(error instanceof StreamoError)) this.#options.onError?.(error);
    return errorResponse(request, error);
  }
}

/** The key that the host name begins with, as in `KEY.example.org`. */
function keyOfHost(url: string): Key | undefined {
  const { hostname } = new URL(url);
  if (hostname.indexOf(".") !== KEY_CHARACTERS) return undefined;
  try {
    return parseKey(hostname.slice(0, KEY_CHARACTERS));
  } catch (error) {
    // A host name that happens to be as long as a key.
    if (error instanceof StreamoError && error.code === "malformed") return undefined;
    throw error;
  }
}

function json(request: Request, value: unknown, status = 200): Response {
  return new Response(request.method === "HEAD" ? null : `${JSON.stringify(value)}\n`, {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      "access-control-allow-origin": "*",
    },
  });
}
