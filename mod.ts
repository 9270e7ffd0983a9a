/**
 * Streamo: data that belongs to the people who write it. Credentials derive a key; the key signs one
 * append-only log; the log holds values and their history; anyone can check any part of it.
 *
 * @example A repo in memory
 * ```ts
 * import { Credentials, MemoryStore, Repo } from "@streamo/streamo";
 *
 * const alice = await Credentials.derive("alice", "correct horse battery staple");
 * const repo = await Repo.open(new MemoryStore(), await alice.signer("my-notes"));
 * repo.set({ name: "alice", messages: [] });
 * repo.push(["messages"], { text: "hello" });
 * await repo.flush();
 * console.assert(repo.get("messages", 0, "text") === "hello");
 * ```
 *
 * @module
 */

export type { ListRange, Range } from "./core/codec/container.ts";
export type { Budget } from "./core/codec/decode.ts";
export type { Reading, ReadingKind } from "./core/codec/reading.ts";
export { Link } from "./core/codec/value.ts";
export type { Item, Path, Ref, Step, Value } from "./core/codec/value.ts";
export { type Chunks, MissingBlock, type Pins } from "./core/codec/chunks.ts";
export { type Code, CODES, StreamoError } from "./core/errors.ts";
export { Credentials } from "./core/identity/credentials.ts";
export type { Crypto, SigningKey } from "./core/identity/crypto.ts";
export { defaultCrypto } from "./core/identity/default_crypto.ts";
export {
  type Key,
  type KeyBrand,
  keyFromBytes,
  keyToBytes,
  parseKey,
} from "./core/identity/key.ts";
export { Signer } from "./core/identity/signer.ts";
export type { Emitter } from "./core/events.ts";
export type { Advance } from "./core/log/advance.ts";
export { type Block, BLOCK_MAX_BYTES } from "./core/log/block.ts";
export {
  decodeHead,
  encodeHead,
  type Head,
  type SignedHead,
  type VerifiedHead,
  verifyHead,
} from "./core/log/head.ts";
export { Log } from "./core/log/log.ts";
export { MemoryStore } from "./core/log/memory_store.ts";
export type { LeafRun, Tree } from "./core/log/range_proof.ts";
export type { Position, Run } from "./core/log/run.ts";
export type { BlockRun, BlockSource, LogTree, Newest, ProvenBlocks } from "./core/log/source.ts";
export type { OnRefused } from "./core/log/sources.ts";
export type { Store, StoredHead } from "./core/log/store.ts";
export type { Clock, Fetch, Random, RandomBytes, Timer } from "./core/platform.ts";
export type { PublishedEvent } from "./core/repo/branch.ts";
export type { Difference } from "./core/repo/diff.ts";
export type { Draft, Stored } from "./core/repo/draft.ts";
export { type Choice, type Conflict, laterWins, type OnConflict } from "./core/repo/conflict.ts";
export type { CompactOptions } from "./core/repo/compaction.ts";
export type { HistoryRange } from "./core/repo/history.ts";
export type { LogRecord } from "./core/repo/record.ts";
export { Registry, type RegistryOptions } from "./core/repo/registry.ts";
export type { RepoOptions, WriteOptions } from "./core/repo/options.ts";
export { Repo } from "./core/repo/repo.ts";
export type { ForkedEvent, RepoEvents } from "./core/repo/repo_events.ts";
export { type ByteRange, Snapshot, type Stat } from "./core/repo/snapshot.ts";
export { ValueStore } from "./core/repo/value_store.ts";
export type { ByteStream } from "./core/repo/upload.ts";
export type { Follow } from "./core/sync/follow_links.ts";
export type { Announcement } from "./core/sync/messages.ts";
export { relayUrl } from "./core/sync/relay_url.ts";
export { connect, Session } from "./core/sync/session.ts";
export type { SessionOptions, SubscribeOptions } from "./core/sync/session_options.ts";
export type {
  Refused,
  RepoStatus,
  SessionEvents,
  SessionStatus,
} from "./core/sync/session_status.ts";
export type { Phase } from "./core/sync/channel_state.ts";
