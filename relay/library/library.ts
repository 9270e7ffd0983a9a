/** Streamo's own files for browsers: core and web as modules, and the packages they need. */

import { stat } from "node:fs/promises";
import { StreamoError } from "../../core/errors.ts";
import { typeOf } from "../http/mime.ts";
import { isAbsent, Packages } from "./packages.ts";
import { typeStripper } from "./strip_types.ts";

/** A file for browsers. */
export interface LibraryFile {
  /** Media type without parameters. */
  readonly type: string;
  /** Equal tags mean equal bytes. */
  readonly tag: string;
  /** Ready for browsers: types are stripped. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the same path always gives these bytes. */
  readonly immutable: boolean;
}

/** What can be asked for: mod.ts, and files below core/ and web/. No dot files, no way up. */
const OWN =
  /^(?:mod\.ts|(?:core|web)(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*\/[A-Za-z0-9_-][A-Za-z0-9_.-]*\.(?:ts|js|css|html|svg|json|png|ico|webmanifest))$/;

/** Time and size of a file: what tells that it is unchanged. Empty where it comes over the network. */
type Version = string;

/** Reads files once; again when they changed on disk. */
export class Library {
  readonly #root: URL;
  readonly #packages: Packages;
  readonly #files = new Map<
    string,
    { readonly version: Version; readonly file: Promise<LibraryFile> }
  >();
  #importMap: Promise<LibraryFile> | undefined;

  /** The library whose mod.ts is in `root`; this very one by default. */
  constructor(
    root: URL = new URL("../../", import.meta.url),
    packages: Packages = new Packages(),
  ) {
    this.#root = root;
    this.#packages = packages;
  }

  /** The file at `path` (as in `/streamo/PATH`), or undefined if it is none of the library's. */
  async file(path: string): Promise<LibraryFile | undefined> {
    if (path.startsWith("npm/")) return await this.#packageFile(path);
    if (!OWN.test(path)) return undefined;
    const url = new URL(path, this.#root);
    const version = await versionOf(url);
    if (version === undefined) return undefined;
    const held = this.#files.get(path);
    if (held?.version === version) return await held.file;
    const file = this.#read(path, url);
    return await this.#remember(path, version, file);
  }

  /** The `<script type="importmap">` that lets pages import the library by name. */
  importMap(): Promise<LibraryFile> {
    this.#importMap ??= this.#makeImportMap();
    return this.#importMap;
  }

  async #packageFile(path: string): Promise<LibraryFile | undefined> {
    const held = this.#files.get(path);
    if (held !== undefined) return await held.file;
    const bytes = await this.#packages.file(path.slice("npm/".length));
    if (bytes === undefined) return undefined;
    return await this.#remember(path, "", tagged("text/javascript", bytes, true));
  }

  async #remember(
    path: string,
    version: Version,
    file: Promise<LibraryFile>,
  ): Promise<LibraryFile> {
    const entry = { version, file };
    this.#files.set(path, entry);
    try {
      return await file;
    } catch (error) {
      if (this.#files.get(path) === entry) this.#files.delete(path);
      throw error;
    }
  }

  async #read(path: string, url: URL): Promise<LibraryFile> {
    // fetch() reads local files and those of a library that was itself loaded over the network.
    const response = await fetch(url);
    if (!response.ok) {
      await response.body?.cancel();
      throw new StreamoError("not_found", `there is no file "${path}" in this library`);
    }
    if (!path.endsWith(".ts")) {
      return await tagged(typeOf(path) ?? "text/plain", await response.bytes());
    }
    const strip = await typeStripper();
    const source = strip(await response.text());
    return await tagged("text/javascript", new TextEncoder().encode(source));
  }

  async #makeImportMap(): Promise<LibraryFile> {
    const imports = {
      "@streamo/streamo": "/streamo/mod.ts",
      "@streamo/streamo/sync": "/streamo/core/sync/mod.ts",
      "@streamo/streamo/sources": "/streamo/core/sources/mod.ts",
      "@streamo/streamo/value": "/streamo/core/value/mod.ts",
      "@streamo/streamo/web": "/streamo/web/mod.ts",
      "@streamo/streamo/": "/streamo/",
      ...this.#packages.imports(),
    };
    const json = JSON.stringify({ imports }).replaceAll("<", "\\u003c");
    const script = `<script type="importmap">${json}</script>`;
    return await tagged("text/html", new TextEncoder().encode(script));
  }
}

async function tagged(
  type: string,
  bytes: Uint8Array<ArrayBuffer>,
  immutable = false,
): Promise<LibraryFile> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { type, bytes, immutable, tag: hash.subarray(0, 16).toHex() };
}

/** Undefined if there is no such file. */
async function versionOf(url: URL): Promise<Version | undefined> {
  if (url.protocol !== "file:") return "";
  try {
    const { mtimeMs, size } = await stat(url);
    return `${mtimeMs}/${size}`;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
