import assert from "node:assert/strict";
import { messages } from "./check.ts";

const FILE = "core/log/log.ts";

const AMBIENT = [
  "Date.now()",
  `Date["now"]()`,
  "new Date()",
  "Date()",
  "performance.now()",
  "Math.random()",
  "crypto.getRandomValues(new Uint8Array(1))",
  "crypto.randomUUID()",
  "globalThis.crypto",
  "setTimeout(() => {}, 1)",
  "setInterval(f, 1)",
  "AbortSignal.timeout(5)",
  "fetch('/')",
  "const { fetch: f } = globalThis;",
  "const f = { fetch };",
  "function f(now = Date.now()) {}",
  "new WebSocket(url)",
  "new EventSource(url)",
  "Deno.readFile(path)",
  "process.env",
  "(crypto as unknown as X).subtle",
  "console.log(1)",
  `import { readFile } from "node:fs";`,
  `const fs = await import("node:fs");`,
  "localStorage.getItem('a')",
  "function f(fetch: F) {} fetch('/');",
  "export { fetch };",
];

const PURE = [
  "new Date(0)",
  "value instanceof Date",
  "Date.UTC(2000, 1)",
  "Math.max(1, 2)",
  "queueMicrotask(f)",
  "new AbortController()",
  "clock.now(); clock.setTimeout(f, 1)",
  "function f(fetch: Fetch, console: Log) { fetch('/'); console.log(1); }",
  "const g = (crypto: Crypto) => () => crypto.sha256();",
  "const g = ({ crypto, now: performance = 1 }: Options) => [crypto, performance];",
  "const crypto = provider(); crypto.sha256();",
  "import { crypto } from './x.ts'; crypto.sha256();",
  "interface Clock { setTimeout(f: () => void): void; fetch: number }",
  "type F = typeof fetch; type G = (fetch: F) => void; let s: WebSocket;",
  "class A { console = 1; process() { return this.console; } #fetch = 2; }",
  "const x = { fetch: 1, process() {} }; x.fetch;",
  "for (const process of list) process();",
  "type K = Crypto; let d: Date;",
];

Deno.test("pure-core reports clocks, randomness, timers, network, files and console", () => {
  for (const source of AMBIENT) {
    assert.equal(messages("pure-core", FILE, source).length, 1, source);
  }
});

Deno.test("pure-core lets parameters, types and pure uses be", () => {
  for (const source of PURE) assert.deepEqual(messages("pure-core", FILE, source), [], source);
});

Deno.test("pure-core says what was named", () => {
  assert.deepEqual(messages("pure-core", FILE, "Date.now()"), [
    `core names a clock of its surroundings: "Date.now"`,
  ]);
});

Deno.test("pure-core covers core/ only", () => {
  for (const file of ["relay/hub.ts", "cli/main.ts", "web/ui.ts", "tests/core/log/log_test.ts"]) {
    assert.deepEqual(messages("pure-core", file, "console.log(Date.now());"), [], file);
  }
});

Deno.test("pure-core lets default_crypto.ts find the platform's cryptography, nothing else", () => {
  const file = "core/identity/default_crypto.ts";
  const find = "(globalThis as Host).process?.getBuiltinModule('node:crypto'); globalThis.crypto;";
  assert.deepEqual(messages("pure-core", file, find), []);
  assert.equal(messages("pure-core", file, "fetch('/')").length, 1);
  assert.equal(messages("pure-core", file, "Date.now()").length, 1);
});

Deno.test("pure-core lets transports name socket types, and not open one", () => {
  const file = "core/sync/websocket_transport.ts";
  const taken = "export function transport(socket: WebSocket) { socket.send('hello'); }";
  assert.deepEqual(messages("pure-core", file, taken), []);
  assert.equal(messages("pure-core", file, "new WebSocket(url)").length, 1);
});
