/** Which names a file system takes for one. */

import { tempName } from "./names.ts";
import { isAbsent, isFileError } from "./problem.ts";

/**
 * Maps paths that the file system of `root` does not tell apart to the same text; undefined if it
 * tells all apart. Asks the file system, since a memory stick on Linux folds case as well.
 */
export function foldOf(root: string): ((path: string) => string) | undefined {
  if (foldsCase(root)) return (path) => path.normalize("NFC").toLowerCase();
  if (Deno.build.os === "darwin") return (path) => path.normalize("NFC");
  return undefined;
}

function foldsCase(root: string): boolean {
  const name = tempName();
  try {
    Deno.writeTextFileSync(`${root}/${name}`, "", { createNew: true });
  } catch (error) {
    // A folder that cannot be written to will not get a second name either.
    if (isFileError(error)) return Deno.build.os !== "linux";
    throw error;
  }
  try {
    Deno.lstatSync(`${root}/${name.toUpperCase()}`);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  } finally {
    Deno.removeSync(`${root}/${name}`);
  }
}
