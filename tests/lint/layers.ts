/** `streamo/layers`: imports point one way. */

import { eachImport, projectPath, resolveImport } from "./place.ts";

/** Which layers (or single files) a layer may import, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "core/base": [],
  "core/identity": ["core/base"],
  // A link is a value that holds a key: codec needs a key's bytes and text, nothing else of identity.
  "core/codec": ["core/base", "core/identity/key.ts"],
  "core/log": ["core/base", "core/identity", "core/codec"],
  "core/repo": ["core/base", "core/identity", "core/codec", "core/log"],
  "core/sync": ["core/base", "core/identity", "core/codec", "core/log", "core/repo"],
  "core/sources": ["core/identity", "core/log", "core/sync"],
  "core/value": ["core/codec", "core/repo"],
  "mod.ts": ["core"],
  relay: ["core", "mod.ts"],
  cli: ["core", "mod.ts", "relay"],
  web: ["core", "mod.ts"],
};

/** The layer of the file at `path`, or undefined for a file that no rule covers. */
function layerOf(path: string): string | undefined {
  const [folder, ...rest] = path.split("/");
  if (rest.length === 0) return path === "mod.ts" ? path : undefined;
  if (folder !== "core") return folder;
  return rest.length === 1 ? "core/base" : `core/${rest[0]}`;
}

/** Whether a file of layer `from` may import the file `target`, which is of layer `to`. */
function mayImport(from: string, to: string, target: string): boolean {
  if (from === to) return true;
  return (MAY_IMPORT[from] ?? []).some((allowed) =>
    allowed === target || allowed === to || to.startsWith(`${allowed}/`)
  );
}

/** Reports an import against the direction, and code in a `mod.ts`. */
export const layers: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    const from = layerOf(path);
    if (from === undefined || from === "tests") return {};
    const imports = eachImport((specifier, node) => {
      const target = resolveImport(path, specifier);
      if (target === undefined) return;
      const to = layerOf(target);
      if (to === undefined || mayImport(from, to, target)) return;
      context.report({
        node,
        message: `${from} may not import ${to}: "${specifier}"`,
        hint:
          "core <- relay <- cli, core <- web; codec <- log <- repo <- sync, identity beside log",
      });
    });
    if (!path.endsWith("/mod.ts") && path !== "mod.ts") return imports;
    return { ...imports, Program: (node) => reExportsOnly(context, node) };
  },
};

function reExportsOnly(context: Deno.lint.RuleContext, program: Deno.lint.Program): void {
  for (const statement of program.body) {
    if (statement.type === "ExportAllDeclaration") continue;
    if (statement.type === "ExportNamedDeclaration" && statement.source !== null) continue;
    context.report({ node: statement, message: "a mod.ts only re-exports" });
  }
}
