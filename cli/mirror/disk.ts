/**
 * Changes a folder without ever destroying what nobody has looked at: a file is written beside,
 * synced and put in place; what is replaced or deleted must still be what the scan found; parents
 * must be real folders, so that a symlink of a repo leads nowhere.
 */

import { StreamoError } from "../../core/errors.ts";
import {
  type Found,
  hashFile,
  isSettled,
  sameStat,
  type Stat,
  statOf,
  writeAll,
} from "./content.ts";
import { conflictPath, parentOf, refuseTarget, tempName } from "./names.ts";
import { isAbsent, isFileError } from "./problem.ts";

/** Thrown where the folder is no longer what the scan found: nothing was done, scan again. */
export class FolderChanged extends Error {
  /** `path` is where. */
  constructor(path: string) {
    super(`"${path}" changed since it was scanned`);
    this.name = "FolderChanged";
  }
}

/**
 * What the scan found at a path; undefined if nothing. The hash of its content may be undefined only
 * where a move keeps the content whatever it is.
 */
export type Expected =
  | { readonly found: Found; readonly hash: string | undefined }
  | undefined;

/** What {@link Disk} is told. */
export interface DiskOptions {
  /** Absolute path of the mirrored folder. */
  readonly root: string;
  /** Whether there are neither permissions nor folders to sync. */
  readonly windows: boolean;
  /** The file system's time before the scan. */
  readonly now: number;
}

/** A complete file that waits beside its place. */
export interface Staged {
  /** Where it waits. */
  readonly temp: string;
  /** Where it belongs. */
  readonly path: string;
}

/** Changes one folder, during one round. */
export class Disk {
  readonly #options: DiskOptions;
  /** Folders whose list of names changed and is not durable yet. */
  readonly #changed = new Set<string>();

  /** For one round: `now` belongs to one scan. */
  constructor(options: DiskOptions) {
    this.#options = options;
  }

  /** The absolute path of `path`. */
  locate(path: string): string {
    return path === "" ? this.#options.root : `${this.#options.root}/${path}`;
  }

  /** Writes a file beside `path`, durably; `old` gives the permissions of what it replaces. */
  async stageFile(
    path: string,
    content: AsyncIterable<Uint8Array>,
    executable: boolean,
    old: Stat | undefined,
  ): Promise<Staged> {
    const temp = this.#makeTempPath(path);
    try {
      using handle = await Deno.open(this.locate(temp), { write: true, createNew: true });
      for await (const part of content) await writeAll(handle, part);
      if (!this.#options.windows) {
        const mode = (old?.mode ?? (await handle.stat()).mode ?? 0o644) & 0o777;
        // Whoever may read it may run it, or nobody.
        await Deno.chmod(
          this.locate(temp),
          executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111,
        );
      }
      await handle.sync();
    } catch (error) {
      await this.#removeIfThere(temp);
      throw error;
    }
    return { temp, path };
  }

  /** Makes a symlink beside `path`; `refused` if its target leaves the folder. */
  async stageSymlink(path: string, target: string): Promise<Staged> {
    const reason = refuseTarget(path, target, this.#options.windows);
    if (reason !== undefined) throw new StreamoError("refused", reason);
    const temp = this.#makeTempPath(path);
    await Deno.symlink(target, this.locate(temp));
    return { temp, path };
  }

  /** Puts a staged file in its place, which must still hold `expected`. */
  async place({ temp, path }: Staged, expected: Expected): Promise<void> {
    try {
      this.#checkParents(path);
      this.#check(path, expected);
      if (expected === undefined) await this.#moveToFree(temp, path);
      else {this.#replace(path, expected.found, () =>
          Deno.renameSync(this.locate(temp), this.locate(path)));}
    } catch (error) {
      await this.#removeIfThere(temp);
      throw error;
    }
    this.#changed.add(parentOf(path));
  }

  /** Gives up a staged file. */
  async discard({ temp }: Staged): Promise<void> {
    await this.#removeIfThere(temp);
  }

  /** Deletes what must still be `expected`, and the folders that it leaves empty. */
  delete(path: string, expected: NonNullable<Expected>): void {
    this.#checkParents(path);
    this.#check(path, expected);
    this.#replace(path, expected.found, () => Deno.removeSync(this.locate(path)));
    this.#changed.add(parentOf(path));
    for (let folder = parentOf(path); folder !== ""; folder = parentOf(folder)) {
      if (!this.#removeEmptyFolder(folder)) break;
    }
  }

  /** Moves what was `found` to a conflict name, and returns that. */
  async moveAside(path: string, found: Found, date: string, tag: string): Promise<string> {
    this.#checkParents(path);
    this.#check(path, { found, hash: undefined });
    const free = this.freeConflictPath(path, date, tag);
    await this.#moveToFree(path, free);
    this.#changed.add(parentOf(path));
    return free;
  }

  /** The first conflict name of `path` that nothing has. */
  freeConflictPath(path: string, date: string, tag: string): string {
    for (let attempt = 1;; attempt++) {
      const free = conflictPath(path, date, tag, attempt);
      if (this.#look(free) === undefined) return free;
    }
  }

  /** Makes all changes of names durable: only then may the base claim them. */
  syncFolders(): void {
    if (this.#options.windows) return; // A folder cannot be opened there; renames are journaled.
    for (const folder of this.#changed) {
      try {
        using handle = Deno.openSync(this.locate(folder));
        handle.syncSync();
      } catch (error) {
        // A folder that is gone has been removed by a change of its parent, which is in the set.
        if (!isAbsent(error)) throw error;
      }
    }
    this.#changed.clear();
  }

  /** Refuses a path with anything but real folders above it; makes the missing ones. */
  #makeParents(path: string): void {
    let at = "";
    for (const name of path.split("/").slice(0, -1)) {
      const parent = at;
      at = at === "" ? name : `${at}/${name}`;
      if (this.#isFolder(at)) continue;
      Deno.mkdirSync(this.locate(at));
      this.#changed.add(parent);
    }
  }

  #checkParents(path: string): void {
    let at = "";
    for (const name of path.split("/").slice(0, -1)) {
      at = at === "" ? name : `${at}/${name}`;
      if (!this.#isFolder(at)) throw new FolderChanged(at);
    }
  }

  #isFolder(path: string): boolean {
    const info = this.#look(path);
    if (info === undefined) return false;
    if (info.isDirectory) return true;
    throw new StreamoError("refused", `"${path}" is not a real folder on disk`);
  }

  #look(path: string): Deno.FileInfo | undefined {
    return lookAt(this.locate(path));
  }

  /** Throws {@link FolderChanged} if `path` does not hold `expected`. */
  #check(path: string, expected: Expected): void {
    const info = this.#look(path);
    if (expected === undefined) {
      if (info === undefined) return;
      if (info.isDirectory) {
        if (this.#removeHollowFolder(path)) return;
        throw new StreamoError(
          "refused",
          "a folder with files that are not mirrored is in the way",
        );
      }
      throw new FolderChanged(path);
    }
    const { found, hash } = expected;
    if (info === undefined || !sameStat(statOf(info), found.stat)) throw new FolderChanged(path);
    // A write in the same tick of the clock as the one before leaves no trace but the content.
    if (found.kind === "file" && hash !== undefined && !isSettled(found.stat, this.#options.now)) {
      if (hashFile(this.locate(path), found) !== hash) throw new FolderChanged(path);
    }
  }

  /**
   * Does what takes the file at `path` away, which was just checked. Somebody may write to it in that very
   * moment: then it is put back, with what was written. Without links of files that moment remains.
   */
  #replace(path: string, found: Found, takeAway: () => void): void {
    const kept = this.locate(this.#makeTempPath(path));
    try {
      if (found.kind === "file") Deno.linkSync(this.locate(path), kept);
    } catch (error) {
      if (!isFileError(error) || isAbsent(error)) throw error;
    }
    takeAway();
    const info = lookAt(kept);
    if (info === undefined) return;
    if (isUntouched(info, found)) return Deno.removeSync(kept);
    Deno.renameSync(kept, this.locate(path));
    throw new FolderChanged(path);
  }

  /** Moves to a name that must be free; a link, unlike a rename, fails if it is not. */
  async #moveToFree(from: string, to: string): Promise<void> {
    try {
      await Deno.link(this.locate(from), this.locate(to));
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw new FolderChanged(to);
      if (!isFileError(error) || isAbsent(error)) throw error;
      // A file system without links: the moment between looking and renaming remains.
      if (this.#look(to) !== undefined) throw new FolderChanged(to);
      await Deno.rename(this.locate(from), this.locate(to));
      return;
    }
    await Deno.remove(this.locate(from));
  }

  /** False if there is something in it, mirrored or not. */
  #removeEmptyFolder(path: string): boolean {
    try {
      if (!Deno.lstatSync(this.locate(path)).isDirectory) return false;
      if (!Deno.readDirSync(this.locate(path))[Symbol.iterator]().next().done) return false;
      Deno.removeSync(this.locate(path));
    } catch (error) {
      if (isFileError(error)) return false;
      throw error;
    }
    this.#changed.add(parentOf(path));
    return true;
  }

  /** Removes a folder with nothing but folders in it; false, and nothing done, if there is more. */
  #removeHollowFolder(path: string): boolean {
    const folders = [path];
    for (let at = 0; at < folders.length; at++) {
      for (const { name, isDirectory } of Deno.readDirSync(this.locate(folders[at]))) {
        if (!isDirectory) return false;
        folders.push(`${folders[at]}/${name}`);
      }
    }
    return folders.reverse().every((folder) => this.#removeEmptyFolder(folder));
  }

  #makeTempPath(path: string): string {
    this.#makeParents(path);
    const parent = parentOf(path);
    return parent === "" ? tempName() : `${parent}/${tempName()}`;
  }

  async #removeIfThere(path: string): Promise<void> {
    try {
      await Deno.remove(this.locate(path));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}

function lookAt(file: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(file);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Whether nobody has written since the file was `found`; names of its own change its ctime. */
function isUntouched(info: Deno.FileInfo, { stat }: Found): boolean {
  const now = statOf(info);
  return now.size === stat.size && now.mtime === stat.mtime;
}
