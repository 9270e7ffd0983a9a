/**
 * Lays base, folder and repo side by side, as hashes. Content is read only where neither the stat
 * of a file nor the id of an entry shows that it is unchanged.
 */

import type { Base, BaseEntry } from "./base.ts";
import { type Found, hashFile, hashOpened, isSettled, sameStat } from "./content.ts";
import { type NameRules, refusePath } from "./names.ts";
import { type Problem, problemOf } from "./problem.ts";
import type { Scan } from "./scan.ts";
import type { Tree, TreeEntry } from "./tree.ts";

/** One path with the hash of its content on each side; undefined where it is absent. */
export interface Row {
  /** Relative to the folder. */
  readonly path: string;
  /** What both sides agreed on last. */
  readonly base: string | undefined;
  /** What the folder holds. */
  readonly folder: string | undefined;
  /** What the repo holds. */
  readonly repo: string | undefined;
}

/**
 * Stands for the hash of something that only one side has and the base does not: it is new whatever
 * it holds. Equals no hash.
 */
export const UNREAD = "unread";

/** What {@link compare} needs. */
export interface CompareOptions {
  /** The folder, absolute. */
  readonly root: string;
  /** Which paths of the repo are refused. */
  readonly names: NameRules;
  /** What the folder holds. */
  readonly scan: Scan;
  /** The repo. */
  readonly tree: Tree;
  /** Gets the new stat and id of what has the old content. */
  readonly base: Base;
  /** The file system's time before the scan. */
  readonly now: number;
  /** Called for each path that is looked at closely. */
  readonly onProgress?: (path: string) => void;
}

/** What {@link compare} found. */
export interface Comparison {
  /** The paths that may need something done, sorted. */
  readonly rows: readonly Row[];
  /** Number of paths that are the same on both sides and in the base. */
  readonly unchanged: number;
  /** The repo's entries that are mirrored. */
  readonly entries: ReadonlyMap<string, TreeEntry>;
  /** Paths that were left alone. */
  readonly problems: readonly Problem[];
  /** Whether something changed while it was read. */
  readonly again: boolean;
}

/** Compares all paths of base, folder and repo. */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const comparing = new Comparing(options);
  await comparing.run();
  return comparing;
}

class Comparing implements Comparison {
  readonly rows: Row[] = [];
  unchanged = 0;
  readonly entries = new Map<string, TreeEntry>();
  readonly problems: Problem[] = [];
  again = false;
  readonly #options: CompareOptions;

  constructor(options: CompareOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { scan, base } = this.#options;
    await this.#listRepo();
    // What the rules come to name is on neither side now, so the base forgets it: if they change
    // back, its absence says nothing.
    const paths = new Set([...base.entries.keys(), ...scan.found.keys(), ...this.entries.keys()]);
    for (const path of paths) {
      if (!scan.found.has(path) && scan.blocked.covers(path)) continue;
      if (!this.#isUnchanged(path)) await this.#addRow(path);
    }
    this.rows.sort((a, b) => a.path < b.path ? -1 : 1);
  }

  /** Takes the repo's entries except those whose path is refused or ignored. */
  async #listRepo(): Promise<void> {
    const { scan, tree, names } = this.#options;
    for await (const entry of tree.list()) {
      const { path } = entry;
      if (!scan.found.has(path)) {
        const reason = refusePath(path, names);
        if (reason !== undefined) {
          const message = `the repo's entry is refused: ${reason}`;
          this.problems.push({ path, code: "refused", message });
          continue;
        }
        if (scan.rules.ignoresFile(path)) continue;
      }
      this.entries.set(path, entry);
    }
  }

  #isUnchanged(path: string): boolean {
    const { scan, base } = this.#options;
    const last = base.entries.get(path);
    const found = scan.found.get(path);
    const entry = this.entries.get(path);
    if (last?.stat === undefined || found === undefined || entry?.id !== last.id) return false;
    if (!sameStat(last.stat, found.stat)) return false;
    this.unchanged++;
    return true;
  }

  async #addRow(path: string): Promise<void> {
    const { scan, base, onProgress } = this.#options;
    const last = base.entries.get(path);
    const found = scan.found.get(path);
    const entry = this.entries.get(path);
    const alone = last === undefined && (found === undefined || entry === undefined);
    onProgress?.(path);
    let folder: string | undefined;
    let repo: string | undefined;
    try {
      folder = alone ? found && UNREAD : found && this.#hashFound(path, found, last);
    } catch (error) {
      this.problems.push(problemOf(path, error, "cannot read the file"));
      return;
    }
    if (found !== undefined && folder === undefined) {
      this.again = true;
      return;
    }
    try {
      repo = alone ? entry && UNREAD : entry && await this.#hashEntry(entry, last);
    } catch (error) {
      this.problems.push(problemOf(path, error, "cannot read the repo's entry"));
      return;
    }
    if (entry !== undefined && repo === undefined) return;
    if (last !== undefined && folder === last.hash && repo === last.hash) this.unchanged++;
    else this.rows.push({ path, base: last?.hash, folder, repo });
    this.#refresh(path, folder, repo);
  }

  #hashFound(path: string, found: Found, last: BaseEntry | undefined): string | undefined {
    if (last?.stat !== undefined && sameStat(last.stat, found.stat)) return last.hash;
    return hashFile(`${this.#options.root}/${path}`, found);
  }

  async #hashEntry(entry: TreeEntry, last: BaseEntry | undefined): Promise<string | undefined> {
    if (entry.id === last?.id) return last.hash;
    const opened = await this.#options.tree.open(entry.path);
    if (opened.kind === "malformed") {
      const message = `the repo's entry is not a file: ${opened.reason}`;
      this.problems.push({ path: entry.path, code: "malformed", message });
      return undefined;
    }
    // What is compared must be what was listed: the id goes into the base with this hash.
    this.entries.set(entry.path, { ...entry, id: opened.id });
    return await hashOpened(opened);
  }

  /** Old content with a new time or id: the next run need not read it again. */
  #refresh(path: string, folder: string | undefined, repo: string | undefined): void {
    const { scan, base, now } = this.#options;
    const last = base.entries.get(path);
    if (last === undefined) return;
    const found = scan.found.get(path);
    const settled = found !== undefined && folder === last.hash && isSettled(found.stat, now);
    const stat = settled ? found.stat : last.stat;
    const id = repo === last.hash ? this.entries.get(path)?.id ?? last.id : last.id;
    if (stat !== last.stat || id !== last.id) base.set(path, { ...last, id, stat });
  }
}
