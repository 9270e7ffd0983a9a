/**
 * Decides what to do from three hashes a path: what both sides agreed on last, what the folder
 * holds, what the repo holds. Pure: no time, no disk. A side that still has what was agreed on has
 * nothing to say; the other side's change, or deletion, goes through. Who is newer is never asked.
 */

import type { Row } from "./compare.ts";
import { parentOf } from "./names.ts";

/** One thing to do. */
export interface Action {
  /** What is to be done. */
  readonly do:
    /** Both sides hold the same: note it in the base. */
    | "settle"
    /** Both sides deleted it: drop it from the base. */
    | "forget"
    /** Folder to repo. */
    | "upload"
    /** Delete in the repo. */
    | "remove"
    /** Repo to folder. */
    | "download"
    /** Delete in the folder. */
    | "delete"
    /** Both sides changed it: merge, or keep both. */
    | "reconcile"
    /** A folder needs the name: the folder's file takes a conflict name. */
    | "aside"
    /** A folder has the name: the repo's file is written under a conflict name. */
    | "beside";
  /** To which path. */
  readonly path: string;
}

/** What to do, and what cannot be done. */
export interface Plan {
  /** In the order of paths. */
  readonly actions: readonly Action[];
  /** Paths that this file system would take for another one, which stays. */
  readonly collisions: readonly { readonly path: string; readonly with: string }[];
}

/** What {@link plan} is told besides the rows. */
export interface PlanOptions {
  /** Every path that the folder holds. */
  readonly onDisk: { has(path: string): boolean; keys(): Iterable<string> };
  /** Maps names that the file system takes for one to the same text; absent if it tells all apart. */
  readonly fold?: (path: string) => string;
}

/** Plans all rows. */
export function plan(rows: readonly Row[], options: PlanOptions): Plan {
  const actions: Action[] = [];
  for (const row of rows) {
    const action = decide(row);
    if (action !== undefined) actions.push({ do: action, path: row.path });
  }
  if (!actions.some((action) => action.do === "download")) return { actions, collisions: [] };
  const { kept, collisions } = dropCollisions(actions, options);
  return { actions: separateFoldersAndFiles(kept, options), collisions };
}

/** What one path needs, if anything. */
export function decide({ base, folder, repo }: Row): Action["do"] | undefined {
  if (folder === repo) {
    if (folder === base) return undefined;
    return folder === undefined ? "forget" : "settle";
  }
  if (folder === base) return repo === undefined ? "delete" : "download";
  if (repo === base) return folder === undefined ? "remove" : "upload";
  // Both have something to say: what was changed survives what was deleted.
  if (folder === undefined) return "download";
  if (repo === undefined) return "upload";
  return "reconcile";
}

/** Leaves out downloads that the file system would write over another path. */
function dropCollisions(
  actions: readonly Action[],
  { onDisk, fold }: PlanOptions,
): { kept: readonly Action[]; collisions: Plan["collisions"] } {
  if (fold === undefined) return { kept: actions, collisions: [] };
  /** The first spelling of each path and folder. */
  const spellings = new Map<string, string>();
  const clash = (path: string): string | undefined => {
    for (let part = path; part !== ""; part = parentOf(part)) {
      const first = spellings.get(fold(part));
      if (first !== undefined && first !== part) return first;
    }
    for (let part = path; part !== ""; part = parentOf(part)) spellings.set(fold(part), part);
  };
  const gone = new Set(actions.filter((action) => action.do === "delete").map(({ path }) => path));
  for (const path of onDisk.keys()) if (!gone.has(path)) clash(path);
  const collisions: { path: string; with: string }[] = [];
  const kept = actions.filter(({ do: action, path }) => {
    if (action !== "download") return true;
    const first = clash(path);
    if (first !== undefined) collisions.push({ path, with: first });
    return first === undefined;
  });
  return { kept, collisions };
}

/** Where a path would be a file and a folder at once, the folder keeps the name. */
function separateFoldersAndFiles(
  actions: readonly Action[],
  { onDisk }: PlanOptions,
): readonly Action[] {
  const downloads = new Set<string>();
  const gone = new Set<string>();
  for (const { do: action, path } of actions) {
    if (action === "download") downloads.add(path);
    if (action === "delete") gone.add(path);
  }
  const folders = new Set<string>([""]);
  const addFolders = (path: string): void => {
    for (let part = parentOf(path); !folders.has(part); part = parentOf(part)) folders.add(part);
  };
  for (const path of onDisk.keys()) if (!gone.has(path)) addFolders(path);
  for (const path of downloads) addFolders(path);

  const aside = new Set<string>();
  for (const path of folders) if (onDisk.has(path) && !gone.has(path)) aside.add(path);
  const rest = actions.filter(({ path }) => !aside.has(path)).map((action): Action =>
    action.do === "download" && folders.has(action.path) ? { ...action, do: "beside" } : action
  );
  return [...[...aside].map((path): Action => ({ do: "aside", path })), ...rest];
}
