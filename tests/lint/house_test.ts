import assert from "node:assert/strict";
import { messages } from "./check.ts";
import { FUNCTION_MAX_LINES } from "./house.ts";

Deno.test("no-jsr reports jsr: and https: imports in every form", () => {
  for (
    const specifier of ["jsr:@std/assert", "https://example.org/x.ts", "http://localhost/x.ts"]
  ) {
    for (
      const source of [
        `import "${specifier}";`,
        `export * from "${specifier}";`,
        `const x = await import("${specifier}");`,
      ]
    ) assert.equal(messages("no-jsr", "web/ui.ts", source).length, 1, source);
  }
  for (const specifier of ["hono", "node:fs", "./a.ts", "@noble/ed25519"]) {
    assert.deepEqual(messages("no-jsr", "web/ui.ts", `import "${specifier}";`), [], specifier);
  }
});

Deno.test("function-lines counts the lines of every kind of function", () => {
  const body = (lines: number) => "{\n" + "f();\n".repeat(lines - 2) + "}";
  const kinds = [
    (text: string) => `function f() ${text}`,
    (text: string) => `const f = () => ${text}`,
    (text: string) => `const f = function () ${text}`,
    (text: string) => `class A { method() ${text} }`,
    (text: string) => `const o = { async method() ${text} }`,
  ];
  for (const kind of kinds) {
    const fits = kind(body(FUNCTION_MAX_LINES));
    assert.deepEqual(messages("function-lines", "a.ts", fits), [], fits.slice(0, 30));
    const long = kind(body(FUNCTION_MAX_LINES + 1));
    assert.equal(messages("function-lines", "a.ts", long).length, 1, long.slice(0, 30));
  }
});

Deno.test("no-empty-catch reports catches that do nothing", () => {
  for (
    const source of [
      "try { f(); } catch {}",
      "try { f(); } catch (error) { /* fine */ }",
      "f().catch(() => {});",
      "f().catch(function () {});",
      "await promise.catch(() => {});",
    ]
  ) assert.equal(messages("no-empty-catch", "a.ts", source).length, 1, source);
  for (
    const source of [
      "try { f(); } catch (error) { throw error; }",
      "f().catch((error) => report(error));",
      "f().catch(report);",
      "promise.catch(() => {}); this.#done.catch(() => {});",
      "try { f(); } finally { g(); }",
    ]
  ) assert.deepEqual(messages("no-empty-catch", "a.ts", source), [], source);
});

Deno.test("no-console lets programs print, and libraries not", () => {
  for (const file of ["relay/hub.ts", "web/ui.ts"]) {
    assert.equal(messages("no-console", file, "console.log(1);").length, 1, file);
    assert.deepEqual(messages("no-console", file, "function f(console) { console.log(1); }"), []);
  }
  for (const file of ["relay/main.ts", "cli/main.ts", "tests/scripts/ok.ts"]) {
    assert.deepEqual(messages("no-console", file, "console.log(1);"), [], file);
  }
});
