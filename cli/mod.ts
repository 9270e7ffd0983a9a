/**
 * What the command line is made of, for programs of one's own: the store in a directory and the
 * mirror between a folder and a repo.
 *
 * @example A repo on disk
 * ```ts
 * import { Repo, Signer } from "@streamo/streamo";
 * import { FileStore } from "@streamo/streamo/cli";
 *
 * const directory = await Deno.makeTempDir();
 * const signer = await Signer.fromSeed("notes", crypto.getRandomValues(new Uint8Array(32)));
 * const store = await FileStore.open(directory);
 * const repo = await Repo.open(store, signer);
 * repo.set("hello", "world");
 * await repo.flush();
 * await store.close();
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @module
 */

export { EntryIds } from "./entry_ids.ts";
export { FileStore, type FileStoreOptions } from "./file_store.ts";
export { Mirror, type MirrorOptions, type Progress, type Report } from "./mirror/mirror.ts";
export type { Problem } from "./mirror/problem.ts";
export type { Applied } from "./mirror/work.ts";
export type { Change, Content, Opened, Tree, TreeEntry } from "./mirror/tree.ts";
export type { WatchOptions } from "./mirror/watch.ts";
export { RepoTree } from "./repo_tree.ts";
export { settleFiles, type SettleOptions } from "./settle.ts";
