/** A repo in memory, as the mirror sees it, and folders to mirror it with. */

import { StreamoError } from "../../../core/errors.ts";
import { Mirror, type MirrorOptions, type Report } from "../../../cli/mirror/mirror.ts";
import type { Change, Opened, Tree, TreeEntry } from "../../../cli/mirror/tree.ts";

/** What an entry of {@link MemoryTree} holds. */
export type Held =
  | { readonly content: Uint8Array; readonly executable?: boolean; readonly text?: boolean }
  | { readonly symlink: string }
  | { readonly malformed: string };

/** Gives each write a new id, even of equal content: ids prove equality, never difference. */
export class MemoryTree implements Tree {
  readonly entries = new Map<string, { id: string; held: Held }>();
  readonly history = new Map<string, Held>();
  commits = 0;
  readOnly = false;
  /** Called before each entry is opened. */
  beforeOpen: (path: string) => void = () => undefined;
  /** Called before each commit. */
  beforeCommit: () => void = () => undefined;
  #ids = 0;

  /** Changes the repo as another device would. */
  put(path: string, value: string | Held): string {
    const held = typeof value === "string" ? { content: new TextEncoder().encode(value) } : value;
    const id = `id${++this.#ids}`;
    this.entries.set(path, { id, held });
    this.history.set(id, held);
    return id;
  }

  remove(path: string): void {
    this.entries.delete(path);
  }

  /** Gives every entry a new id, as a merged fork does. */
  renumber(): void {
    for (const [path, { held }] of [...this.entries]) this.put(path, held);
  }

  text(path: string): string | undefined {
    const held = this.entries.get(path)?.held;
    return held && "content" in held ? new TextDecoder().decode(held.content) : undefined;
  }

  baseContent = (_path: string, id: string): Promise<string | undefined> => {
    const held = this.history.get(id);
    return Promise.resolve(
      held && "content" in held ? new TextDecoder().decode(held.content) : undefined,
    );
  };

  async *list(): AsyncGenerator<TreeEntry> {
    for (const path of [...this.entries.keys()].sort()) {
      const entry = this.entries.get(path);
      if (entry) yield await Promise.resolve({ path, id: entry.id });
    }
  }

  open(path: string): Promise<Opened> {
    this.beforeOpen(path);
    const entry = this.entries.get(path);
    if (!entry) return Promise.reject(new StreamoError("not_found", `nothing at "${path}"`));
    const { id, held } = entry;
    if ("malformed" in held) {
      return Promise.resolve({ kind: "malformed", reason: held.malformed });
    }
    if ("symlink" in held) return Promise.resolve({ kind: "symlink", id, target: held.symlink });
    const content = new Blob([new Uint8Array(held.content)]).stream();
    const { executable = false } = held;
    return Promise.resolve({ kind: "file", id, executable, size: held.content.length, content });
  }

  async commit(
    changes: readonly Change[],
    _message: string,
  ): Promise<ReadonlyMap<string, string | undefined>> {
    this.beforeCommit();
    if (this.readOnly) throw new StreamoError("read_only", "the repo has no signer");
    const writes = new Map<string, Held | undefined>();
    for (const change of changes) {
      if (this.entries.get(change.path)?.id !== change.replaces) continue;
      if (change.kind === "remove") writes.set(change.path, undefined);
      else if (change.kind === "symlink") writes.set(change.path, { symlink: change.target });
      else {
        const content = await change.content();
        if (content === undefined) continue;
        const { executable } = change;
        const text = typeof content === "string";
        writes.set(change.path, {
          content: await new Response(content as BodyInit).bytes(),
          executable,
          text,
        });
      }
    }
    const ids = new Map<string, string | undefined>();
    for (const [path, held] of writes) {
      if (held) ids.set(path, this.put(path, held));
      else {
        ids.set(path, undefined);
        this.entries.delete(path);
      }
    }
    if (ids.size > 0) this.commits++;
    return ids;
  }
}

/** A temporary folder with what a mirror of it needs; removed at the end of the test. */
export class Desk implements AsyncDisposable {
  readonly #top: string;
  readonly tree: MemoryTree;
  readonly folder: string;
  readonly baseFile: string;

  private constructor(top: string, tree: MemoryTree) {
    this.#top = top;
    this.tree = tree;
    this.folder = `${top}/folder`;
    this.baseFile = `${top}/data/base`;
  }

  static async open(tree: MemoryTree = new MemoryTree()): Promise<Desk> {
    const desk = new Desk(await Deno.makeTempDir({ prefix: "streamo-mirror-" }), tree);
    await Deno.mkdir(desk.folder);
    return desk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#top, { recursive: true });
  }

  /** A path beside the folder and the data directory. */
  outside(name: string): string {
    return `${this.#top}/${name}`;
  }

  /** A new process, as far as the mirror can tell. */
  mirror(options: Partial<MirrorOptions> = {}): Promise<Mirror> {
    return Mirror.open({
      folder: this.folder,
      tree: this.tree,
      repo: "repo-a",
      baseFile: this.baseFile,
      clock: () => Date.UTC(2026, 0, 31, 12),
      tag: "deviceaabbcc",
      baseContent: this.tree.baseContent,
      ...options,
    });
  }

  async sync(options: Partial<MirrorOptions> = {}): Promise<Report> {
    return await (await this.mirror(options)).sync();
  }

  at(path: string): string {
    return `${this.folder}/${path}`;
  }

  write(path: string, content: string | Uint8Array, mode?: number): void {
    const slash = path.lastIndexOf("/");
    if (slash > 0) Deno.mkdirSync(this.at(path.slice(0, slash)), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(this.at(path), bytes);
    if (mode !== undefined) Deno.chmodSync(this.at(path), mode);
  }

  read(path: string): string {
    return Deno.readTextFileSync(this.at(path));
  }

  remove(path: string): void {
    Deno.removeSync(this.at(path), { recursive: true });
  }

  exists(path: string): boolean {
    try {
      Deno.lstatSync(this.at(path));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return false;
      }
      throw error;
    }
  }

  /** Everything in the folder as text: content, `-> target`, a `*` in front if executable. */
  listing(): Record<string, string> {
    const found: [string, string][] = [];
    const walk = (folder: string): void => {
      for (const { name, isDirectory, isSymlink } of Deno.readDirSync(this.at(folder))) {
        const path = folder === "" ? name : `${folder}/${name}`;
        if (isDirectory) walk(path);
        else if (isSymlink) found.push([path, `-> ${Deno.readLinkSync(this.at(path))}`]);
        else {
          const executable = ((Deno.lstatSync(this.at(path)).mode ?? 0) & 0o100) !== 0;
          found.push([path, (executable ? "*" : "") + latin(Deno.readFileSync(this.at(path)))]);
        }
      }
    };
    walk("");
    return Object.fromEntries(found.sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** The repo in the same form as {@link listing}. */
  repoListing(): Record<string, string> {
    const found: [string, string][] = [];
    for (const [path, { held }] of this.tree.entries) {
      if ("symlink" in held) found.push([path, `-> ${held.symlink}`]);
      else if ("content" in held) {
        found.push([path, (held.executable ? "*" : "") + latin(held.content)]);
      }
    }
    return Object.fromEntries(found.sort(([a], [b]) => a < b ? -1 : 1));
  }
}

/** One character a byte, so that two texts are equal exactly if the bytes are. */
function latin(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 10_000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 10_000));
  }
  return text;
}
