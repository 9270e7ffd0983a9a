/**
 * A repo's value as the mirror's tree: a flat map from path to file. A file is its text or bytes, or
 * `{ content, executable: true }`; a symbolic link is `{ symlink: target }`.
 */

import { StreamoError } from "../core/errors.ts";
import type { Path, Value } from "../core/codec/value.ts";
import type { Draft, Stored } from "../core/repo/draft.ts";
import type { Repo } from "../core/repo/repo.ts";
import type { Snapshot, Stat } from "../core/repo/snapshot.ts";
import type { EntryIds } from "./entry_ids.ts";
import type { Change, Opened, Tree, TreeEntry } from "./mirror/tree.ts";

/** Entries that are read from the repo at a time. */
const PAGE = 1000;

/** The files of a repo, at the top of its value or below a key of it. */
export class RepoTree implements Tree {
  readonly #repo: Repo;
  readonly #ids: EntryIds;
  readonly #path: Path;

  /** The files at `path` of `repo`'s value. */
  constructor(repo: Repo, ids: EntryIds, path: Path) {
    this.#repo = repo;
    this.#ids = ids;
    this.#path = path;
  }

  async *list(): AsyncGenerator<TreeEntry> {
    const { snapshot } = this.#repo;
    await this.#check(snapshot);
    let start: string | undefined;
    for (;;) {
      const page = await this.#repo.read(() =>
        [...snapshot.addresses(this.#path, { start, limit: PAGE + 1 })]
          .map(([path, address]) => ({ path, id: this.#id(snapshot, path, { address }) }))
      );
      yield* page.slice(0, PAGE);
      if (page.length <= PAGE) break;
      start = page[PAGE].path;
    }
    await this.#ids.save();
  }

  async open(path: string): Promise<Opened> {
    const { snapshot } = this.#repo;
    const place = [...this.#path, path];
    const stat = await this.#repo.read(() => snapshot.stat(...place));
    if (stat === undefined) {
      throw new StreamoError("not_found", `the repo has no file "${path}"`);
    }
    const id = await this.#repo.read(() => this.#id(snapshot, path, stat));
    const file = (path: Path, executable: boolean, { size }: Stat): Opened => {
      const content = this.#repo.readBytes(path, {}, snapshot);
      return { kind: "file", id, executable, size, content };
    };
    if (isContent(stat)) return file(place, false, stat);
    const inside = await this.#repo.read(() => new Map(snapshot.stats(place)));
    const content = inside.get("content");
    if (content !== undefined && isContent(content)) {
      const executable = await this.#repo.read(() => snapshot.get(...place, "executable"));
      return file([...place, "content"], executable === true, content);
    }
    const target = await this.#repo.read(() => snapshot.get(...place, "symlink"));
    if (typeof target === "string") return { kind: "symlink", id, target };
    return { kind: "malformed", reason: `a ${stat.kind} that is neither a file nor a link` };
  }

  async commit(
    changes: readonly Change[],
    message: string,
  ): Promise<ReadonlyMap<string, string | undefined>> {
    await this.#check(this.#repo.snapshot);
    const ready: { change: Change; content?: Stored }[] = [];
    for (const change of changes) {
      if (!await this.#isCurrent(change)) continue;
      if (change.kind !== "file") {
        ready.push({ change });
        continue;
      }
      const content = await change.content();
      if (content === undefined) continue;
      const stored = content instanceof ReadableStream
        ? await this.#repo.store(content)
        : await this.#repo.storeValue(content);
      ready.push({ change, content: stored });
    }
    // The repo may have changed while contents were read: what was overtaken is left out.
    const made: typeof ready = [];
    await this.#repo.read(() => {
      made.splice(0);
      for (const one of ready) {
        if (this.#idNow(one.change.path) === one.change.replaces) made.push(one);
      }
      if (made.length === 0) return;
      this.#repo.transaction((draft) => {
        for (const { change, content } of made) this.#write(draft, change, content);
      }, { message });
    });
    if (made.length > 0) await this.#repo.flush();
    await this.#ids.save();
    return await this.#repo.read(() =>
      new Map(made.map(({ change: { path } }) => [path, this.#idNow(path)]))
    );
  }

  /** The text that `id` named at a path, for merging by line. */
  async text(id: string): Promise<string | undefined> {
    if (id.startsWith(INLINE_TEXT)) return id.slice(INLINE_TEXT.length);
    const address = this.#ids.address(id);
    if (address === undefined) return undefined;
    const value = await this.#repo.read(() => this.#repo.valueAt(address));
    const content = isEntry(value) ? value.content : value;
    return typeof content === "string" ? content : undefined;
  }

  #write(draft: Draft, change: Change, content: Stored | undefined): void {
    const place = [...this.#path, change.path];
    if (change.kind === "remove") draft.delete(...place);
    else if (change.kind === "symlink") draft.set(...place, { symlink: change.target });
    else if (!change.executable) draft.set(...place, content);
    else {
      draft.set(...place, { executable: true });
      draft.set(...place, "content", content);
    }
  }

  async #isCurrent({ path, replaces }: Change): Promise<boolean> {
    return await this.#repo.read(() => this.#idNow(path)) === replaces;
  }

  #idNow(path: string): string | undefined {
    const { snapshot } = this.#repo;
    const stat = snapshot.stat(...this.#path, path);
    return stat && this.#id(snapshot, path, stat);
  }

  /** A small value sits inside its map and has no address: then its content is its name. */
  #id(snapshot: Snapshot, path: string, { address }: Pick<Stat, "address">): string {
    if (address !== undefined) return this.#ids.of(address);
    const value = snapshot.get(...this.#path, path);
    if (typeof value === "string") return INLINE_TEXT + value;
    if (value instanceof Uint8Array) return `=bytes:${[...value].join()}`;
    return `=other:${typeof value}:${String(value)}`;
  }

  async #check(snapshot: Snapshot): Promise<void> {
    const stat = await this.#repo.read(() => snapshot.stat(...this.#path));
    if (stat === undefined || stat.kind === "map") return;
    const value = await this.#repo.read(() => stat.size === 1 ? snapshot.value(this.#path) : null);
    if (value === undefined) return;
    throw new StreamoError(
      "refused",
      `the repo holds a ${stat.kind} and not files; mirror the folder below a key of it`,
    );
  }
}

const INLINE_TEXT = "=text:";

function isContent({ kind }: Stat): boolean {
  return kind === "string" || kind === "bytes";
}

function isEntry(value: Value): value is { readonly content: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && "content" in value;
}
