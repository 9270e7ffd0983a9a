/** The content of a file or symlink as one hash, and reading it from disk without tearing. */

import { createHash, type Hash } from "node:crypto";
import { type Content, type Opened, SMALL_BYTES } from "./tree.ts";

/** What tells an unchanged file without reading it. Times in milliseconds since 1970. */
export interface Stat {
  /** Bytes. */
  readonly size: number;
  /** When the content was written last. */
  readonly mtime: number;
  /** When anything about the file changed last; 0 where there is none. */
  readonly ctime: number;
  /** The number of the file on its disk; 0 where there is none. */
  readonly ino: number;
  /** Kind and permissions; 0 where there are none. */
  readonly mode: number;
}

/** A file or symlink as a scan found it. */
export interface Found {
  /** What it is; nothing else is mirrored. */
  readonly kind: "file" | "symlink";
  /** Tells later whether it is still the same. */
  readonly stat: Stat;
  /** Whether its owner may run it; false for a symlink. */
  readonly executable: boolean;
  /** Where a symlink points; "" for a file. */
  readonly target: string;
}

const READ_BYTES = 256 * 1024;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The facts of `info` that are compared. */
export function statOf(info: Deno.FileInfo): Stat {
  return {
    size: info.size,
    mtime: info.mtime?.getTime() ?? 0,
    ctime: info.ctime?.getTime() ?? 0,
    ino: info.ino ?? 0,
    mode: info.mode ?? 0,
  };
}

/** Whether nothing tells `a` from `b`. */
export function sameStat(a: Stat, b: Stat): boolean {
  return a.size === b.size && a.mtime === b.mtime && a.ino === b.ino && a.mode === b.mode &&
    a.ctime === b.ctime;
}

/**
 * Whether a file that was read after `now` (by the clock of the file system) and later has the same
 * `stat` must be unchanged. Not so if its last change is so fresh that the next one could carry the
 * same times: the kernel's clock ticks up to every 10 ms, a file system that writes whole or even
 * seconds may know nothing finer, and Deno 2.9 gives ctime, which alone nobody can set back, in seconds.
 */
export function isSettled({ mtime, ctime }: Stat, now: number): boolean {
  return mtime + granularity(mtime) < now && ctime + granularity(ctime) < now;
}

function granularity(time: number): number {
  return time % 2000 === 0 ? 2000 : time % 1000 === 0 ? 1000 : 20;
}

/** A hash over kind, executable bit and content, to be fed with the content. */
export function startHash(kind: "file" | "symlink", executable: boolean): Hash {
  const header = kind === "symlink" ? "link\n" : executable ? "exec\n" : "file\n";
  return createHash("sha256").update(header);
}

/** The hash of content that is in memory. */
export function hashOf(
  kind: "file" | "symlink",
  executable: boolean,
  content: string | Uint8Array,
): string {
  return startHash(kind, executable).update(content).digest("hex");
}

/** The hash of an entry of a repo; reads it to the end. */
export async function hashOpened(opened: Exclude<Opened, { kind: "malformed" }>): Promise<string> {
  if (opened.kind === "symlink") return hashOf("symlink", false, opened.target);
  const hash = startHash("file", opened.executable);
  for await (const part of opened.content) hash.update(part);
  return hash.digest("hex");
}

/** The hash of what is at `file` on disk; undefined if it is no longer what was `found`. */
export function hashFile(file: string, found: Found): string | undefined {
  if (found.kind === "symlink") return hashOf("symlink", false, found.target);
  using handle = Deno.openSync(file);
  if (!sameStat(statOf(handle.statSync()), found.stat)) return undefined;
  const hash = startHash("file", found.executable);
  const buffer = new Uint8Array(Math.min(READ_BYTES, found.stat.size + 1));
  for (let n = handle.readSync(buffer); n !== null; n = handle.readSync(buffer)) {
    hash.update(buffer.subarray(0, n));
  }
  return sameStat(statOf(handle.statSync()), found.stat) ? hash.digest("hex") : undefined;
}

/** How reading went: what was read, or the error that ended it. */
export type Outcome =
  /** `torn` if the file changed while it was streamed: the hash is still that of what was read. */
  | { readonly hash: string; readonly torn: boolean }
  | { readonly error: unknown };

/** What {@link readFile} gives: the content, and how it went once it is read to the end. */
export interface Reading {
  /** Text or bytes if small, else a stream. */
  readonly content: Content;
  /** Undefined until the content is read to the end, or when it never is. */
  outcome(): Outcome | undefined;
}

/** Reads a file for a commit; undefined if it is no longer what was `found`. */
export function readFile(file: string, found: Found): Reading | undefined {
  if (found.stat.size > SMALL_BYTES) return streamFile(file, found);
  using handle = Deno.openSync(file);
  if (!sameStat(statOf(handle.statSync()), found.stat)) return undefined;
  const bytes = new Uint8Array(found.stat.size);
  let at = 0;
  while (at < bytes.length) {
    const n = handle.readSync(bytes.subarray(at));
    if (n === null) return undefined;
    at += n;
  }
  if (!sameStat(statOf(handle.statSync()), found.stat)) return undefined;
  const hash = hashOf("file", found.executable, bytes);
  return { content: decodeText(bytes) ?? bytes, outcome: () => ({ hash, torn: false }) };
}

function streamFile(file: string, found: Found): Reading | undefined {
  const handle = Deno.openSync(file);
  if (!sameStat(statOf(handle.statSync()), found.stat)) {
    handle.close();
    return undefined;
  }
  let outcome: Outcome | undefined;
  const hash = startHash("file", found.executable);
  const content = new ReadableStream<Uint8Array>({
    pull(controller): void {
      try {
        const buffer = new Uint8Array(READ_BYTES);
        const n = handle.readSync(buffer);
        if (n !== null) {
          hash.update(buffer.subarray(0, n));
          controller.enqueue(buffer.subarray(0, n));
          return;
        }
        const torn = !sameStat(statOf(handle.statSync()), found.stat);
        outcome = { hash: hash.digest("hex"), torn };
      } catch (error) {
        outcome = { error };
        handle.close();
        throw error;
      }
      handle.close();
      controller.close();
    },
    cancel(): void {
      handle.close();
    },
  }, { highWaterMark: 0 });
  return { content, outcome: () => outcome };
}

/** The text whose UTF-8 bytes are exactly `bytes`, or undefined if there is none. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Writes all of `bytes`; a single write may write less. */
export async function writeAll(handle: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await handle.write(bytes.subarray(at));
}
