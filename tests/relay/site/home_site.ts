/** The site that the tests here ask for. */

import { noise, relayWorld } from "../../suites/relay_world.ts";

/** Bytes that do not compress. */
export const BIG = noise(300_000);
/** Text that does. */
export const LONG_TEXT = "All work and no play makes a dull page.\n".repeat(500);

/** One file of each kind. */
export const FILES = {
  "index.html": "<!doctype html><head><title>home</title></head><h1>home</h1>",
  "style.css": "h1 { color: red }",
  "docs/index.html": "<h1>docs</h1>",
  "docs/a b/ü%.txt": "name",
  "docs/deep/page.html": "<h1>deep</h1>",
  "empty.txt": "",
  "big.bin": BIG,
  "long.txt": LONG_TEXT,
  "README": "plain",
  "blob": new Uint8Array([0, 255]),
  "run.sh": { content: "#!/bin/sh", executable: true },
  "latest": { symlink: "docs" },
  "link.css": { symlink: "./style.css" },
  "docs/up.css": { symlink: "../style.css" },
  "chain": { symlink: "link.css" },
  "loop-a": { symlink: "loop-b" },
  "loop-b": { symlink: "loop-a" },
  "into-itself": { symlink: "into-itself/x" },
  "etc/passwd": "of the repo, not of the machine",
  "out": { symlink: "../../etc/passwd" },
  "absolute": { symlink: "/style.css" },
  "broken": { symlink: "nowhere" },
  "odd": { other: 1 },
};

/** A relay whose home repo has `files`. */
export async function site(files: Record<string, unknown> = FILES) {
  const world = await relayWorld();
  await world.write("home", { files, name: "not a file" });
  return world;
}
