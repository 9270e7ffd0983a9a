/** What the parts of {@link apply} share: what was found, where it goes, and how it went. */

import type { Base } from "./base.ts";
import type { Comparison, Row } from "./compare.ts";
import { type Found, isSettled, type Stat } from "./content.ts";
import { Disk, type Expected, FolderChanged } from "./disk.ts";
import type { NameRules } from "./names.ts";
import { type Problem, problemOf } from "./problem.ts";
import type { Scan } from "./scan.ts";
import type { Tree } from "./tree.ts";

/** What applying a plan needs. */
export interface ApplyOptions {
  /** The folder, absolute. */
  readonly root: string;
  /** Which names are refused. */
  readonly names: NameRules;
  /** What the folder held. */
  readonly scan: Scan;
  /** How both sides compared. */
  readonly comparison: Comparison;
  /** The repo. */
  readonly tree: Tree;
  /** Learns what both sides hold. */
  readonly base: Base;
  /** The file system's time before the scan. */
  readonly now: number;
  /** For conflict names, like `2026-01-31`. */
  readonly date: string;
  /** For conflict names: who keeps the local version. */
  readonly tag: string;
  /** The text that had `id` at `path`, from history; undefined if it cannot be had. */
  readonly baseContent?: (path: string, id: string) => Promise<string | undefined>;
  /** Called for each entry. */
  readonly onProgress?: (stage: "download" | "upload", done: number, total: number) => void;
}

/** What applying a plan did. */
export interface Applied {
  /** Entries written to the repo. */
  readonly uploaded: number;
  /** Entries deleted in the repo. */
  readonly removed: number;
  /** Files written to the folder. */
  readonly downloaded: number;
  /** Files deleted in the folder. */
  readonly deleted: number;
  /** Texts merged in the folder. */
  readonly merged: number;
  /** Both versions are there: one at `path`, the other at `kept`. */
  readonly conflicts: readonly { readonly path: string; readonly kept: string }[];
  /** What could not be done, and why. */
  readonly problems: readonly Problem[];
  /** Whether the folder or the repo must be looked at again. */
  readonly again: boolean;
}

/** One application of one plan. */
export class Work implements Applied {
  uploaded = 0;
  removed = 0;
  downloaded = 0;
  deleted = 0;
  merged = 0;
  readonly conflicts: { path: string; kept: string }[] = [];
  /** What could not be done, and why. */
  readonly problems: Problem[] = [];
  again = false;
  /** What the plan was made from. */
  readonly options: ApplyOptions;
  /** The folder. */
  readonly disk: Disk;
  /** The rows of the comparison by path. */
  readonly rows: ReadonlyMap<string, Row>;

  /** Starts with nothing done. */
  constructor(options: ApplyOptions) {
    this.options = options;
    const { root, now, names } = options;
    this.disk = new Disk({ root, now, windows: names.windows });
    this.rows = new Map(options.comparison.rows.map((row) => [row.path, row]));
  }

  /** Runs the work on one path; what stands in its way is noted and the rest goes on. */
  async attempt(path: string, work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof FolderChanged) this.again = true;
      else this.problems.push(problemOf(path, error, "cannot change the file"));
    }
  }

  /** What must still be at `path` when it is replaced or deleted. */
  expected(path: string): Expected {
    const found = this.options.scan.found.get(path);
    const hash = this.rows.get(path)?.folder;
    if (found === undefined) return undefined;
    if (hash === undefined) throw new TypeError(`"${path}" is to be replaced but was never read`);
    return { found, hash };
  }

  /** The stat for the base: only one that proves that the file is unchanged. */
  settledStat(found: Found): Stat | undefined {
    return isSettled(found.stat, this.options.now) ? found.stat : undefined;
  }

  /** Gives the folder's version a conflict name. */
  async moveAside(path: string, found: Found): Promise<void> {
    const { date, tag } = this.options;
    const kept = await this.disk.moveAside(path, found, date, tag);
    this.conflicts.push({ path, kept });
    this.again = true;
  }
}
