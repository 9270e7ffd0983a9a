/**
 * `streamo/pure-core`: core names no ambient clock, randomness, timer, network, file or console.
 * They come in as parameters, which is what lets the simulator replay a run from its seed.
 */

import { eachImport, projectPath, sourceText } from "./place.ts";
import { isAmbient } from "./scope.ts";

/** Global names that core may not touch, with what they give. */
const AMBIENT: Readonly<Record<string, string>> = {
  performance: "a clock",
  Temporal: "a clock",
  crypto: "randomness",
  setTimeout: "a timer",
  setInterval: "a timer",
  setImmediate: "a timer",
  clearTimeout: "a timer",
  clearInterval: "a timer",
  requestAnimationFrame: "a timer",
  requestIdleCallback: "a timer",
  fetch: "the network",
  EventSource: "the network",
  XMLHttpRequest: "the network",
  BroadcastChannel: "the network",
  WebTransport: "the network",
  Deno: "the platform",
  Bun: "the platform",
  process: "the platform",
  require: "the platform",
  globalThis: "the platform",
  window: "the platform",
  self: "the platform",
  navigator: "the platform",
  localStorage: "files",
  sessionStorage: "files",
  indexedDB: "files",
  caches: "files",
  console: "the console",
};

/** Members of globals that are fine otherwise. */
const AMBIENT_MEMBERS: Readonly<Record<string, string>> = {
  "Date.now": "a clock",
  "Math.random": "randomness",
  "AbortSignal.timeout": "a timer",
  "Atomics.wait": "a timer",
  "Atomics.waitAsync": "a timer",
};

/** Constructors that reach out; as types, and for `instanceof`, they are fine. */
const AMBIENT_NEW: Readonly<Record<string, string>> = {
  WebSocket: "the network",
  WebSocketStream: "the network",
  Worker: "the platform",
};

/**
 * The escapes: one file finds the platform's own cryptography, one holds the clock, timers, randomness,
 * sockets and `fetch` that callers get when they give none.
 * `core/sync/*_transport.ts` needs none: sockets come in as parameters there, named by their types.
 */
const ESCAPES: Readonly<Record<string, readonly string[]>> = {
  "core/identity/default_crypto.ts": ["globalThis", "crypto", "process"],
  "core/platform.ts": [
    "Date.now",
    "Math.random",
    "crypto",
    "setTimeout",
    "clearTimeout",
    "WebSocket",
    "fetch",
  ],
};

/** Reports what a file under core/ takes from its surroundings. */
export const pureCore: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!path.startsWith("core/")) return {};
    const escapes = ESCAPES[path] ?? [];
    const seen = new Set<number>();
    const report = (node: Deno.lint.Node, name: string, what: string): void => {
      // A shorthand property is visited as key and as value.
      if (escapes.includes(name) || seen.has(node.range[0])) return;
      seen.add(node.range[0]);
      const message = `core names ${what} of its surroundings: "${name}"`;
      context.report({ node, message, hint: "take it as a parameter" });
    };
    return {
      ...eachImport((specifier, node) => {
        if (/^node:/.test(specifier)) report(node, specifier, "the platform");
      }),
      Identifier(node) {
        const found = ambientUse(node);
        if (found !== undefined && isAmbient(context, node)) report(node, ...found);
      },
    };
  },
};

/** The name and kind of what `node` would reach if it is the global of its name. */
function ambientUse(node: Deno.lint.Identifier): [string, string] | undefined {
  const { name } = node;
  if (Object.hasOwn(AMBIENT, name)) return [name, AMBIENT[name]];
  const parent = node.parent as Deno.lint.Node;
  if (parent.type === "MemberExpression") {
    const member = `${name}.${memberName(parent)}`;
    if (Object.hasOwn(AMBIENT_MEMBERS, member)) return [member, AMBIENT_MEMBERS[member]];
  }
  const called = (parent.type === "NewExpression" || parent.type === "CallExpression") &&
    parent.callee.range[0] === node.range[0];
  if (!called) return undefined;
  const calls = parent.type === "CallExpression";
  // Date() ignores its arguments; new Date(value) only converts.
  if (name === "Date" && (calls || parent.arguments.length === 0)) return ["Date", "a clock"];
  if (!calls && Object.hasOwn(AMBIENT_NEW, name)) return [name, AMBIENT_NEW[name]];
  return undefined;
}

function memberName(member: Deno.lint.MemberExpression): string | undefined {
  if (member.computed) return sourceText(member.property);
  return member.property.type === "Identifier" ? member.property.name : undefined;
}
