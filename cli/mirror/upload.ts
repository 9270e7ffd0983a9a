/** From the folder to the repo: one commit. */

import { StreamoError } from "../../core/errors.ts";
import { hashOf, readFile, type Reading } from "./content.ts";
import { problemOf } from "./problem.ts";
import type { Change, Content } from "./tree.ts";
import type { Work } from "./work.ts";

/** Commits the folder's version of `uploads` and the deletion of `removals`. */
export async function commit(
  work: Work,
  uploads: readonly string[],
  removals: readonly string[],
): Promise<void> {
  if (uploads.length + removals.length === 0) return;
  const upload = new Upload(work, uploads, removals);
  await upload.run();
}

class Upload {
  readonly #work: Work;
  readonly #total: number;
  #changes: readonly Change[];
  /** What was read for each path in the present attempt. */
  readonly #readings = new Map<string, Reading>();
  /** Paths whose problem is known. */
  readonly #failed = new Set<string>();

  constructor(work: Work, uploads: readonly string[], removals: readonly string[]) {
    this.#work = work;
    this.#total = uploads.length;
    this.#changes = [
      ...removals.map((path) => this.#makeRemoval(path)),
      ...uploads.map((path) => this.#makeChange(path)),
    ].filter((change) => change !== undefined);
  }

  async run(): Promise<void> {
    while (this.#changes.length > 0) {
      try {
        this.#readings.clear();
        const ids = await this.#work.options.tree.commit(this.#changes, this.#describe());
        for (const change of this.#changes) this.#note(change, ids);
        return;
      } catch (error) {
        await this.#cancelUnread();
        if (!this.#giveUpWhatFailed(error)) throw error;
      }
    }
  }

  #describe(): string {
    const removed = this.#changes.filter((change) => change.kind === "remove").length;
    const written = this.#changes.length - removed;
    const parts = [
      written > 0 ? `${written} written` : "",
      removed > 0 ? `${removed} removed` : "",
    ];
    return `mirror: ${parts.filter((part) => part !== "").join(", ")}`;
  }

  #makeRemoval(path: string): Change | undefined {
    const entry = this.#work.options.comparison.entries.get(path);
    return entry && { kind: "remove", path, replaces: entry.id };
  }

  #makeChange(path: string): Change | undefined {
    const { scan, comparison } = this.#work.options;
    const found = scan.found.get(path);
    if (found === undefined) return undefined;
    const replaces = comparison.entries.get(path)?.id;
    if (found.kind === "symlink") {
      return { kind: "symlink", path, replaces, target: found.target };
    }
    const { executable, stat: { size } } = found;
    const content = (): Promise<Content | undefined> => Promise.resolve(this.#read(path));
    return { kind: "file", path, replaces, executable, size, content };
  }

  /** The content of a file when its turn comes; undefined if it changed or cannot be read. */
  #read(path: string): Content | undefined {
    const { options, disk } = this.#work;
    options.onProgress?.("upload", this.#readings.size, this.#total);
    const found = options.scan.found.get(path);
    try {
      const reading = found && readFile(disk.locate(path), found);
      if (reading !== undefined) this.#readings.set(path, reading);
      return reading?.content;
    } catch (error) {
      this.#fail(path, error);
      return undefined;
    }
  }

  #fail(path: string, error: unknown): void {
    this.#failed.add(path);
    this.#work.problems.push(problemOf(path, error, "cannot read the file"));
  }

  /** Closes the files that a commit left unread when it failed. */
  async #cancelUnread(): Promise<void> {
    for (const { content, outcome } of this.#readings.values()) {
      if (!(content instanceof ReadableStream) || content.locked) continue;
      if (outcome() === undefined) await content.cancel();
    }
  }

  /** Takes out what cannot be read or written, so that the rest can be committed; false if nothing. */
  #giveUpWhatFailed(error: unknown): boolean {
    const { problems } = this.#work;
    if (error instanceof StreamoError && error.code === "read_only") {
      for (const { path } of this.#changes) {
        problems.push({ path, code: error.code, message: `it stays here: ${error.message}` });
      }
      this.#changes = [];
      return true;
    }
    for (const [path, reading] of this.#readings) {
      const outcome = reading.outcome();
      if (outcome !== undefined && "error" in outcome) this.#fail(path, outcome.error);
    }
    const rest = this.#changes.filter(({ path }) => !this.#failed.has(path));
    const fewer = rest.length < this.#changes.length;
    this.#changes = rest;
    return fewer;
  }

  /** Tells the base what the repo holds now. */
  #note(change: Change, ids: ReadonlyMap<string, string | undefined>): void {
    const { options } = this.#work;
    const { path } = change;
    const id = ids.get(path);
    if (!ids.has(path)) {
      if (!this.#failed.has(path)) this.#work.again = true;
    } else if (change.kind === "remove") {
      options.base.delete(path);
      this.#work.removed++;
    } else if (id === undefined) {
      throw new TypeError(`the commit gave no id for "${path}"`);
    } else {
      this.#noteUpload(path, id);
    }
  }

  #noteUpload(path: string, id: string): void {
    const { options } = this.#work;
    const found = options.scan.found.get(path);
    if (found === undefined) return;
    this.#work.uploaded++;
    let hash: string;
    let stat = this.#work.settledStat(found);
    if (found.kind === "symlink") hash = hashOf("symlink", false, found.target);
    else {
      const outcome = this.#readings.get(path)?.outcome();
      if (outcome === undefined || "error" in outcome) {
        throw new TypeError(`the commit did not read "${path}" to its end`);
      }
      hash = outcome.hash;
      if (outcome.torn) {
        stat = undefined;
        this.#work.again = true;
      }
    }
    options.base.set(path, { hash, id, executable: found.executable, stat });
  }
}
