/** Serving a repo's files as a site. */

import type { Snapshot } from "../../core/repo/snapshot.ts";
import { StreamoError } from "../../core/errors.ts";
import { allowsHtml } from "../http/accept.ts";
import { typeOf } from "../http/mime.ts";
import { type Body, type Representation, respond } from "../http/respond.ts";
import { addressTag, type View } from "../views.ts";
import { find, type Found, type SiteFile } from "./find.ts";
import { injectImportMap } from "./inject.ts";
import { decodePath, withSlash } from "./path.ts";
import { pickState } from "./state.ts";

/** What goes into HTML documents. */
export interface Injection {
  readonly script: Uint8Array;
  /** Names the script in tags. */
  readonly tag: string;
}

/** Answers a request for the file of `view` at `encodedPath` (no leading slash). */
export async function serveFile(
  request: Request,
  view: View,
  encodedPath: string,
  injection: Injection,
): Promise<Response> {
  const url = new URL(request.url);
  const { snapshot, immutable } = await pickState(view, url.searchParams);
  const path = decodePath(encodedPath);
  const found = path === undefined ? undefined : await locate(view, snapshot, path);
  if (found === "redirect") {
    const location = withSlash(url);
    const headers = { location, "cache-control": "no-cache", "access-control-allow-origin": "*" };
    return new Response(null, { status: 307, headers });
  }
  if (found !== undefined) {
    const file = { view, snapshot, found, asked: path! };
    return await respond(request, { ...await represent(file, injection), immutable });
  }
  const own = allowsHtml(request.headers.get("accept"))
    ? await locate(view, snapshot, "404.html")
    : undefined;
  if (own === undefined || own === "redirect") {
    throw new StreamoError("not_found", `there is no file "/${path ?? encodedPath}" in this repo`);
  }
  const file = { view, snapshot, found: own, asked: "404.html" };
  return await respond(request, { ...await represent(file, injection), status: 404 });
}

/** The file for `path`: a directory gives its index.html, with a redirect to where links in it work. */
async function locate(
  view: View,
  snapshot: Snapshot,
  path: string,
): Promise<SiteFile | "redirect" | undefined> {
  const isFolder = path === "" || path.endsWith("/");
  const name = isFolder ? path.slice(0, -1) : path;
  if (path === "/" || name.endsWith("/")) return undefined;
  const found = await view.repo.read(() => find(snapshot, name));
  if (found?.kind === "file") return isFolder ? undefined : found;
  if (found === undefined) return undefined;
  const index = await view.repo.read(() => find(snapshot, indexOf(found)));
  if (index?.kind !== "file") return undefined;
  return isFolder ? index : "redirect";
}

function indexOf({ path }: Found): string {
  return path === "" ? "index.html" : `${path}/index.html`;
}

interface Located {
  readonly view: View;
  readonly snapshot: Snapshot;
  readonly found: SiteFile;
  /** The path asked for, whose extension decides before that of a symlink's target. */
  readonly asked: string;
}

async function represent(
  { view, snapshot, found, asked }: Located,
  injection: Injection,
): Promise<Representation> {
  const { content, stat } = found;
  const fallback = stat.kind === "string" ? "text/plain" : "application/octet-stream";
  const type = typeOf(asked) ?? typeOf(found.path) ?? fallback;
  const tag = await contentTag(view, snapshot, found);
  const body: Body = {
    size: stat.size,
    read: (start, end) => view.repo.readBytes(content, { start, end }, snapshot),
  };
  const approximateSize = stat.size;
  if (type !== "text/html") return { type, tag, approximateSize, open: () => body };
  // The map may change with the relay's version, so its tag is part of the document's.
  return {
    type,
    tag: `${tag}-${injection.tag}`,
    approximateSize: stat.size + injection.script.length,
    open: () => injectImportMap(body, injection.script),
  };
}

/**
 * Equal addresses in one epoch mean equal content, so that a commit changes the tags of those files
 * only that it changes. Content without an address sits in its parent and is small enough to hash.
 */
async function contentTag(
  view: View,
  snapshot: Snapshot,
  { content, stat }: SiteFile,
): Promise<string> {
  if (stat.address !== undefined) return await addressTag(view, stat.address);
  const bytes = await new Response(view.repo.readBytes(content, {}, snapshot)).bytes();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `${view.key}.${hash.subarray(0, 16).toHex()}`;
}
