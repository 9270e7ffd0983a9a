import assert from "node:assert/strict";
import { messages } from "./check.ts";

const ALLOWED: readonly [file: string, specifier: string][] = [
  ["core/bytes.ts", "./errors.ts"],
  ["core/codec/map.ts", "../bytes.ts"],
  ["core/codec/map.ts", "./scalar.ts"],
  ["core/codec/map.ts", "../identity/key.ts"],
  ["core/identity/key.ts", "../errors.ts"],
  ["core/log/log.ts", "../identity/key.ts"],
  ["core/log/log.ts", "../codec/map.ts"],
  ["core/repo/repo.ts", "../log/log.ts"],
  ["core/sync/session.ts", "../identity/key.ts"],
  ["core/log/log.ts", "@noble/hashes/sha2.js"],
  ["relay/hub.ts", "../core/log/log.ts"],
  ["relay/hub.ts", "../mod.ts"],
  ["cli/main.ts", "../relay/main.ts"],
  ["cli/mirror/plan.ts", "../../core/errors.ts"],
  ["web/client.ts", "../core/sync/session.ts"],
  ["tests/core/log/log_test.ts", "../../../cli/main.ts"],
  ["mod.ts", "./core/log/log.ts"],
];

const REFUSED: readonly [file: string, specifier: string, message: string][] = [
  ["core/errors.ts", "./log/log.ts", "core/base may not import core/log"],
  ["core/codec/map.ts", "../log/log.ts", "core/codec may not import core/log"],
  ["core/codec/map.ts", "../identity/signer.ts", "core/codec may not import core/identity"],
  ["core/identity/key.ts", "../codec/map.ts", "core/identity may not import core/codec"],
  ["core/log/log.ts", "../repo/repo.ts", "core/log may not import core/repo"],
  ["core/repo/repo.ts", "../sync/session.ts", "core/repo may not import core/sync"],
  ["core/log/log.ts", "../../mod.ts", "core/log may not import mod.ts"],
  ["core/log/log.ts", "../../relay/hub.ts", "core/log may not import relay"],
  ["relay/hub.ts", "../web/ui.ts", "relay may not import web"],
  ["relay/hub.ts", "../cli/main.ts", "relay may not import cli"],
  ["web/client.ts", "../relay/hub.ts", "web may not import relay"],
  ["cli/main.ts", "../web/ui.ts", "cli may not import web"],
  ["cli/main.ts", "../tests/suites/store.ts", "cli may not import tests"],
  ["mod.ts", "./relay/mod.ts", "mod.ts may not import relay"],
];

Deno.test("layers lets imports point down", () => {
  for (const [file, specifier] of ALLOWED) {
    assert.deepEqual(messages("layers", file, `export * from "${specifier}";`), [], file);
  }
});

Deno.test("layers reports imports that point up or across, in every form", () => {
  for (const [file, specifier, message] of REFUSED) {
    const expected = [`${message}: "${specifier}"`];
    assert.deepEqual(messages("layers", file, `export * from "${specifier}";`), expected);
    if (file.endsWith("mod.ts")) continue;
    for (
      const source of [
        `import { x } from "${specifier}"; x();`,
        `import type { X } from "${specifier}"; export type Y = X;`,
        `export { x } from "${specifier}";`,
        `const x = await import("${specifier}"); x;`,
        `export type X = import("${specifier}").X;`,
      ]
    ) assert.deepEqual(messages("layers", file, source), expected, source);
  }
});

Deno.test("layers knows files by their absolute path too", () => {
  const file = new URL("../../core/log/log.ts", import.meta.url).pathname;
  assert.equal(messages("layers", file, `import "../repo/repo.ts";`).length, 1);
});

Deno.test("layers lets a mod.ts re-export and nothing else", () => {
  const reExports = `/** Doc. */\nexport * from "./hub.ts";\nexport type { A } from "./a.ts";`;
  assert.deepEqual(messages("layers", "relay/mod.ts", reExports), []);
  for (const source of ["export const a = 1;", "const a = 1; export { a };", `import "./a.ts";`]) {
    assert.ok(messages("layers", "relay/mod.ts", source).includes("a mod.ts only re-exports"));
    assert.deepEqual(messages("layers", "relay/hub.ts", source), []);
  }
});
