/**
 * Logs that are read in parts, from places that are trusted with nothing: where blocks come from, and
 * the proofs that they are checked with.
 *
 * @example One file of a large repo, straight from a relay
 * ```ts
 * import { type Key, MemoryStore, Repo } from "@streamo/streamo";
 * import { HttpSource } from "@streamo/streamo/sources";
 *
 * async function readme(relay: string, key: Key) {
 *   const repo = await Repo.open(new MemoryStore(), key, { source: new HttpSource(relay) });
 *   return await repo.load("files", "readme.md");
 * }
 * ```
 *
 * @module
 */

export type { Crypto, SigningKey } from "../identity/crypto.ts";
export { verifyConsistency } from "../log/consistency_proof.ts";
export { type Fork, verifyFork } from "../log/fork_proof.ts";
export { type LeafRun, type Tree, verifyRuns } from "../log/range_proof.ts";
export type { BlockRun, BlockSource, LogTree, Newest, ProvenBlocks } from "../log/source.ts";
export { StoreSource } from "../log/store_source.ts";
export { FileSource } from "../sync/file_source.ts";
export { HttpSource } from "../sync/http_source.ts";
