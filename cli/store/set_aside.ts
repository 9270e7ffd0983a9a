/** Removing a folder in one step that a crash cannot halve: rename it, then remove it. */

import type { FileContext } from "./epoch_log.ts";
import { attempt, namesIn, syncDirectory } from "./file_pool.ts";

const SUFFIX = ".dropped";

/** Removes the folder at `path`; after a crash it is there whole, or {@link removeDropped} finds it. */
export async function setAside(context: FileContext, path: string): Promise<void> {
  context.files.release(path);
  context.cache.release(`${path}/`);
  const aside = path + SUFFIX;
  removeFolder(aside);
  attempt("rename", path, () => Deno.renameSync(path, aside));
  await syncDirectory(path.slice(0, path.lastIndexOf("/")));
  removeFolder(aside);
}

/** Removes what a crash left set aside in `directory`. */
export function removeDropped(directory: string): void {
  for (const name of namesIn(directory)) {
    if (name.endsWith(SUFFIX)) removeFolder(`${directory}/${name}`);
  }
}

function removeFolder(path: string): void {
  attempt("remove", path, () => {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
}
