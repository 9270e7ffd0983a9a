/**
 * The last synced state: what a folder and a repo agreed on. Only the base tells a deletion from
 * an absence, so it never claims more than what is durable on both sides. A base that is lost or
 * too old is harmless: what is equal on both sides is adopted again, and nothing is deleted.
 */

import { StreamoError } from "../../core/errors.ts";
import { type Stat, writeAll } from "./content.ts";
import { isAbsent } from "./problem.ts";

/** One path on which both sides agreed. */
export interface BaseEntry {
  /** SHA-256 over kind, executable bit and content, in hex. */
  readonly hash: string;
  /** The repo's id then. */
  readonly id: string;
  /** For file systems that have no such bit. */
  readonly executable: boolean;
  /** The file then; undefined if it must be read to know whether it changed. */
  readonly stat: Stat | undefined;
}

/** What a base belongs to. A base of another folder says nothing about this one. */
export interface BaseOwner {
  /** The repo, as text: its key. */
  readonly repo: string;
  /** Absolute path of the folder. */
  readonly folder: string;
}

const FORMAT = "streamo-mirror-base-1";

/** The base in memory, and the file that it is kept in. */
export class Base {
  readonly #file: string;
  readonly #owner: BaseOwner;
  readonly #entries: Map<string, BaseEntry>;
  #changed = false;

  /** Why the file found was not used, if so. */
  readonly damage: string | undefined;

  private constructor(
    file: string,
    owner: BaseOwner,
    entries: Map<string, BaseEntry>,
    damage?: string,
  ) {
    this.#file = file;
    this.#owner = owner;
    this.#entries = entries;
    this.damage = damage;
  }

  /**
   * Reads the base; empty if there is none, if it belongs to another folder, or if it is damaged
   * (then it is kept beside as `.damaged`). `wrong_key` if it belongs to another repo.
   */
  static async load(file: string, owner: BaseOwner): Promise<Base> {
    let text: string;
    try {
      text = await Deno.readTextFile(file);
    } catch (error) {
      if (isAbsent(error)) return new Base(file, owner, new Map());
      throw new StreamoError("storage", `cannot read the mirror's base "${file}"`, {}, {
        cause: error,
      });
    }
    let parsed: { owner: BaseOwner; entries: Map<string, BaseEntry> };
    try {
      parsed = parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      await Deno.rename(file, `${file}.damaged`);
      return new Base(file, owner, new Map(), error.message);
    }
    if (parsed.owner.repo !== owner.repo) {
      throw new StreamoError(
        "wrong_key",
        `the base "${file}" belongs to the repo "${parsed.owner.repo}", not "${owner.repo}"`,
      );
    }
    const same = parsed.owner.folder === owner.folder;
    return new Base(file, owner, same ? parsed.entries : new Map());
  }

  /** The entries by path. */
  get entries(): ReadonlyMap<string, BaseEntry> {
    return this.#entries;
  }

  /** Both sides agree on `entry` at `path`. */
  set(path: string, entry: BaseEntry): void {
    this.#entries.set(path, entry);
    this.#changed = true;
  }

  /** Neither side has `path` any more, or the mirror leaves it alone from now on. */
  delete(path: string): void {
    if (this.#entries.delete(path)) this.#changed = true;
  }

  /** Writes the file if anything changed; after a crash the old one or the new one is there. */
  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const temp = `${this.#file}.new`;
    try {
      {
        using handle = await Deno.open(temp, { write: true, create: true, truncate: true });
        for (const part of format(this.#owner, this.#entries)) await writeAll(handle, part);
        await handle.sync();
      }
      await Deno.rename(temp, this.#file);
    } catch (error) {
      this.#changed = true;
      throw new StreamoError("storage", `cannot write the mirror's base "${this.#file}"`, {}, {
        cause: error,
      });
    }
  }
}

/** Lines of JSON: a header, one array an entry, and a count that tells a torn file. */
function* format(owner: BaseOwner, entries: Map<string, BaseEntry>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let lines = JSON.stringify({ format: FORMAT, ...owner }) + "\n";
  for (const [path, { hash, id, executable, stat }] of entries) {
    const facts = stat === undefined
      ? []
      : [stat.size, stat.mtime, stat.ctime, stat.ino, stat.mode];
    lines += JSON.stringify([path, hash, id, executable, ...facts]) + "\n";
    if (lines.length > 65_536) {
      yield encoder.encode(lines);
      lines = "";
    }
  }
  yield encoder.encode(lines + JSON.stringify({ entries: entries.size }) + "\n");
}

type Line = [path: string, hash: string, id: string, executable: boolean, ...facts: number[]];

/** SyntaxError if `text` is not what {@link format} wrote. */
function parse(text: string): { owner: BaseOwner; entries: Map<string, BaseEntry> } {
  const lines = text.split("\n");
  const header = JSON.parse(lines[0]) as Partial<BaseOwner & { format: string }> | null;
  if (
    header?.format !== FORMAT || typeof header.repo !== "string" ||
    typeof header.folder !== "string"
  ) throw new SyntaxError("the first line is not the header of a mirror's base");
  const entries = new Map<string, BaseEntry>();
  for (let i = 1; i < lines.length - 2; i++) {
    const [path, hash, id, executable, ...facts] = JSON.parse(lines[i]) as Line;
    if (
      [path, hash, id].some((text) => typeof text !== "string") ||
      typeof executable !== "boolean" ||
      ![0, 5].includes(facts.length) || facts.some((fact) => typeof fact !== "number")
    ) throw new SyntaxError(`line ${i + 1} is not an entry`);
    const [size, mtime, ctime, ino, mode] = facts;
    const stat = facts.length === 0 ? undefined : { size, mtime, ctime, ino, mode };
    entries.set(path, { hash, id, executable, stat });
  }
  const end = JSON.parse(lines[lines.length - 2] ?? "null") as { entries?: number } | null;
  if (end?.entries !== entries.size) throw new SyntaxError("the last line is missing");
  return { owner: { repo: header.repo, folder: header.folder }, entries };
}
