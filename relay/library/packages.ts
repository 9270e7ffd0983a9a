/** The npm packages that core and web need in a browser, served by the relay itself: no CDN. */

import { readFile } from "node:fs/promises";
import { StreamoError } from "../../core/errors.ts";

/** A package that pages may import. */
export interface BrowserPackage {
  /** As on npm. */
  readonly name: string;
  /** As in deno.json's `imports`; a test holds the two together. */
  readonly version: string;
  /** Import specifiers; one that ends with a slash gives every file of the package. */
  readonly specifiers: readonly string[];
}

/** All of them. They import nothing but their own files and each other. */
export const BROWSER_PACKAGES: readonly BrowserPackage[] = [
  { name: "@preact/signals", version: "2.11.4", specifiers: ["@preact/signals"] },
  { name: "@preact/signals-core", version: "1.14.5", specifiers: ["@preact/signals-core"] },
  { name: "htm", version: "3.1.1", specifiers: ["htm"] },
  { name: "idb", version: "8.0.4", specifiers: ["idb"] },
  { name: "preact", version: "11.2.0", specifiers: ["preact", "preact/hooks"] },
  { name: "@noble/ed25519", version: "3.2.0", specifiers: ["@noble/ed25519"] },
  { name: "@noble/hashes", version: "2.4.0", specifiers: ["@noble/hashes/"] },
  // The last three are what the first of these imports.
  { name: "@stablelib/sha256", version: "2.0.1", specifiers: ["@stablelib/sha256"] },
  { name: "@stablelib/binary", version: "2.0.1", specifiers: ["@stablelib/binary"] },
  { name: "@stablelib/int", version: "2.0.1", specifiers: ["@stablelib/int"] },
  { name: "@stablelib/wipe", version: "2.0.1", specifiers: ["@stablelib/wipe"] },
];

/**
 * Never called: what is imported here belongs to the module graph, so that it is downloaded with the
 * relay, although only pages run it.
 */
export const inGraph = (): Promise<unknown>[] => [
  import("@preact/signals"),
  import("@preact/signals-core"),
  import("htm"),
  import("idb"),
  import("preact"),
  import("preact/hooks"),
  import("@stablelib/binary"),
  import("@stablelib/int"),
  import("@stablelib/wipe"),
];

/** Where packages are served. */
const PREFIX = "/streamo/npm/";
/** A module inside a package: no dot files, no way up. */
const MODULE = /^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*\/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.m?js$/;

/** The files of the packages, wherever this platform keeps them. */
export class Packages {
  readonly #packages: readonly BrowserPackage[];
  /** Folders by `name@version`, found at the first use. */
  readonly #roots = new Map<string, URL>();

  /** The given packages, or {@link BROWSER_PACKAGES}. */
  constructor(packages: readonly BrowserPackage[] = BROWSER_PACKAGES) {
    this.#packages = packages;
  }

  /** What an import map says about them: URLs by specifier. */
  imports(): Record<string, string> {
    const imports: Record<string, string> = {};
    for (const found of this.#packages) {
      const folder = `${PREFIX}${found.name}@${found.version}/`;
      for (const specifier of found.specifiers) {
        if (specifier.endsWith("/")) imports[specifier] = folder;
        else imports[specifier] = folder + this.#entryOf(found, specifier);
      }
    }
    return imports;
  }

  /** The file at `path` (`name@version/file.js`), or undefined if no package here has it. */
  async file(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (const found of this.#packages) {
      const folder = `${found.name}@${found.version}/`;
      if (!path.startsWith(folder)) continue;
      const file = path.slice(folder.length);
      return MODULE.test(file) ? await read(new URL(file, this.#rootOf(found))) : undefined;
    }
    return undefined;
  }

  #entryOf(found: BrowserPackage, specifier: string): string {
    return resolveModule(specifier, found).href.slice(this.#rootOf(found).href.length);
  }

  /** The package's folder: what is before its first path segment that is not a folder of its own. */
  #rootOf(found: BrowserPackage): URL {
    const id = `${found.name}@${found.version}`;
    let root = this.#roots.get(id);
    if (root === undefined) {
      root = findRoot(resolveModule(found.name, found), found);
      this.#roots.set(id, root);
    }
    return root;
  }
}

/**
 * The file behind a specifier. A mapped bare specifier is known where deno.json counts; where the relay
 * comes from a registry, the package is known by its full name only.
 */
function resolveModule(specifier: string, { name, version }: BrowserPackage): URL {
  const full = `npm:${name}@${version}${specifier.slice(name.length)}`;
  let url: string | undefined;
  try {
    url = import.meta.resolve(specifier);
  } catch (error) {
    // What is not mapped here is looked for under its full name.
    if (!(error instanceof TypeError)) throw error;
  }
  if (!url?.startsWith("file:")) url = import.meta.resolve(full);
  if (url.startsWith("file:")) return new URL(url);
  throw new StreamoError("unsupported", `the files of "${full}" are not on this machine`);
}

/** The folder called as the package in the path of `entry`, with the version below it or not. */
function findRoot(entry: URL, { name, version }: BrowserPackage): URL {
  for (const folder of [`/${name}/${version}/`, `/${name}/`]) {
    const at = entry.href.lastIndexOf(folder);
    if (at !== -1) return new URL(entry.href.slice(0, at + folder.length));
  }
  throw new StreamoError("unsupported", `"${entry.href}" is not in a folder of "${name}"`);
}

/** Whether `error` says that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "ENOENT" || code === "ENOTDIR";
}

async function read(url: URL): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return new Uint8Array(await readFile(url));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
