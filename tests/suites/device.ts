/** One device of alice: a folder, a data directory, and the process that keeps them. */

import { person, type Program, streamo } from "./cli.ts";
import { write } from "./sample_tree.ts";

/** A device whose process can be started again. */
export class Device implements AsyncDisposable {
  readonly label: string;
  readonly folder: string;
  readonly #data: string;
  readonly #args: readonly string[];
  #program: Program;

  /** Starts it, with a folder below `top` that has its name. */
  constructor(label: string, top: string, args: readonly string[]) {
    this.label = label;
    this.folder = `${top}/${label}`;
    this.#data = `${top}/${label}-data`;
    this.#args = args;
    this.#program = this.#spawn();
  }

  /** The process that runs, or ran last. */
  get program(): Program {
    return this.#program;
  }

  /** Starts a process in the place of the one that has ended. */
  start(): void {
    this.#program = this.#spawn();
  }

  /** Writes a file of the folder. */
  write(path: string, content: string | Uint8Array, mode?: number): void {
    write(`${this.folder}/${path}`, content, mode);
  }

  /** A file of the folder as text. */
  read(path: string): string {
    return Deno.readTextFileSync(`${this.folder}/${path}`);
  }

  /** Whether anything is at `path`. */
  has(path: string): boolean {
    try {
      Deno.lstatSync(`${this.folder}/${path}`);
      return true;
    } catch (error) {
      const { NotFound, NotADirectory } = Deno.errors;
      if (error instanceof NotFound || error instanceof NotADirectory) return false;
      throw error;
    }
  }

  /** Removes a file or a folder with all that is in it. */
  remove(path: string): void {
    Deno.removeSync(`${this.folder}/${path}`, { recursive: true });
  }

  /** Gives a file or folder another name. */
  rename(from: string, to: string): void {
    Deno.renameSync(`${this.folder}/${from}`, `${this.folder}/${to}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill();
  }

  #spawn(): Program {
    const args = [...person(this.#data), "--files", this.folder, ...this.#args];
    return streamo(args, { label: this.label });
  }
}
