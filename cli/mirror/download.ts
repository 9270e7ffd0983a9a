/** From the repo to the folder: plain files, merges, and both versions where they differ. */

import { mergeText } from "../../core/codec/merge_text.ts";
import { StreamoError } from "../../core/errors.ts";
import { decodeText, type Found, hashOf, readFile, startHash } from "./content.ts";
import { FolderChanged, type Staged } from "./disk.ts";
import { type Opened, SMALL_BYTES } from "./tree.ts";
import type { Work } from "./work.ts";

/** Downloads at once: enough that the waits for the disk overlap. */
const PARALLEL = 8;

type OpenedEntry = Exclude<Opened, { kind: "malformed" }>;

/** Brings entries to the folder: `plain` to their own path, `beside` to a conflict name. */
export async function downloadAll(
  work: Work,
  paths: { readonly plain: readonly string[]; readonly beside: readonly string[] },
): Promise<void> {
  const jobs = [
    ...paths.beside.map((path) => ({ path, run: () => downloadBeside(work, path) })),
    ...paths.plain.map((path) => ({ path, run: () => download(work, path) })),
  ];
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < jobs.length) {
      const { path, run } = jobs[next++];
      await work.attempt(path, run);
      work.options.onProgress?.("download", ++done, jobs.length);
    }
  };
  // All must have stopped before the caller says what was done.
  const ends = await Promise.allSettled(Array.from({ length: PARALLEL }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

async function download(work: Work, path: string): Promise<void> {
  const { scan, base } = work.options;
  const row = work.rows.get(path);
  const found = scan.found.get(path);
  const changedHere = row?.folder !== row?.base ? found : undefined;
  if (changedHere && await merge(work, path, changedHere)) return;

  const opened = await open(work, path);
  const { staged, hash } = await stage(work, path, opened, found);
  if (changedHere) {
    try {
      await work.moveAside(path, changedHere);
    } catch (error) {
      await work.disk.discard(staged);
      throw error;
    }
    await work.disk.place(staged, undefined);
  } else {
    await work.disk.place(staged, work.expected(path));
  }
  base.set(path, { hash, id: opened.id, executable: isExecutable(opened), stat: undefined });
  work.downloaded++;
}

/**
 * A folder has the name, so the file gets a conflict name. The base claims the old name all the
 * same: its absence from the folder then removes it from the repo, where the new one follows.
 */
async function downloadBeside(work: Work, path: string): Promise<void> {
  const { base, date, tag } = work.options;
  const opened = await open(work, path);
  const { staged, hash } = await stage(work, path, opened, undefined);
  const kept = work.disk.freeConflictPath(path, date, tag);
  await work.disk.place({ temp: staged.temp, path: kept }, undefined);
  base.set(path, { hash, id: opened.id, executable: isExecutable(opened), stat: undefined });
  work.conflicts.push({ path, kept });
  work.downloaded++;
  work.again = true;
}

async function open(work: Work, path: string): Promise<OpenedEntry> {
  const opened = await work.options.tree.open(path);
  if (opened.kind === "malformed") throw new StreamoError("malformed", opened.reason);
  return opened;
}

function isExecutable(opened: OpenedEntry): boolean {
  return opened.kind === "file" && opened.executable;
}

/** Writes the entry beside its place, and gives the hash of exactly what was written. */
async function stage(
  work: Work,
  path: string,
  opened: OpenedEntry,
  old: Found | undefined,
): Promise<{ staged: Staged; hash: string }> {
  if (opened.kind === "symlink") {
    const staged = await work.disk.stageSymlink(path, opened.target);
    return { staged, hash: hashOf("symlink", false, opened.target) };
  }
  const { content, executable } = opened;
  const hash = startHash("file", executable);
  let started = false;
  async function* hashed(): AsyncGenerator<Uint8Array> {
    started = true;
    for await (const part of content) {
      hash.update(part);
      yield part;
    }
  }
  try {
    const stat = old?.kind === "file" ? old.stat : undefined;
    const staged = await work.disk.stageFile(path, hashed(), executable, stat);
    return { staged, hash: hash.digest("hex") };
  } catch (error) {
    if (!started) await content.cancel(error);
    throw error;
  }
}

/**
 * Merges by line where all three versions are text; false if both must be kept. The base becomes
 * the repo's version, which the merged text builds on: the next round uploads it.
 */
async function merge(work: Work, path: string, found: Found): Promise<boolean> {
  const { base } = work.options;
  const last = base.entries.get(path);
  if (last === undefined || found.kind !== "file" || found.stat.size > SMALL_BYTES) return false;
  const old = await work.options.baseContent?.(path, last.id);
  // History that gives another text than the one agreed on would make up deletions.
  if (old === undefined || hashOf("file", last.executable, old) !== last.hash) return false;
  const reading = readFile(work.disk.locate(path), found);
  if (reading === undefined) throw new FolderChanged(path);
  const ours = reading.content;
  const theirs = await readTheirs(work, path);
  if (typeof ours !== "string" || theirs === undefined) return false;
  const text = mergeText(ours, old, theirs.text);
  if (text === undefined) return false;

  // Whoever flipped the executable bit wins; two who did agree.
  const executable = found.executable === last.executable ? theirs.executable : found.executable;
  const bytes = new Blob([text]).stream();
  const staged = await work.disk.stageFile(path, bytes, executable, found.stat);
  await work.disk.place(staged, { found, hash: hashOf("file", found.executable, ours) });
  const hash = hashOf("file", theirs.executable, theirs.text);
  base.set(path, { hash, id: theirs.id, executable: theirs.executable, stat: undefined });
  work.merged++;
  work.again = true;
  return true;
}

async function readTheirs(
  work: Work,
  path: string,
): Promise<{ text: string; id: string; executable: boolean } | undefined> {
  const opened = await open(work, path);
  if (opened.kind !== "file") return undefined;
  if (opened.size > SMALL_BYTES) {
    await opened.content.cancel();
    return undefined;
  }
  const text = decodeText(await new Response(opened.content).bytes());
  return text === undefined ? undefined : { text, id: opened.id, executable: opened.executable };
}
