/** Files read and written by position, with a bound on how many are open at once. */

import { StreamoError } from "../../core/errors.ts";

interface Open {
  readonly file: Deno.FsFile;
  /** An open file with a sync in flight is not closed. */
  pins: number;
}

/**
 * Reads and writes are synchronous: position and access are two system calls, and nothing may come
 * between them. Only `sync` waits.
 */
export class FilePool {
  readonly #maxOpen: number;
  /** By mode and path, the longest unused first. */
  readonly #open = new Map<string, Open>();

  constructor(maxOpen = 64) {
    this.#maxOpen = maxOpen;
  }

  /** Number of files open now. */
  get size(): number {
    return this.#open.size;
  }

  /** Up to `length` bytes from `position`: fewer where the file ends. */
  read(path: string, position: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#access(path, "read", (file) => {
      file.seekSync(position, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const count = file.readSync(bytes.subarray(filled));
        if (count === null) break;
        filled += count;
      }
      return filled === length ? bytes : bytes.slice(0, filled);
    });
  }

  /** Writes all of `bytes` at `position`; the file is created if it is not there. */
  write(path: string, position: number, bytes: Uint8Array): void {
    this.#access(path, "write", (file) => {
      file.seekSync(position, Deno.SeekMode.Start);
      let written = 0;
      while (written < bytes.length) written += file.writeSync(bytes.subarray(written));
    });
  }

  /** Cuts the file to `size` bytes. */
  truncate(path: string, size: number): void {
    this.#access(path, "write", (file) => file.truncateSync(size));
  }

  /** Resolves when everything written to the file is on the disk. */
  async sync(path: string): Promise<void> {
    const open = attempt("open", path, () => this.#use(path, "write"));
    open.pins++;
    try {
      await open.file.syncData();
    } catch (error) {
      throw storageError("sync", path, error);
    } finally {
      open.pins--;
    }
  }

  /** Closes the file at `path`, or every file in the folder `path`: it is renamed or removed. */
  release(path: string): void {
    for (const [id, open] of this.#open) {
      const name = id.slice(id.indexOf(":") + 1);
      if (name !== path && !name.startsWith(`${path}/`)) continue;
      this.#open.delete(id);
      open.file.close();
    }
  }

  /** Closes every file. */
  close(): void {
    for (const { file } of this.#open.values()) file.close();
    this.#open.clear();
  }

  #access<T>(path: string, mode: "read" | "write", act: (file: Deno.FsFile) => T): T {
    try {
      return act(this.#use(path, mode).file);
    } catch (error) {
      // Whatever was opened may not be what is at `path` once the cause is repaired.
      this.release(path);
      throw storageError(mode, path, error);
    }
  }

  #use(path: string, mode: "read" | "write"): Open {
    const id = `${mode}:${path}`;
    let open = this.#open.get(id);
    if (open === undefined) {
      const options = mode === "read" ? { read: true } : { write: true, create: true };
      open = { file: Deno.openSync(path, options), pins: 0 };
    } else {
      this.#open.delete(id);
    }
    this.#open.set(id, open);
    if (this.#open.size > this.#maxOpen) this.#closeOldest();
    return open;
  }

  #closeOldest(): void {
    const newest = [...this.#open.keys()].at(-1);
    for (const [id, open] of this.#open) {
      if (open.pins > 0 || id === newest) continue;
      this.#open.delete(id);
      open.file.close();
      return;
    }
  }
}

/** The size of the file at `path`, 0 if there is none. */
export function fileSize(path: string): number {
  return attempt("read", path, () => {
    try {
      return Deno.statSync(path).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  });
}

/** The names in a directory; none if it is not there. */
export function namesIn(directory: string): string[] {
  return attempt("read", directory, () => {
    try {
      return [...Deno.readDirSync(directory)].map((entry) => entry.name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}

/** Makes the names in `directory` durable: a synced file in an unsynced directory can vanish. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows does not open directories as files, and does not need it.
  if (Deno.build.os === "windows") return;
  try {
    using file = await Deno.open(directory, { read: true });
    await file.sync();
  } catch (error) {
    throw storageError("sync", directory, error);
  }
}

/** Runs `act`; what the system says against it becomes `storage`. */
export function attempt<T>(what: string, path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw storageError(what, path, error);
  }
}

/** `storage` with the system's own reason. */
export function storageError(what: string, path: string, error: unknown): StreamoError {
  if (error instanceof StreamoError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `cannot ${what} "${path}": ${reason}`;
  return new StreamoError("storage", message, { path }, { cause: error });
}

/** `damaged`, naming the file and what is wrong with it. */
export function damagedError(
  path: string,
  what: string,
  data: Record<string, unknown> = {},
): StreamoError {
  return new StreamoError("damaged", `"${path}" is damaged: ${what}`, { path, ...data });
}
