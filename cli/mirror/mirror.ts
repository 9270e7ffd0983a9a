/** Keeps a folder and a repo equal, both ways: scan, plan, apply, and again when either changes. */

import { dirname, join, relative, sep } from "node:path";
import { StreamoError } from "../../core/errors.ts";
import { apply } from "./apply.ts";
import { Base } from "./base.ts";
import { compare } from "./compare.ts";
import { foldOf } from "./fold.ts";
import type { IgnoreRules } from "./ignore_rules.ts";
import { concerns, type NameRules } from "./names.ts";
import { type Action, plan } from "./plan.ts";
import { isAbsent, isFileError, type Problem, problemOf } from "./problem.ts";
import { type Scan, scan } from "./scan.ts";
import type { Tree } from "./tree.ts";
import { watchFolder, type WatchOptions } from "./watch.ts";
import type { Applied } from "./work.ts";

/** What {@link Mirror.open} needs. */
export interface MirrorOptions {
  /** The folder; must exist. */
  readonly folder: string;
  /** The repo. */
  readonly tree: Tree;
  /** The repo as text, its key: a base of another repo is refused. */
  readonly repo: string;
  /** Where the base is kept: in the data directory. */
  readonly baseFile: string;
  /** The data directory, which is never mirrored; the folder of the base by default. */
  readonly dataDir?: string;
  /** The time in milliseconds, for the date in conflict names only. */
  readonly clock: () => number;
  /** Stands in conflict names for whoever keeps the local version; 8 characters are used. */
  readonly tag: string;
  /** The text that had `id` at `path`, from history: lets both sides' edits be merged by line. */
  readonly baseContent?: (path: string, id: string) => Promise<string | undefined>;
  /** Takes a folder that lost all its files at its word, and deletes them in the repo. */
  readonly allowEmpty?: boolean;
  /** Called while long work goes on. */
  readonly onProgress?: (progress: Progress) => void;
  /** What the file system takes for the same name; found out if absent. */
  readonly fold?: (path: string) => string;
}

/** How far long work is. `total` is 0 while it is not known. */
export interface Progress {
  /** What is going on. */
  readonly stage: "scan" | "compare" | "download" | "upload";
  /** How many entries are behind. */
  readonly done: number;
  /** How many there are in all, or 0. */
  readonly total: number;
}

/** What one {@link Mirror.sync} did. */
export interface Report extends Omit<Applied, "again"> {
  /** Paths that were the same on both sides before. */
  readonly unchanged: number;
  /** Whether something kept changing, so that another sync is needed. */
  readonly pending: boolean;
}

/** A folder that lost at least this many files, all it had, is taken for one that is not mounted. */
const GONE_FILES = 20;

/** How often one sync looks again before it leaves the rest to the next. */
const MAX_ROUNDS = 6;

/** A folder and a repo that are kept equal. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #root: string;
  readonly #names: NameRules;
  readonly #fold: ((path: string) => string) | undefined;
  readonly #base: Base;
  /** Problems of opening, told once. */
  #notices: Problem[];
  #first = true;
  #rules: IgnoreRules | undefined;
  #running: Promise<Report> | undefined;
  #queued: Promise<Report> | undefined;
  #wake: () => void = () => undefined;

  private constructor(options: MirrorOptions, root: string, names: NameRules, base: Base) {
    this.#options = options;
    this.#root = root;
    this.#names = names;
    this.#base = base;
    this.#fold = options.fold ?? foldOf(root);
    this.#notices = base.damage === undefined ? [] : [{
      path: options.baseFile,
      code: "damaged",
      message: `the base was damaged (${base.damage}): nothing is deleted this time`,
    }];
  }

  /** Opens the base. StreamoError: `not_found`, `storage`, `wrong_key`. */
  static async open(options: MirrorOptions): Promise<Mirror> {
    const { folder, baseFile, repo, dataDir = dirname(baseFile) } = options;
    const root = await realFolder(folder);
    await Deno.mkdir(dirname(baseFile), { recursive: true });
    const dataPath = relative(root, await Deno.realPath(dataDir)).split(sep).join("/");
    if (dataPath === "") {
      throw new TypeError(`the folder "${folder}" must not be the data directory itself`);
    }
    const inside = dataPath !== ".." && !dataPath.startsWith("../") && !/^[a-z]:/i.test(dataPath);
    const windows = Deno.build.os === "windows";
    const names = { windows, dataPath: inside ? dataPath : undefined };
    const base = await Base.load(baseFile, { repo, folder: root });
    return new Mirror(options, root, names, base);
  }

  /**
   * Makes both sides equal. A call while one runs waits for it and then runs once more, for all who
   * called in the meantime. StreamoError if the folder is gone or empty, or the repo cannot commit.
   */
  sync(): Promise<Report> {
    if (this.#running === undefined) return this.#start();
    // Whether the running one fails is for its own caller to hear.
    this.#queued ??= this.#running.then(() => this.#start(), () => this.#start());
    return this.#queued;
  }

  /** Tells {@link watch} that the repo changed. */
  notify(): void {
    this.#wake();
  }

  /** Syncs now and whenever the folder changes or {@link notify} is called, until `signal`. */
  async watch(options: WatchOptions): Promise<void> {
    await watchFolder({
      ...options,
      root: this.#root,
      sync: () => this.sync(),
      onWake: (wake) => this.#wake = wake,
      matters: (path) => {
        const inside = relative(this.#root, path).split(sep).join("/");
        return concerns(inside, this.#names) && !this.#rules?.ignoresFile(inside);
      },
    });
  }

  #start(): Promise<Report> {
    this.#queued = undefined;
    const running = this.#sync().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }

  async #sync(): Promise<Report> {
    const total = new Total(this.#notices);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const more = await this.#round(round, total);
      if (!more) break;
    }
    this.#notices = [];
    return total;
  }

  /** One scan, plan and apply; true if there is a reason for another. */
  async #round(round: number, total: Total): Promise<boolean> {
    const { tree, clock, tag, baseContent, onProgress } = this.#options;
    const [root, names, base] = [this.#root, this.#names, this.#base];
    const now = await this.#readTime();
    const scanned = await this.#scan();
    let done = 0;
    const compareProgress = (): void => onProgress?.({ stage: "compare", done: ++done, total: 0 });
    try {
      this.#checkNotGone(scanned);
      const comparison = await compare({
        ...{ root, names, base, tree, now, scan: scanned },
        onProgress: compareProgress,
      });
      const planned = plan(comparison.rows, { onDisk: scanned.found, fold: this.#fold });
      // Rules that arrive from the repo hold for what arrives with them.
      const rules = round === 0 ? planned.actions.filter(bringsRules) : [];
      const actions = rules.length > 0 ? rules : planned.actions;
      const applied = await apply(actions, {
        ...{ root, names, base, tree, now, scan: scanned, comparison, baseContent },
        date: new Date(clock()).toISOString().slice(0, 10),
        tag: tag.slice(0, 8),
        onProgress: (stage, done, total) => onProgress?.({ stage, done, total }),
      });
      const collisions = planned.collisions.map((collision): Problem => ({
        path: collision.path,
        code: "refused",
        message: `this file system takes it for "${collision.with}", which stays`,
      }));
      total.add(applied, comparison.unchanged, [
        ...[...scanned.problems, ...comparison.problems, ...collisions, ...applied.problems],
      ]);
      total.pending = scanned.again || comparison.again || applied.again || rules.length > 0;
      return total.pending;
    } finally {
      await base.save();
    }
  }

  async #scan(): Promise<Scan> {
    const { onProgress } = this.#options;
    const scanned = await scan({
      root: this.#root,
      names: this.#names,
      ignoreCase: this.#fold !== undefined,
      wasExecutable: (path) => this.#base.entries.get(path)?.executable ?? false,
      onProgress: (done) => onProgress?.({ stage: "scan", done, total: 0 }),
    });
    this.#rules = scanned.rules;
    if (this.#first) {
      for (const path of scanned.leftovers) await this.#removeLeftover(path);
      this.#first = false;
    }
    return scanned;
  }

  async #removeLeftover(path: string): Promise<void> {
    try {
      await Deno.remove(join(this.#root, path));
    } catch (error) {
      if (!isAbsent(error)) this.#notices.push(problemOf(path, error, "cannot remove a left-over"));
    }
  }

  /** An unmounted disk looks like a folder whose files were all deleted. */
  #checkNotGone({ found, blocked, rules }: Scan): void {
    if (this.#options.allowEmpty || this.#base.entries.size < GONE_FILES) return;
    let gone = 0;
    for (const path of this.#base.entries.keys()) {
      if (found.has(path)) return;
      if (!blocked.covers(path) && !rules.ignoresFile(path)) gone++;
    }
    if (gone < GONE_FILES) return;
    throw new StreamoError(
      "not_found",
      `all ${gone} files of the folder "${this.#root}" are gone: is its disk mounted? ` +
        "Nothing was deleted in the repo; allow it if this is meant",
      { gone },
    );
  }

  /** The time of the file system, which file times are compared with: that of a fresh file. */
  async #readTime(): Promise<number> {
    const probe = `${this.#options.baseFile}.time`;
    try {
      await Deno.writeTextFile(probe, "");
      return (await Deno.lstat(probe)).mtime?.getTime() ?? 0;
    } catch (error) {
      if (!isFileError(error)) throw error;
      throw new StreamoError("storage", `cannot write "${probe}": ${error.message}`, {}, {
        cause: error,
      });
    }
  }
}

/** The sum of all rounds; the problems and unchanged files are those of the last. */
class Total implements Report {
  uploaded = 0;
  removed = 0;
  downloaded = 0;
  deleted = 0;
  merged = 0;
  unchanged = 0;
  pending = false;
  readonly conflicts: { path: string; kept: string }[] = [];
  problems: readonly Problem[] = [];
  readonly #notices: readonly Problem[];

  constructor(notices: readonly Problem[]) {
    this.#notices = notices;
  }

  add(applied: Applied, unchanged: number, problems: readonly Problem[]): void {
    this.uploaded += applied.uploaded;
    this.removed += applied.removed;
    this.downloaded += applied.downloaded;
    this.deleted += applied.deleted;
    this.merged += applied.merged;
    this.unchanged = unchanged;
    for (const conflict of applied.conflicts) this.conflicts.push(conflict);
    this.problems = [...this.#notices, ...problems];
  }
}

function bringsRules(action: Action): boolean {
  return ["download", "delete", "reconcile"].includes(action.do) &&
    /(^|\/)\.gitignore$/.test(action.path);
}

async function realFolder(folder: string): Promise<string> {
  try {
    const root = await Deno.realPath(folder);
    if ((await Deno.stat(root)).isDirectory) return root;
  } catch (error) {
    if (!isFileError(error)) throw error;
    const code = isAbsent(error) ? "not_found" : "storage";
    throw new StreamoError(code, `cannot mirror the folder "${folder}": ${error.message}`, {}, {
      cause: error,
    });
  }
  throw new StreamoError("not_found", `cannot mirror "${folder}": it is not a folder`);
}
