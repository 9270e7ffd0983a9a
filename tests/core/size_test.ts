/** What a browser downloads before a page can use the library, and what it downloads later. */

import assert from "node:assert/strict";
import {
  type Bundle,
  bundle,
  downloadBytes,
  loadedAtOnce,
  loadedLate,
  moduleSizes,
} from "../suites/bundle.ts";

/** The most that is loaded at once: DESIGN section 11. */
const AT_ONCE_MAX_BYTES = 25_000;
/** What pages import, and all that they can. */
const ENTRIES = ["tests/suites/pages/reading.ts", "tests/suites/pages/writing.ts", "mod.ts"];

/** What is loaded when it is needed first: the most that each may take besides what is there already. */
const LATE_MAX_BYTES: Readonly<Record<string, number>> = {
  repo_writer: 12_000,
  session_parts: 33_500,
  settling: 14_900,
  plan_merge: 20_300,
  compaction: 8_400,
  check_run: 1_200,
  proofs: 2_400,
  load_history: 600,
  sparse: 3_500,
  sparse_readers: 6_000,
  diff: 5_600,
  node: 700,
  noble: 9_900,
};

/** The same for what a session loads before it connects, and what comes with its signers. */
const CONNECTED_MAX_BYTES = 60_300;
const WRITING_MAX_BYTES = 75_300;
const CONNECTED = ["session_parts", "settling", "check_run", "proofs"];
const WRITING = [...CONNECTED, "repo_writer", "plan_merge", "compaction"];

const entryOf = (path: string) => path.replace(/.*\//, "").replace(".ts", ".js");

const whole = await bundle("mod.ts", { minify: true });
const ignore = whole === undefined;
if (ignore) console.warn("size_test: skipped, because the bundler cannot be downloaded from npm");

/** The modules that `path` loads at once, and what each would take alone. */
async function largest(path: string): Promise<string> {
  const readable = (await bundle(path))!;
  const parts = moduleSizes(readable, loadedAtOnce(readable, entryOf(path)));
  return parts.slice(0, 20).map(([name, size]) => `${size} ${name}`).join("\n");
}

for (const path of ENTRIES) {
  Deno.test({
    name: `what ${path} loads at once is small, minified and compressed`,
    ignore,
    fn: async () => {
      const atOnce = async (withoutPackages: boolean) => {
        const files: Bundle = (await bundle(path, { minify: true, withoutPackages }))!;
        return downloadBytes(files, loadedAtOnce(files, entryOf(path)));
      };
      const bytes = await atOnce(false);
      console.log(`  ${bytes} bytes at once, ${await atOnce(true)} of them our own`);
      if (bytes <= AT_ONCE_MAX_BYTES) return;
      assert.fail(
        `${bytes} bytes are more than ${AT_ONCE_MAX_BYTES}; the largest parts:\n${await largest(
          path,
        )}`,
      );
    },
  });
}

Deno.test({ name: "every part that is loaded late has a bound", ignore }, () => {
  const atOnce = loadedAtOnce(whole!, "mod.js");
  const late = loadedLate(whole!);
  assert.deepEqual([...late.keys()].sort(), Object.keys(LATE_MAX_BYTES).sort());
  for (const [name, file] of late) {
    const more = loadedAtOnce(whole!, file).filter((other) => !atOnce.includes(other));
    const bytes = downloadBytes(whole!, more);
    console.log(`  ${bytes} bytes: ${name}`);
    assert(bytes <= LATE_MAX_BYTES[name], `${name}: ${bytes} bytes, not ${LATE_MAX_BYTES[name]}`);
  }
});

Deno.test({ name: "what a page has loaded when it is connected has a bound", ignore }, () => {
  const late = loadedLate(whole!);
  const all = (names: string[]) => {
    const entries = ["mod.js", ...names.map((name) => late.get(name)!)];
    const files = new Set(entries.flatMap((entry) => loadedAtOnce(whole!, entry)));
    return downloadBytes(whole!, [...files]);
  };
  const [reading, writing] = [all(CONNECTED), all(WRITING)];
  console.log(`  ${reading} bytes to read, ${writing} bytes to write`);
  assert(reading <= CONNECTED_MAX_BYTES, `${reading} bytes to read`);
  assert(writing <= WRITING_MAX_BYTES, `${writing} bytes to write`);
});

Deno.test({ name: "the curve for platforms without Ed25519 is loaded late", ignore }, () => {
  const atOnce = loadedAtOnce(whole!, "mod.js");
  // The base point's x coordinate: whoever has it has the curve.
  const hasCurve = (name: string) => /216936d3cd6e53fec0a4e231fdd6dc5c/.test(whole!.get(name)!);
  assert([...whole!.keys()].some(hasCurve), "the curve is in no file");
  assert(!atOnce.some(hasCurve), "the curve is loaded at once");
});
