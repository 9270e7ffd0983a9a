/** What is kept beside the log of a key: one file each, written whole. */

import { attempt, namesIn, storageError, syncDirectory } from "./file_pool.ts";

const SUFFIX = ".aside";

/** The names that are kept in the folder of a key. */
export function asideNames(directory: string): string[] {
  return namesIn(directory).filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length));
}

/** What is kept under `name`. */
export function readAside(directory: string, name: string): Uint8Array | undefined {
  const path = `${directory}/${name}${SUFFIX}`;
  return attempt("read", path, () => {
    try {
      return Deno.readFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  });
}

/** Keeps `bytes` under `name`, or nothing without them. */
export async function keepAside(
  directory: string,
  name: string,
  bytes: Uint8Array | undefined,
): Promise<void> {
  const path = `${directory}/${name}${SUFFIX}`;
  try {
    if (bytes === undefined) await remove(path);
    else await write(path, bytes, directory);
  } catch (error) {
    throw storageError(bytes === undefined ? "remove" : "write", path, error);
  }
}

async function write(path: string, bytes: Uint8Array, directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  // A name that nobody looks for: a crash leaves the old file or the new one.
  const temporary = `${directory}/aside.new`;
  const file = await Deno.open(temporary, { write: true, create: true, truncate: true });
  try {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.syncData();
  } finally {
    file.close();
  }
  await Deno.rename(temporary, path);
  await syncDirectory(directory);
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
