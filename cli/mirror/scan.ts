/**
 * Walks a folder: what is there, what is not looked at, and why. Reads no content except
 * `.gitignore`. Nothing is followed: a symlink is an entry of its own.
 */

import { StreamoError } from "../../core/errors.ts";
import { type Found, type Stat, statOf } from "./content.ts";
import { IgnoreRules } from "./ignore_rules.ts";
import { isTempName, type NameRules, refuseName, refusePath, refuseTarget } from "./names.ts";
import { isAbsent, isFileError, type Problem, problemOf } from "./problem.ts";

/** What a scan is told. */
export interface ScanOptions {
  /** Absolute path of a real folder. */
  readonly root: string;
  /** Which names are refused. */
  readonly names: NameRules;
  /** Whether the file system does not tell `A` from `a`. */
  readonly ignoreCase: boolean;
  /** The executable bit of `path` where the file system has none. */
  readonly wasExecutable: (path: string) => boolean;
  /** Called now and then with the number of entries seen. */
  readonly onProgress?: (entries: number) => void;
}

/** What a folder holds. */
export interface Scan {
  /** Files and symlinks by path. */
  readonly found: ReadonlyMap<string, Found>;
  /** What could not be looked at: nothing is known about these paths and what lies below. */
  readonly blocked: Blocked;
  /** The `.gitignore` files of the folder. */
  readonly rules: IgnoreRules;
  /** What was left out, and why. */
  readonly problems: readonly Problem[];
  /** Unfinished files of an earlier run. */
  readonly leftovers: readonly string[];
  /** Whether something vanished while it was looked at: the picture may be torn. */
  readonly again: boolean;
}

/** Paths about which nothing is known, with all that lies below them. */
export class Blocked {
  readonly #paths = new Set<string>();

  /** Nothing is known about `path`. */
  add(path: string): void {
    this.#paths.add(path);
  }

  /** Whether `path` or a folder that it lies in was added. */
  covers(path: string): boolean {
    if (this.#paths.size === 0) return false;
    if (this.#paths.has(path)) return true;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      if (this.#paths.has(path.slice(0, end))) return true;
    }
    return false;
  }
}

/** A `.gitignore` past this many bytes is not read, and what lies beside it is left alone. */
const MAX_IGNORE_BYTES = 256 * 1024;

/** How many entries are looked at before others get a turn. */
const ENTRIES_A_TURN = 2000;

/** Walks the folder; StreamoError if the folder itself is missing (`not_found`) or unreadable. */
export async function scan(options: ScanOptions): Promise<Scan> {
  const walk = new Walk(options);
  await walk.run();
  return walk;
}

class Walk implements Scan {
  readonly found = new Map<string, Found>();
  readonly blocked = new Blocked();
  readonly rules: IgnoreRules;
  readonly problems: Problem[] = [];
  readonly leftovers: string[] = [];
  again = false;
  readonly #options: ScanOptions;
  #entries = 0;

  constructor(options: ScanOptions) {
    this.#options = options;
    this.rules = new IgnoreRules(options.ignoreCase);
  }

  async run(): Promise<void> {
    this.#checkRoot();
    const waiting = [""];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      const before = this.#entries;
      for (const inside of this.#readFolder(folder)) waiting.push(inside);
      if (
        Math.floor(before / ENTRIES_A_TURN) !== Math.floor(this.#entries / ENTRIES_A_TURN)
      ) {
        this.#options.onProgress?.(this.#entries);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    }
  }

  #checkRoot(): void {
    const { root } = this.#options;
    try {
      if (Deno.lstatSync(root).isDirectory) return;
    } catch (error) {
      if (!isFileError(error)) throw error;
      const code = isAbsent(error) ? "not_found" : "storage";
      throw new StreamoError(code, `cannot mirror the folder "${root}": ${error.message}`, {}, {
        cause: error,
      });
    }
    throw new StreamoError("not_found", `cannot mirror "${root}": it is not a folder`);
  }

  /** Notes what the folder holds and returns the folders in it. */
  #readFolder(folder: string): string[] {
    const { root } = this.#options;
    let entries: Deno.DirEntry[];
    try {
      entries = [...Deno.readDirSync(folder === "" ? root : `${root}/${folder}`)];
      this.#addRules(folder, entries);
    } catch (error) {
      // Without the folder's names or rules nothing below may be taken as absent or be sent.
      if (folder !== "") {
        this.#block(folder, error, "cannot read the folder");
        return [];
      }
      if (!isFileError(error)) throw error;
      throw new StreamoError("storage", `cannot read the folder "${root}": ${error.message}`, {}, {
        cause: error,
      });
    }
    const folders: string[] = [];
    const names = new Set<string>();
    for (const { name } of entries) {
      this.#entries++;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (names.has(name)) this.#skip(path, "its name is not valid UTF-8");
      else if (this.#readEntry(path, name)) folders.push(path);
      names.add(name);
    }
    return folders;
  }

  #addRules(folder: string, entries: readonly Deno.DirEntry[]): void {
    const entry = entries.find(({ name }) => name === ".gitignore");
    if (entry === undefined || !entry.isFile) return;
    const file = `${this.#options.root}/${folder === "" ? "" : `${folder}/`}.gitignore`;
    const { size } = Deno.lstatSync(file);
    if (size > MAX_IGNORE_BYTES) {
      throw new StreamoError("too_large", `its .gitignore is over ${MAX_IGNORE_BYTES} bytes`);
    }
    this.rules.add(folder, Deno.readTextFileSync(file));
  }

  /** Notes one entry; true if it is a folder to go into. */
  #readEntry(path: string, name: string): boolean {
    const { root, names } = this.#options;
    try {
      const info = Deno.lstatSync(`${root}/${path}`);
      if (info.isFile && isTempName(name)) this.leftovers.push(path);
      if (info.isDirectory ? this.rules.ignoresFolder(path) : this.rules.ignoresFile(path)) {
        return false;
      }
      const reason = refuseName(name, names.windows) ?? refusePath(path, names);
      if (reason !== undefined) this.#leaveOut(path, name, reason);
      else if (info.isDirectory) return true;
      else if (info.isFile) this.#note(path, "file", statOf(info), "");
      else if (info.isSymlink) this.#readSymlink(path, statOf(info));
      else this.#skip(path, "it is neither file, folder nor symlink");
    } catch (error) {
      if (isAbsent(error) && name.includes("\ufffd")) {
        this.#skip(path, "its name is not valid UTF-8");
      } else this.#block(path, error, "cannot look at it");
    }
    return false;
  }

  #readSymlink(path: string, stat: Stat): void {
    const { root, names } = this.#options;
    const target = Deno.readLinkSync(`${root}/${path}`);
    const reason = refuseTarget(path, target, names.windows);
    if (reason === undefined) this.#note(path, "symlink", stat, target);
    else {
      // What lay below a folder that is a link to elsewhere now is not deleted, only out of sight.
      this.blocked.add(path);
      this.problems.push({ path, code: "refused", message: `the symlink is left out: ${reason}` });
    }
  }

  #note(path: string, kind: Found["kind"], stat: Stat, target: string): void {
    const { names, wasExecutable } = this.#options;
    const executable = kind === "file" &&
      (names.windows ? wasExecutable(path) : (stat.mode & 0o100) !== 0);
    this.found.set(path, { kind, stat, executable, target });
  }

  /** `.git` and the data directory are left out silently, other refused names are reported. */
  #leaveOut(path: string, name: string, reason: string): void {
    this.blocked.add(path);
    if (name === ".git" || name === ".streamo" || path === this.#options.names.dataPath) return;
    this.problems.push({ path, code: "refused", message: `its name is refused: ${reason}` });
  }

  #skip(path: string, reason: string): void {
    this.blocked.add(path);
    this.problems.push({ path, code: "unsupported", message: `it is left out: ${reason}` });
  }

  #block(path: string, error: unknown, attempt: string): void {
    this.blocked.add(path);
    if (isAbsent(error)) this.again = true;
    else this.problems.push(problemOf(path, error, attempt));
  }
}
