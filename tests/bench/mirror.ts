/** A folder into a repo, against git. */

import { join } from "node:path";
import { EntryIds } from "../../cli/entry_ids.ts";
import { FileStore } from "../../cli/file_store.ts";
import { Mirror } from "../../cli/mirror/mirror.ts";
import { RepoTree } from "../../cli/repo_tree.ts";
import { Repo } from "../../core/repo/repo.ts";
import { signerOf } from "../suites/people.ts";
import { type Bench, randomBytes, seconds } from "./bench.ts";

/** The first import of a folder, and a look at it when nothing has changed. */
export async function mirror(bench: Bench): Promise<void> {
  const directory = await Deno.makeTempDir();
  const files = bench.size(10_000, 20);
  const bytes = bench.size(200e6, 1e5);
  try {
    const folder = join(directory, "folder");
    await makeFiles(folder, files, bytes);
    const found = await importInto(join(directory, "data"), folder, files);
    const git = new Git(folder, join(directory, "git"));
    await git.run("init", "-q");
    const add = await git.run("add", "-A") + await git.run("commit", "-q", "-m", "import");
    bench.row({
      name: `mirror: first import, ${files.toLocaleString("en")} files, ${bytes / 1e6} MB`,
      value: found.first,
      unit: "s",
      limit: { name: "git add -A && git commit", value: add, unit: "s" },
      reach: { value: add, atMost: true },
    });
    bench.row({
      name: "mirror: nothing changed",
      value: found.unchanged,
      unit: "s",
      limit: { name: "git status", value: await git.run("status", "-s"), unit: "s" },
      reach: { value: 0.5, atMost: true },
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function importInto(
  data: string,
  folder: string,
  files: number,
): Promise<{ first: number; unchanged: number }> {
  await Deno.mkdir(data);
  const store = await FileStore.open(join(data, "store"));
  const repo = await Repo.open(store, await signerOf("writer"));
  const ids = await EntryIds.open(repo, join(data, "ids.json"));
  const one = await Mirror.open({
    folder,
    tree: new RepoTree(repo, ids, []),
    repo: repo.key,
    baseFile: join(data, "state", "base"),
    clock: () => Date.now(),
    tag: repo.key,
  });
  const first = await seconds(async () => {
    const { uploaded } = await one.sync();
    await repo.flush();
    if (uploaded !== files) throw new Error(`${uploaded} of ${files} files were imported`);
  });
  const unchanged = await seconds(() => one.sync());
  await store.close();
  return { first, unchanged };
}

/** Files in 100 folders, all of them text that does not repeat. */
async function makeFiles(folder: string, files: number, bytes: number): Promise<void> {
  const alphabet = new TextEncoder().encode("abcdefghijklmnopqrstuvwxyz     \n");
  for (let i = 0; i < files; i++) {
    // From a quarter of the mean up to seven quarters of it.
    const length = Math.ceil(bytes / files * (0.25 + 1.5 * i / files));
    const text = randomBytes(length, (i + 1) * 0x9e3779b9).map((byte) => alphabet[byte & 31]);
    const inside = join(folder, `folder${i % 100}`);
    if (i < 100) await Deno.mkdir(inside, { recursive: true });
    await Deno.writeFile(join(inside, `file${i}.txt`), text);
  }
}

/** Git over a folder, with its own directory elsewhere. */
class Git {
  readonly #places: readonly string[];

  constructor(folder: string, directory: string) {
    this.#places = [`--git-dir=${directory}`, `--work-tree=${folder}`];
  }

  /** Seconds that a command takes. */
  run(...args: readonly string[]): Promise<number> {
    const person = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
    return seconds(async () => {
      const command = new Deno.Command("git", { args: [...this.#places, ...person, ...args] });
      const { success, stderr } = await command.output();
      if (!success) throw new Error(`git ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    });
  }
}
