/** The library as one download for browsers: bundled, minified, compressed. */

import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

/** The files of one bundle by name. */
export type Bundle = ReadonlyMap<string, string>;

/** npm packages that core uses. */
const PACKAGES = ["@noble/*", "@stablelib/*"];

/** How {@link bundle} makes files. */
export interface BundleOptions {
  /** Without names and spaces that people read. */
  readonly minify?: boolean;
  /** Without the code of npm packages. */
  readonly withoutPackages?: boolean;
}

/**
 * Bundles `entry` (from the root of the repository) for browsers, what is imported late in files of
 * its own; undefined if the bundler, which Deno takes from npm, cannot be had.
 */
export async function bundle(
  entry: string,
  { minify = false, withoutPackages = false }: BundleOptions = {},
): Promise<Bundle | undefined> {
  const directory = await Deno.makeTempDir();
  try {
    const args = ["bundle", "--platform", "browser", "--code-splitting", "--outdir", directory];
    const options = minify ? ["--minify"] : [];
    if (withoutPackages) options.push(...PACKAGES.map((name) => `--external=${name}`));
    const root = fileURLToPath(new URL("../../", import.meta.url));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, ...options, join(root, entry)],
      cwd: root,
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stderr);
    if (!success && /esbuild/.test(said)) return undefined;
    if (!success) throw new Error(`cannot bundle ${entry}: ${said}`);
    const files = new Map<string, string>();
    for await (const { name } of Deno.readDir(directory)) {
      files.set(name, await Deno.readTextFile(join(directory, name)));
    }
    return files;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Bytes of `text`, compressed as servers do it. */
export function gzipBytes(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}

/** Bytes of the files `names` as one download: bundlers for pages join what is loaded together. */
export function downloadBytes(files: Bundle, names: readonly string[]): number {
  return gzipBytes(names.map((name) => files.get(name)!).join(""));
}

/** The files that `entry` loads at once: its own and what they import, not what they import late. */
export function loadedAtOnce(files: Bundle, entry: string): string[] {
  const loaded = [entry];
  for (const name of loaded) {
    for (const [, other] of files.get(name)!.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) {
      if (!loaded.includes(other)) loaded.push(other);
    }
  }
  return loaded;
}

/** What is imported late anywhere: files by the name of the module. */
export function loadedLate(files: Bundle): Map<string, string> {
  const late = new Map<string, string>();
  for (const text of files.values()) {
    for (const [, file, name] of text.matchAll(/import\("\.\/((\w+)-\w+\.js)"\)/g)) {
      late.set(name, file);
    }
  }
  return late;
}

/** Modules of a bundle that is not minified, the largest first: compressed one by one. */
export function moduleSizes(files: Bundle, names: readonly string[]): [string, number][] {
  const modules = new Map<string, string>();
  for (const name of names) {
    // The bundler puts each module's path in a comment before it.
    const parts = files.get(name)!.split(/^\/\/ (\S+\.[jt]s)$/m);
    for (let i = 1; i < parts.length; i += 2) {
      modules.set(parts[i], parts[i + 1].replace(/^\s+/gm, ""));
    }
  }
  const sizes = [...modules].map(([name, text]): [string, number] => [name, gzipBytes(text)]);
  return sizes.sort(([, a], [, b]) => b - a);
}
