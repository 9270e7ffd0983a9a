/** The package's entry points: what deno.json must export as soon as the files exist. */

/** Every entry point that the package has when it is whole. */
export const ENTRY_POINTS: Readonly<Record<string, string>> = {
  ".": "./mod.ts",
  "./sync": "./core/sync/mod.ts",
  "./sources": "./core/sources/mod.ts",
  "./value": "./core/value/mod.ts",
  "./relay": "./relay/mod.ts",
  "./web": "./web/mod.ts",
  "./cli": "./cli/mod.ts",
};

/**
 * What is wrong with `exports` given the files that exist: an entry point whose file is there and is
 * not exported, one exported to another file, or an export that is not an entry point.
 */
export function exportFaults(
  exports: Readonly<Record<string, string>>,
  exists: (file: string) => boolean,
): string[] {
  const faults: string[] = [];
  for (const [name, file] of Object.entries(ENTRY_POINTS)) {
    if (exists(file) && exports[name] !== file) {
      faults.push(`deno.json does not export "${name}" as "${file}"`);
    }
  }
  for (const [name, file] of Object.entries(exports)) {
    if (!exists(file)) faults.push(`deno.json exports "${file}", which does not exist`);
    else if (!Object.hasOwn(ENTRY_POINTS, name)) {
      faults.push(`deno.json exports "${name}", which is not an entry point`);
    }
  }
  return faults;
}

/** What in `imports` is not an npm package at one exact version. */
export function importFaults(imports: Readonly<Record<string, string>>): string[] {
  return Object.entries(imports)
    .filter(([, target]) => !/^npm:(@[^/@]+\/)?[^/@]+@\d+\.\d+\.\d+(-[\w.]+)?(\/.+)?$/.test(target))
    .map(([name, target]) => `deno.json imports "${name}" as "${target}", not npm at one version`);
}
