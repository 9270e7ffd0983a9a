/** A log in a real directory whose files can be put into any state that a crash can leave. */

import { FileStore, type FileStoreOptions } from "../../../cli/file_store.ts";
import { StreamoError } from "../../../core/errors.ts";
import type { StoredHead } from "../../../core/log/store.ts";
import { assertHolds } from "../../suites/store_checks.ts";
import { testCrypto, type TestLog } from "../../suites/test_log.ts";

/** The files of one epoch by name. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** What was held after an append, and the files then. */
export interface Moment {
  readonly log: TestLog;
  readonly stored: StoredHead;
  readonly files: Files;
}

/** One key and epoch in a temporary directory. */
export class DiskLog {
  readonly directory: string;
  readonly moments: Moment[] = [];
  readonly #options: FileStoreOptions;
  readonly #log: TestLog;

  private constructor(directory: string, log: TestLog, options: FileStoreOptions) {
    this.directory = directory;
    this.#log = log;
    this.#options = { crypto: testCrypto, ...options };
  }

  static async create(log: TestLog, options: FileStoreOptions = {}): Promise<DiskLog> {
    return new DiskLog(await Deno.makeTempDir({ prefix: "streamo-" }), log, options);
  }

  /** Where the epoch's files are. */
  get folder(): string {
    return `${this.directory}/${this.#log.key}/${this.#log.epoch}`;
  }

  open(): Promise<FileStore> {
    return FileStore.open(this.directory, this.#options);
  }

  /** Appends the blocks of `log` from `from` on, in a store opened for it, and keeps the moment. */
  async put(log: TestLog, from: number, stored?: StoredHead): Promise<void> {
    const store = await this.open();
    const next = await log.put(store, from, stored ?? await log.stored());
    await store.close();
    const copy = log.fork(log.blocks.length, 0);
    this.moments.push({ log: copy, stored: next, files: this.read() });
  }

  read(): Files {
    const names = [...Deno.readDirSync(this.folder)].map((entry) => entry.name);
    return new Map(names.map((name) => [name, Deno.readFileSync(`${this.folder}/${name}`)]));
  }

  /** Makes `files` all that there is. */
  restore(files: Files): void {
    Deno.removeSync(`${this.directory}/${this.#log.key}`, { recursive: true });
    Deno.mkdirSync(this.folder, { recursive: true });
    for (const [name, bytes] of files) Deno.writeFileSync(`${this.folder}/${name}`, bytes);
  }

  /** Fails unless exactly `moment` (or nothing) is held in `files`; then leaves the store open. */
  async reopen(files: Files, moment: Moment | undefined): Promise<FileStore> {
    this.restore(files);
    const store = await this.open();
    try {
      await this.#assertMoment(store, moment);
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** Like `reopen`, and closes the store. */
  async assertReopens(files: Files, moment: Moment | undefined): Promise<void> {
    await (await this.reopen(files, moment)).close();
  }

  /** Whether `files` hold `moment`, or say `damaged`; anything else is a failure. */
  async holdsOrDamaged(files: Files, moment: Moment): Promise<"holds" | "damaged"> {
    this.restore(files);
    const store = await this.open();
    try {
      await this.#assertMoment(store, moment);
      return "holds";
    } catch (error) {
      if (error instanceof StreamoError && error.code === "damaged") return "damaged";
      throw error;
    } finally {
      await store.close();
    }
  }

  async #assertMoment(store: FileStore, moment: Moment | undefined): Promise<void> {
    if (moment !== undefined) {
      await assertHolds(store, moment.log, moment.stored);
    } else if (await store.head(this.#log.key) !== undefined) {
      throw new Error("something is held where nothing was acknowledged");
    }
  }

  async dispose(): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** `files` with one of them changed, or removed by undefined. */
export function withFile(files: Files, name: string, bytes: Uint8Array | undefined): Files {
  const changed = new Map(files);
  if (bytes === undefined) changed.delete(name);
  else changed.set(name, bytes);
  return changed;
}

/** `bytes` with the bits of `mask` flipped at `at`. */
export function flipped(bytes: Uint8Array, at: number, mask = 0x10): Uint8Array {
  const copy = bytes.slice();
  copy[at] ^= mask;
  return copy;
}
