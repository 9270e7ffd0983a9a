/** Finding files in a repo's value: a flat map from path to entry. */

import type { Path } from "../../core/codec/value.ts";
import type { Snapshot, Stat } from "../../core/repo/snapshot.ts";

/** Symlinks followed for one request. */
const MAX_HOPS = 40;
/** Segments of a path that is looked for. */
const MAX_SEGMENTS = 128;
/** Bytes of a symlink's target. */
const MAX_TARGET_BYTES = 4096;

/** A file of a repo. */
export interface SiteFile {
  readonly kind: "file";
  /** Its own path, after symlinks. */
  readonly path: string;
  /** Where its content is in the repo's value. */
  readonly content: Path;
  readonly stat: Stat;
}

/** What stands at a path of a site. */
export type Found = SiteFile | { readonly kind: "directory"; readonly path: string };

/**
 * The map of files in a repo's value: what is under `files` if that is a map, else the value. A file of
 * the name `files` at the top is a map as well if it may be executed or is a symlink.
 */
export function siteBase(snapshot: Snapshot): Path {
  const files = snapshot.stat("files");
  if (files?.kind !== "map") return [];
  const isExecutable = snapshot.stat("files", "executable")?.kind === "scalar";
  const isLink = files.size === 1 && snapshot.stat("files", "symlink")?.kind === "string";
  return isExecutable || isLink ? [] : ["files"];
}

/**
 * What `path` (relative, no slash at the end; "" is the root) leads to. Symlinks are followed inside
 * the repo only: one that points out of it, or in a circle, leads nowhere. Throws MissingBlock.
 */
export function find(snapshot: Snapshot, path: string): Found | undefined {
  const base = siteBase(snapshot);
  for (let hops = 0; hops <= MAX_HOPS; hops++) {
    if (path.split("/").length > MAX_SEGMENTS) return undefined;
    const entry = entryAt(snapshot, base, path);
    if (entry?.kind === "file") return entry;
    if (entry === undefined) {
      if (isDirectory(snapshot, base, path)) return { kind: "directory", path };
    }
    const next = entry === undefined
      ? throughLinkedFolder(snapshot, base, path)
      : follow(path, entry.target);
    if (next === undefined) return undefined;
    path = next;
  }
  return undefined;
}

interface Symlink {
  readonly kind: "symlink";
  readonly target: string;
}

function entryAt(snapshot: Snapshot, base: Path, path: string): SiteFile | Symlink | undefined {
  if (path === "") return undefined;
  const at = [...base, path];
  const stat = snapshot.stat(...at);
  if (stat === undefined) return undefined;
  if (stat.kind === "string" || stat.kind === "bytes") {
    return { kind: "file", path, content: at, stat };
  }
  if (stat.kind !== "map") return undefined;
  const content = snapshot.stat(...at, "content");
  if (content?.kind === "string" || content?.kind === "bytes") {
    return { kind: "file", path, content: [...at, "content"], stat: content };
  }
  const link = snapshot.stat(...at, "symlink");
  if (link?.kind !== "string" || link.size > MAX_TARGET_BYTES) return undefined;
  return { kind: "symlink", target: snapshot.get(...at, "symlink") as string };
}

function isDirectory(snapshot: Snapshot, base: Path, path: string): boolean {
  const prefix = path === "" ? "" : `${path}/`;
  return !snapshot.keys(base, { prefix, limit: 1 }).next().done;
}

/** `path` with its first folder that is a symlink replaced by the target. */
function throughLinkedFolder(snapshot: Snapshot, base: Path, path: string): string | undefined {
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    const folder = path.slice(0, slash);
    const entry = entryAt(snapshot, base, folder);
    if (entry?.kind !== "symlink") continue;
    const target = follow(folder, entry.target);
    return target === undefined ? undefined : `${target}/${path.slice(slash + 1)}`;
  }
  return undefined;
}

/** Where a symlink at `from` with `target` points; undefined if that is out of the repo. */
function follow(from: string, target: string): string | undefined {
  if (target.startsWith("/") || target === "") return undefined;
  const segments = from.split("/").slice(0, -1);
  for (const segment of target.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
}
