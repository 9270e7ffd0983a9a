import assert from "node:assert/strict";
import { ENTRY_POINTS, exportFaults, importFaults } from "./entry_points.ts";
import { longFiles } from "./file_sizes.ts";

Deno.test("exportFaults() asks for an entry point as soon as its file exists", () => {
  const whole = { ...ENTRY_POINTS };
  assert.deepEqual(exportFaults(whole, () => true), []);
  const onlyCore = { ".": "./mod.ts" };
  assert.deepEqual(exportFaults(onlyCore, (file) => file === "./mod.ts"), []);
  assert.deepEqual(exportFaults(onlyCore, (file) => /^\.\/(relay\/)?mod\.ts$/.test(file)), [
    `deno.json does not export "./relay" as "./relay/mod.ts"`,
  ]);
});

Deno.test("exportFaults() names exports without a file and exports that are no entry point", () => {
  assert.deepEqual(exportFaults({ "./web": "./web/mod.ts" }, () => false), [
    `deno.json exports "./web/mod.ts", which does not exist`,
  ]);
  const more = { ".": "./mod.ts", "./more": "./more.ts" };
  assert.deepEqual(exportFaults(more, (file) => Object.values(more).includes(file)), [
    `deno.json exports "./more", which is not an entry point`,
  ]);
});

Deno.test("importFaults() names what is not an npm package at one version", () => {
  const pinned = { a: "npm:a@1.2.3", "@b/c": "npm:@b/c@0.1.0-rc.1", d: "npm:d@1.0.0/sub/path" };
  assert.deepEqual(importFaults(pinned), []);
  for (const target of ["npm:a@^1.2.3", "npm:a", "npm:@b/c@1", "jsr:@std/a@1.2.3", "https://a.b"]) {
    assert.equal(importFaults({ name: target }).length, 1, target);
  }
});

Deno.test("longFiles() names TypeScript files past the cap, except vectors and dot folders", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const folder of ["a/b", "tests/vectors", ".git", "node_modules"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${folder}/long.ts`, "x\n".repeat(11));
    }
    await Deno.writeTextFile(`${root}/a/fits.ts`, "x\n".repeat(10));
    await Deno.writeTextFile(`${root}/a/other.md`, "x\n".repeat(11));
    await Deno.writeTextFile(`${root}/unended.ts`, "x\n".repeat(10) + "x");
    const found = await longFiles(root, 10);
    assert.deepEqual(found, [
      { path: "a/b/long.ts", lines: 11 },
      { path: "unended.ts", lines: 11 },
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
