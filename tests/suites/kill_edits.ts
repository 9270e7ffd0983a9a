/** A person who edits one folder at random, and remembers what was acknowledged. */

import assert from "node:assert/strict";
import type { Device } from "./device.ts";
import type { RandomSource } from "./random.ts";
import { listTree } from "./sample_tree.ts";

/** Files that only this person edits, and files that both do. */
const OWN_FILES = 12;
const SHARED_FILES = 4;
/** The command names as many changes in one line; with more it could not be told what they are. */
const BURST_MAX = 4;

/** One edit: a whole content, a deletion (undefined), or a line that was added to a shared file. */
interface Edit {
  readonly path: string;
  readonly content: string | undefined;
  readonly isShared: boolean;
  isAcknowledged: boolean;
}

/** The edits of one device's folder. */
export class Edits {
  readonly #device: Device;
  readonly #random: RandomSource;
  readonly #edits: Edit[] = [];

  /** Edits the folder of `device`. */
  constructor(device: Device, random: RandomSource) {
    this.#device = device;
    this.#random = random;
  }

  /** How many edits were made. */
  get made(): number {
    return this.#edits.length;
  }

  /** How many of them are known to be durable at the relay. */
  get acknowledged(): number {
    return this.#edits.filter(({ isAcknowledged }) => isAcknowledged).length;
  }

  /** Edits in bursts until `signal`. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { program } = this.#device;
      const from = program.lines.length;
      const burst = new Map<string, Edit>();
      for (let i = this.#random.integer(1, BURST_MAX); i > 0; i--) {
        const edit = this.#edit(burst);
        if (edit !== undefined) burst.set(edit.path, edit);
      }
      this.#edits.push(...burst.values());
      await this.#follow([...burst.values()], from, signal);
      await pause(this.#random.integer(0, 150));
    }
  }

  /** Makes one edit of a path that `burst` has not. */
  #edit(burst: ReadonlyMap<string, Edit>): Edit | undefined {
    const random = this.#random;
    const { label } = this.#device;
    const isShared = random.integer(0, 2) === 0;
    const path = isShared
      ? `shared/${random.integer(1, SHARED_FILES)}.txt`
      : `${label}/${random.integer(1, OWN_FILES)}.txt`;
    if (burst.has(path)) return undefined;
    const text = `${label} ${this.#edits.length + burst.size}\n`;
    if (isShared) return this.#append(path, text);
    const isDeletion = this.#device.has(path) && random.integer(0, 3) === 0;
    if (isDeletion) this.#device.remove(path);
    else this.#device.write(path, text.repeat(random.integer(1, 200)));
    const content = isDeletion ? undefined : this.#device.read(path);
    return { path, content, isShared, isAcknowledged: false };
  }

  /** Adds a line; nothing if the file was replaced in that moment, so that the line is not in it. */
  #append(path: string, line: string): Edit | undefined {
    const file = `${this.#device.folder}/${path}`;
    Deno.mkdirSync(`${this.#device.folder}/shared`, { recursive: true });
    Deno.writeTextFileSync(file, line, { append: true });
    if (!this.#device.read(path).includes(line)) return undefined;
    return { path, content: line, isShared: true, isAcknowledged: false };
  }

  /** Waits until the device says that the edits are acknowledged, or does not get to it. */
  async #follow(edits: readonly Edit[], from: number, signal: AbortSignal): Promise<void> {
    const { program } = this.#device;
    const gaveUp = Promise.withResolvers<undefined>();
    const giveUp = (): void => gaveUp.resolve(undefined);
    signal.addEventListener("abort", giveUp);
    // Merges commit without naming files: then the edits count as not acknowledged.
    const timer = setTimeout(giveUp, this.#random.integer(300, 1500));
    const line = (pattern: RegExp, from: number) =>
      // A process that was killed says nothing more.
      Promise.race([program.line(pattern, from).catch(() => undefined), gaveUp.promise]);
    let blocks = 0;
    for (const { path } of edits) {
      const name = path.replace(".", "\\.");
      const committed = await line(
        new RegExp(`committed .*(?<=[ ,])${name}[, ].*, ([\\d,]+) blocks?\\)`),
        from,
      );
      blocks = committed === undefined ? Infinity : Math.max(blocks, toNumber(committed[1]));
      if (committed === undefined) break;
    }
    for (let next = from; blocks < Infinity;) {
      const acked = await line(/acknowledged everything \(([\d,]+) block/, next);
      if (acked === undefined) break;
      next = program.lines.indexOf(acked.input, next) + 1;
      if (toNumber(acked[1]) < blocks) continue;
      for (const edit of edits) edit.isAcknowledged = true;
      break;
    }
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }

  /**
   * Checks that nothing is missing: of own files what was written last is there, and nothing that is
   * older than what was acknowledged; of shared files every line, in whatever version.
   */
  check(devices: readonly Device[]): void {
    for (const device of devices) {
      const contents = new Map([...listTree(device.folder).keys()]
        .map((path) => [path, device.read(path)]));
      const everything = [...contents.values()].join("");
      for (const { content, path, isShared } of this.#edits) {
        if (!isShared) continue;
        assert.ok(everything.includes(content!), `a line of ${path} is lost: ${content}`);
      }
      for (let n = 1; n <= OWN_FILES; n++) this.#checkOwn(`${this.#device.label}/${n}`, contents);
    }
  }

  #checkOwn(stem: string, contents: ReadonlyMap<string, string>): void {
    const edits = this.#edits.filter(({ path }) => path === `${stem}.txt`);
    const last = edits.at(-1);
    if (last === undefined) return;
    const versions = [...contents].filter(([path]) =>
      path === `${stem}.txt` || path.startsWith(`${stem}.conflict-`)
    ).map(([, content]) => content);
    if (last.content !== undefined) {
      assert.ok(versions.includes(last.content), `what was written last to ${stem}.txt is lost`);
    } else if (last.isAcknowledged) {
      // A version beside it, from an edit between a kill and the next start, is another file.
      const isBack = contents.has(`${stem}.txt`);
      assert.ok(!isBack, `${stem}.txt is back although its deletion was acknowledged`);
    }
  }
}

/** A moment that chance chose: no test waits for anything by it. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The number that the command prints as `1,234`. */
export function toNumber(text: string): number {
  return Number(text.replaceAll(",", ""));
}
