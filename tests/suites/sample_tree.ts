/** Folders for tests: one with everything that names and contents can be, and how to compare two. */

import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { RandomSource } from "./random.ts";

const linux = Deno.build.os === "linux";
const unix = Deno.build.os !== "windows";

/** Writes a file, with the folders above it. */
export function write(file: string, content: string | Uint8Array, mode?: number): void {
  Deno.mkdirSync(dirname(file), { recursive: true });
  if (typeof content === "string") Deno.writeTextFileSync(file, content);
  else Deno.writeFileSync(file, content);
  if (mode !== undefined && unix) Deno.chmodSync(file, mode);
}

/** Bytes without any pattern. */
export function noise(length: number, random: RandomSource): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = random.integer(1, 2 ** 31);
  for (let i = 0; i < length; i++) {
    state = Math.imul(state, 1664525) + 1013904223 | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Names that some program somewhere has taken for something else. */
export function oddNames(): string[] {
  const everywhere = [
    "with space",
    " leading",
    "a#b",
    "100%",
    "%41",
    "%2e%2e%2f",
    "a&b;c",
    "single'quote",
    "(b) [c]",
    "{d},e",
    "$HOME",
    "~",
    "-rf",
    "!x",
    "@y",
    "+z",
    "=",
    "ünï",
    "日本語",
    "😀",
    "\u200bzero",
    "e\u0301 (NFD)",
    "UPPER",
    "__proto__",
    "constructor",
    "0",
    "-1",
    "a.b.c",
    "..c",
    "...",
    "n".repeat(255),
    "ä".repeat(127),
  ];
  const onUnix = [
    "what?",
    `double"quote`,
    "back\\slash",
    "star*",
    "pipe|",
    "<tag>",
    "colon:x",
    "trailing ",
    "dot.",
    "CON",
    "aux.txt",
    "tab\there",
    "new\nline",
    "\x1b[31mred",
    "\x7f",
  ];
  // Other systems take these for one name.
  const onLinux = ["\u00e9", "e\u0301", "Case", "case"];
  return [...everywhere, ...(unix ? onUnix : []), ...(linux ? onLinux : [])];
}

/** Fills `root` with `plain` files of text and the rest: odd names, odd contents, deep, large. */
export function makeTree(root: string, random: RandomSource, plain = 3000): void {
  for (let i = 0; i < plain; i++) {
    const lines = random.integer(0, 40);
    const text = Array.from({ length: lines }, (_, n) => `${i}.${n} ${random.integer(0, 1e9)}\n`);
    write(`${root}/plain/${i % 37}/${i}.txt`, text.join(""));
  }
  for (const [i, name] of oddNames().entries()) {
    write(`${root}/odd/${name}`, `content of ${i}`);
    write(`${root}/folders/${name}/inside`, `inside ${i}`);
  }
  write(`${root}/${Array.from({ length: 30 }, (_, i) => `d${i}`).join("/")}/deep.txt`, "deep");
  const kinds = `${root}/kinds`;
  write(`${kinds}/empty`, "");
  write(`${kinds}/bom.txt`, "\ufeffwith a mark\n");
  write(`${kinds}/only-bom`, "\ufeff");
  write(`${kinds}/crlf.txt`, "one\r\ntwo\r\nthree");
  write(`${kinds}/cr.txt`, "one\rtwo\r");
  write(`${kinds}/nul.txt`, "a\0b");
  write(`${kinds}/latin1.txt`, Uint8Array.of(0x66, 0xfc, 0x72));
  write(`${kinds}/surrogate.txt`, Uint8Array.of(0xed, 0xa0, 0x80));
  write(`${kinds}/cut.txt`, Uint8Array.of(0x61, 0xe2, 0x82));
  write(`${kinds}/noncharacter.txt`, "\uffff\ufffe\ufffd");
  write(`${kinds}/long-line.txt`, "ab".repeat(300_000));
  for (const size of [1, 31, 32, 33, 4095, 4096, 32_768, 32_769, 61_440, 1 << 20, (1 << 20) + 1]) {
    write(`${kinds}/bytes-${size}`, noise(size, random));
  }
  write(`${kinds}/large.bin`, noise(20_000_000, random));
  write(`${kinds}/tool.sh`, "#!/bin/sh\necho hello\n", 0o755);
  write(`${kinds}/tool.bin`, noise(5_000, random), 0o755);
  write(`${kinds}/empty-tool`, "", 0o755);
  if (!unix) return;
  Deno.symlinkSync("tool.sh", `${kinds}/link`);
  Deno.symlinkSync("../plain", `${kinds}/folder-link`);
  Deno.symlinkSync("nothing-there", `${kinds}/dangling`);
  Deno.symlinkSync("../odd/with space", `${kinds}/a link`);
}

/**
 * All files and links below `root` by path, each as one line: mode, size and hash, or target. Folders
 * are not listed: a repo has none.
 */
export function listTree(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const { name, isDirectory, isSymlink } of Deno.readDirSync(`${root}/${folder}`)) {
      const path = folder + name;
      if (isDirectory) walk(`${path}/`);
      else if (isSymlink) found.set(path, `-> ${Deno.readLinkSync(`${root}/${path}`)}`);
      else found.set(path, describe(`${root}/${path}`));
    }
  };
  walk("");
  return new Map([...found].sort(([a], [b]) => a < b ? -1 : 1));
}

/** A file changed so lately may change again without another time. */
const FRESH_MS = 100;
/** What was said of files that have not changed since: tests look at large trees again and again. */
const described = new Map<string, string>();

function describe(file: string): string {
  const { mode, size, ino, mtime, ctime } = Deno.lstatSync(file);
  const times = [mtime, ctime].map((time) => time?.getTime() ?? Date.now());
  const name = `${file}\0${ino} ${mode} ${size} ${times}`;
  const known = described.get(name);
  if (known !== undefined) return known;
  const bytes = Deno.readFileSync(file);
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  const text = `${((mode ?? 0) & 0o777).toString(8)} ${bytes.length} ${hash}`;
  if (Math.max(...times) < Date.now() - FRESH_MS) described.set(name, text);
  return text;
}

/** What differs between two folders, a few lines of it; empty if nothing does and nothing moves. */
export function difference(left: string, right: string): string[] {
  let a: Map<string, string>, b: Map<string, string>;
  try {
    [a, b] = [listTree(left), listTree(right)];
  } catch (error) {
    // A folder that is being changed: something went between its listing and its reading.
    const { NotFound, NotADirectory, IsADirectory } = Deno.errors;
    const passing = [NotFound, NotADirectory, IsADirectory];
    if (passing.some((kind) => error instanceof kind)) return [(error as Error).message];
    throw error;
  }
  const lines: string[] = [];
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const [mine, theirs] = [a.get(path) ?? "absent", b.get(path) ?? "absent"];
    if (mine !== theirs) lines.push(`${JSON.stringify(path)}: ${mine} | ${theirs}`);
  }
  return lines.slice(0, 20);
}
