/** What a browser downloads before a page can use the library, and what it downloads later. */

import assert from "node:assert/strict";
import { bundle, downloadBytes, loadedAtOnce, loadedLate, moduleSizes } from "../suites/bundle.ts";

/** Code of our own that is loaded at once. */
const OWN_MAX_BYTES = 31_400;
/** The same with what it takes from packages: SHA-256 and base32. DESIGN section 11 asks for 25,000. */
const ALL_MAX_BYTES = 35_300;

/** What is loaded when it is needed first: the most that each may take besides what is there already. */
const LATE_MAX_BYTES: Readonly<Record<string, number>> = {
  session_parts: 28_400,
  settling: 14_600,
  check_run: 1_200,
  proofs: 2_400,
  sparse: 3_500,
  sparse_readers: 6_000,
  upload: 2_000,
  diff: 4_500,
  node: 700,
  noble: 8_000,
};

const ENTRY = "mod.js";
const whole = await bundle("mod.ts", { minify: true });
const own = await bundle("mod.ts", { minify: true, withoutPackages: true });
const ignore = whole === undefined || own === undefined;
if (ignore) console.warn("size_test: skipped, because the bundler cannot be downloaded from npm");

Deno.test(
  { name: "what mod.ts loads at once is small, minified and compressed", ignore },
  async () => {
    const ownBytes = downloadBytes(own!, loadedAtOnce(own!, ENTRY));
    const bytes = downloadBytes(whole!, loadedAtOnce(whole!, ENTRY));
    console.log(`  ${bytes} bytes at once: ${ownBytes} of our own, the others from packages`);
    if (ownBytes <= OWN_MAX_BYTES && bytes <= ALL_MAX_BYTES) return;
    const readable = (await bundle("mod.ts"))!;
    const parts = moduleSizes(readable, loadedAtOnce(readable, ENTRY)).slice(0, 20);
    const list = parts.map(([name, size]) => `${size} ${name}`).join("\n");
    const bounds = `${OWN_MAX_BYTES} of our own, ${ALL_MAX_BYTES} in all`;
    assert.fail(
      `${ownBytes} and ${bytes} bytes are more than ${bounds}; the largest parts:\n${list}`,
    );
  },
);

Deno.test({ name: "every part that is loaded late has a bound", ignore }, () => {
  const atOnce = loadedAtOnce(whole!, ENTRY);
  const late = loadedLate(whole!);
  assert.deepEqual([...late.keys()].sort(), Object.keys(LATE_MAX_BYTES).sort());
  for (const [name, file] of late) {
    const more = loadedAtOnce(whole!, file).filter((other) => !atOnce.includes(other));
    const bytes = downloadBytes(whole!, more);
    console.log(`  ${bytes} bytes: ${name}`);
    assert(bytes <= LATE_MAX_BYTES[name], `${name}: ${bytes} bytes, not ${LATE_MAX_BYTES[name]}`);
  }
});

Deno.test({ name: "the curve for platforms without Ed25519 is loaded late", ignore }, () => {
  const atOnce = loadedAtOnce(whole!, ENTRY);
  // The base point's x coordinate: whoever has it has the curve.
  const hasCurve = (name: string) => /216936d3cd6e53fec0a4e231fdd6dc5c/.test(whole!.get(name)!);
  assert([...whole!.keys()].some(hasCurve), "the curve is in no file");
  assert(!atOnce.some(hasCurve), "the curve is loaded at once");
});
