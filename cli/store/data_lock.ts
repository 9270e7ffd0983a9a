/** One process a data directory. */

import { StreamoError } from "../../core/errors.ts";
import { storageError } from "./file_pool.ts";

/** A lock that the system frees when the process ends, however it ends. */
export class DataLock {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Locks `directory`; `locked` naming the process that holds it. */
  static async take(directory: string): Promise<DataLock> {
    const path = `${directory}/lock`;
    let file: Deno.FsFile | undefined;
    try {
      file = await Deno.open(path, { read: true, write: true, create: true });
      if (await file.tryLock(true)) {
        await file.truncate(0);
        await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
        return new DataLock(file);
      }
      const holder = (await Deno.readTextFile(path)).trim() || "unknown";
      throw new StreamoError(
        "locked",
        `cannot open "${directory}": process ${holder} holds it`,
        { directory, pid: Number(holder) },
      );
    } catch (error) {
      file?.close();
      throw storageError("lock", directory, error);
    }
  }

  /** Frees the directory. */
  async free(): Promise<void> {
    await this.#file.unlock();
    this.#file.close();
  }
}
