/** Rules for every file: where code comes from, how long functions are, that errors are heard. */

import { eachImport, projectPath } from "./place.ts";
import { isAmbient } from "./scope.ts";

/** Most lines in a function: what fits a screen. */
export const FUNCTION_MAX_LINES = 60;

/** `streamo/no-jsr`: the registries of jsr: and https: may be out of reach; npm, node: and the web are not. */
export const noJsr: Deno.lint.Rule = {
  create(context) {
    return eachImport((specifier, node) => {
      if (!/^(jsr|https?):/.test(specifier)) return;
      const message = `"${specifier}" is neither npm, node: nor a file of the project`;
      context.report({ node, message, hint: "use an npm package, a node: built-in or a web API" });
    });
  },
};

type AnyFunction =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

/** `streamo/function-lines`: a function has at most {@link FUNCTION_MAX_LINES} lines. */
export const functionLines: Deno.lint.Rule = {
  create(context) {
    const check = (node: AnyFunction): void => {
      const [from, to] = node.range;
      const lines = context.sourceCode.text.slice(from, to).split("\n").length;
      if (lines <= FUNCTION_MAX_LINES) return;
      const message = `this function has ${lines} lines, more than ${FUNCTION_MAX_LINES}`;
      context.report({ node, message, hint: "split it at the seams of what it does" });
    };
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
    };
  },
};

/**
 * `streamo/no-empty-catch`: neither `catch {}` nor `.catch(() => {})`, with or without a comment. The
 * statement `promise.catch(() => {});` is allowed: it marks as heard a promise that others hold too.
 */
export const noEmptyCatch: Deno.lint.Rule = {
  create(context) {
    const message = "an empty catch swallows every error, also those that nobody thought of";
    const hint = "handle the one error that is expected and throw the others again";
    return {
      CatchClause(node) {
        if (node.body.body.length === 0) context.report({ node, message, hint });
      },
      CallExpression(node) {
        const { callee, arguments: given } = node;
        if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") return;
        if (callee.property.name !== "catch") return;
        const named = callee.object.type === "Identifier" ||
          callee.object.type === "MemberExpression";
        if (named && node.parent.type === "ExpressionStatement") return;
        const handler = given[0];
        const empty =
          (handler?.type === "ArrowFunctionExpression" || handler?.type === "FunctionExpression") &&
          handler.body?.type === "BlockStatement" && handler.body.body.length === 0;
        if (empty) context.report({ node: handler, message, hint });
      },
    };
  },
};

/**
 * `streamo/no-console`: libraries say things by errors, events and return values. Programs may print:
 * cli/, the programs of relay/, tests/. Core is held to it by `streamo/pure-core`.
 */
export const noConsole: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!/^(relay|web)\//.test(path) || /^relay\/(main|deploy)\.ts$/.test(path)) return {};
    return {
      Identifier(node) {
        if (node.name !== "console" || !isAmbient(context, node)) return;
        context.report({ node, message: "a library does not print", hint: "take a log function" });
      },
    };
  },
};
