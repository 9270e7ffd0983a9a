/** Which identifiers in a syntax tree refer to a global of the platform. */

type Node = Deno.lint.Node;

/** Whether `node` is read as a value, and not bound by the file: by a parameter, a variable, an import. */
export function isAmbient(context: Deno.lint.RuleContext, node: Deno.lint.Identifier): boolean {
  const ancestors = context.sourceCode.getAncestors(node);
  return isValue(node) && !ancestors.some((ancestor) => namesBoundBy(ancestor).has(node.name));
}

/** Nodes of TypeScript that hold a value; below every other TS node a name is a type. */
const VALUE_WRAPPERS = new Set([
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);

function isValue(node: Deno.lint.Identifier): boolean {
  const parent = node.parent as Node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.computed || !same(parent.property, node);
    case "Property":
      return parent.computed || parent.shorthand || !same(parent.key, node);
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.computed || !same(parent.key, node);
    case "ImportSpecifier":
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
      return false;
    case "ExportSpecifier":
      return parent.parent.type === "ExportNamedDeclaration" && parent.parent.source === null;
    default:
      return !parent.type.startsWith("TS") || VALUE_WRAPPERS.has(parent.type);
  }
}

function same(a: Node, b: Node): boolean {
  return a.type === b.type && a.range[0] === b.range[0];
}

/** The names that `scope` itself declares for what lies inside it. */
function namesBoundBy(scope: Node): Set<string> {
  const names = new Set<string>();
  switch (scope.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      for (const parameter of scope.params) addPattern(parameter, names);
      break;
    case "CatchClause":
      if (scope.param) addPattern(scope.param, names);
      break;
    case "Program":
    case "BlockStatement":
      for (const statement of scope.body) addStatement(statement, names);
      break;
    case "ForStatement":
      if (scope.init) addStatement(scope.init, names);
      break;
    case "ForOfStatement":
    case "ForInStatement":
      addStatement(scope.left, names);
      break;
  }
  return names;
}

function addStatement(statement: Node, names: Set<string>): void {
  switch (statement.type) {
    case "ImportDeclaration":
      for (const specifier of statement.specifiers) names.add(specifier.local.name);
      break;
    case "ExportNamedDeclaration":
      if (statement.declaration) addStatement(statement.declaration, names);
      break;
    case "VariableDeclaration":
      for (const { id } of statement.declarations) addPattern(id, names);
      break;
    case "FunctionDeclaration":
    case "ClassDeclaration":
      if (statement.id) names.add(statement.id.name);
      break;
  }
}

function addPattern(pattern: Node | Deno.lint.Parameter, names: Set<string>): void {
  switch (pattern.type) {
    case "Identifier":
      names.add(pattern.name);
      break;
    case "AssignmentPattern":
      addPattern(pattern.left, names);
      break;
    case "RestElement":
      addPattern(pattern.argument, names);
      break;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element) addPattern(element, names);
      break;
    case "ObjectPattern":
      for (const part of pattern.properties) {
        addPattern(part.type === "Property" ? part.value : part.argument, names);
      }
      break;
  }
}
