/** Where a file stands in the project: what the lint rules decide by. */

const ROOT = new URL("../../", import.meta.url).pathname;

/** `filename` (absolute, or relative to the project) as a path in the project, with slashes. */
export function projectPath(filename: string): string {
  const path = filename.replaceAll("\\", "/").replace(/^\.\//, "");
  const root = ROOT.replace(/^\/(?=[A-Za-z]:)/, "");
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** The path that `specifier` names when `from` imports it; undefined for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!/^\.{0,2}\//.test(specifier)) return undefined;
  const base = new URL(from, "file:///");
  return new URL(specifier, base).pathname.slice(1);
}

/** The text of an import's source node when it is a plain string. */
export function sourceText(node: Deno.lint.Node | null | undefined): string | undefined {
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

/** A visitor that calls `check` with every module specifier of a file, static or dynamic. */
export function eachImport(
  check: (specifier: string, node: Deno.lint.Node) => void,
): Deno.lint.LintVisitor {
  const visit = (node: Deno.lint.Node, source: Deno.lint.Node | null): void => {
    const specifier = sourceText(source);
    if (specifier !== undefined) check(specifier, node);
  };
  return {
    ImportDeclaration: (node) => visit(node, node.source),
    ExportAllDeclaration: (node) => visit(node, node.source),
    ExportNamedDeclaration: (node) => visit(node, node.source),
    ImportExpression: (node) => visit(node, node.source),
    TSImportType: (node) =>
      visit(node, node.argument.type === "TSLiteralType" ? node.argument.literal : null),
  };
}
