/** A log read as values and history; writable with a signer. */

import { untilThere } from "../codec/chunks.ts";
import { type Path, Ref, type Step, type Value } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import { late } from "../late.ts";
import { defaultCrypto } from "../identity/default_crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import type { VerifiedHead } from "../log/head.ts";
import { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import type { Store } from "../log/store.ts";
import { systemClock, systemTimer } from "../platform.ts";
import type { Branch, PublishedEvent } from "./branch.ts";
import type { CompactOptions } from "./compaction.ts";
import { laterWins } from "./conflict.ts";
import type { Difference } from "./diff.ts";
import type { Draft, Stored } from "./draft.ts";
import type { HistoryRange } from "./history.ts";
import type { RepoOptions, WriteOptions } from "./options.ts";
import { readBytes } from "./read_bytes.ts";
import type { LogRecord } from "./record.ts";
import type { RepoEvents } from "./repo_events.ts";
import type { RepoWriter } from "./repo_writer.ts";
import { type ByteRange, Snapshot } from "./snapshot.ts";
import { Trunk } from "./trunk.ts";
import type { ByteStream } from "./upload.ts";
import { ValueStore } from "./value_store.ts";

const loadSparse = late(() => import("./sparse.ts"));
const loadWriter = late(() => import("./repo_writer.ts"));
const loadWalks = late(() => import("./load_history.ts"));
const loadDiff = late(() => import("./diff.ts"));

/** One key's repo. Reads are of the newest state; writes need a signer, and each is one record. */
export class Repo extends ValueStore {
  /** Whose repo this is. */
  readonly key: Key;
  /** What signs; undefined where the repo is open to read. */
  readonly signer: Signer | undefined;
  /** @ignore What sessions work with. */
  readonly trunk: Trunk;

  private constructor(trunk: Trunk, signer: Signer | undefined) {
    super();
    this.key = trunk.branch.log.key;
    this.signer = signer;
    this.trunk = trunk;
  }

  /**
   * Opens what `store` holds of a key: writable with a signer, else to read. Reads the head and its
   * newest record, never the whole log; asking for a key that is not there creates nothing.
   */
  static async open(store: Store, who: Signer | Key, options: RepoOptions = {}): Promise<Repo> {
    const [key, signer]: [Key, Signer?] = typeof who === "string" ? [who] : [who.key, who];
    const crypto = options.crypto ?? defaultCrypto();
    const from = options.source === undefined
      ? store
      : (await loadSparse()).withSource(store, options, crypto, who);
    const log = await Log.open(from, key, { crypto, cacheBytes: options.cacheBytes });
    const trunk = await Trunk.open(log, {
      store: from,
      newWriter: signer && await writerFor(signer),
      crypto,
      clock: options.clock ?? systemClock,
      timer: options.timer ?? systemTimer,
      onConflict: options.onConflict ?? laterWins,
      cacheBytes: options.cacheBytes,
      isOwnStore: from === store,
    });
    return new Repo(trunk, signer);
  }

  /** Calls `listener` on every `name`; the result stops it. */
  on<Name extends keyof RepoEvents>(
    name: Name,
    listener: (event: RepoEvents[Name]) => void,
  ): () => void {
    return this.trunk.events.on(name, listener);
  }

  /** The log underneath; another object after a fork was settled. */
  get log(): Log {
    return this.#branch.log;
  }

  /** The newest durable head. */
  get head(): VerifiedHead | undefined {
    return this.#branch.log.head;
  }

  /** The newest record, also before it is durable. */
  get lastRecord(): LogRecord | undefined {
    return this.#branch.record;
  }

  /** The newest state, which does not change any more. */
  override get snapshot(): Snapshot {
    return this.#branch.snapshot;
  }

  /** Runs `work`, fetching blocks that are not at hand and starting again, until it gets through. */
  read<T>(work: () => T): Promise<T> {
    return untilThere(work);
  }

  /** The value at the path, fetching what is not at hand. */
  load(...path: Step[]): Promise<Value> {
    return this.read(() => this.get(...path));
  }

  /** The text (as UTF-8) or bytes at `path` as a stream; the snapshot is taken now. */
  readBytes(path: Path, range: ByteRange = {}, snapshot = this.snapshot): ByteStream {
    return readBytes(snapshot, path, range);
  }

  /**
   * All changes that `change` makes, as one record. If it throws, nothing is changed. Without a
   * change, a message or citations there is no record.
   */
  override transaction(change: (draft: Draft) => void, options?: WriteOptions): void {
    this.#writer.transaction(change, options);
  }

  /** Publishes an event: a record that carries `value` and leaves the state as it is. */
  publish(value: unknown, options?: WriteOptions): void {
    this.#writer.publish(value, options);
  }

  /** Stores the content of `stream` in bounded memory; a transaction can then set it at a path. */
  async store(stream: ByteStream): Promise<Stored> {
    return await this.#writer.store(stream);
  }

  /**
   * The same for any value: many large ones can be written one by one, then set in one record. The
   * value is not to be changed before that.
   */
  async storeValue(value: unknown): Promise<Stored> {
    return await this.#writer.storeValue(value);
  }

  /** Sets the content of `stream` at `path`. One record. */
  async putBytes(path: Path, stream: ByteStream, options?: WriteOptions): Promise<void> {
    await this.#writer.putBytes(path, stream, options);
  }

  /** Signs and stores everything written so far; gives the durable head. */
  flush(): Promise<VerifiedHead | undefined> {
    return this.#writer.flush();
  }

  /**
   * The records in `range` or all, newest first; with `after` or `first`, oldest first. Of many blocks
   * that are not at hand, {@link loadHistory}.
   */
  history(range?: HistoryRange): Generator<LogRecord> {
    return this.#branch.history(range);
  }

  /**
   * The same one by one, up to what is the newest record when it begins, fetching what is not at hand: in
   * time and memory for one block after the other, where {@link read} would begin anew at each of them.
   */
  async *loadHistory(range?: HistoryRange): AsyncGenerator<LogRecord> {
    const { loadHistory } = await loadWalks();
    yield* loadHistory(this.#branch, range);
  }

  /** The events in `range` or all, oldest first. Of many blocks not at hand, {@link loadEvents}. */
  events(range?: HistoryRange): PublishedEvent[] {
    return this.#branch.events(range);
  }

  /** The same one by one, up to the newest when it begins, fetching what is not at hand. */
  async *loadEvents(range?: HistoryRange): AsyncGenerator<PublishedEvent> {
    const { loadEvents } = await loadWalks();
    yield* loadEvents(this.#branch, range);
  }

  /** The state as of a record, a sequence number, or a time; undefined before the first record. */
  at(when: LogRecord | number | Date): Snapshot | undefined {
    const record = this.recordAt(when);
    return record && new Snapshot(this.#branch.space, record.root);
  }

  /**
   * The newest record at or before a sequence number or a time. Of a record: itself, unless it is of a
   * log whose place was taken and is not in the present one.
   */
  recordAt(when: LogRecord | number | Date): LogRecord | undefined {
    return this.#branch.recordAt(when);
  }

  /**
   * Sets the value back to what it was, in a new record; stores no content. `not_found` if there was
   * no record then.
   */
  restore(when: LogRecord | number | Date, options?: WriteOptions): void {
    this.#writer.restore(when, options);
  }

  /**
   * Starts the next epoch with the present value and the last `keepRecords` records, and forgets all
   * else for good, here and wherever the new epoch arrives; here not before uploads under way have ended,
   * which go on, and, if a session follows this repo, not before a peer has the new epoch: until then
   * another device may have compacted too, and the merge needs what both began with. Sequence numbers and
   * times go on. Gives the new head, when it is durable.
   */
  async compact(options: CompactOptions = {}): Promise<VerifiedHead | undefined> {
    return await this.#writer.compact(options);
  }

  /** The value whose chunk is at `address`, as {@link Stat.address} gave it; `malformed` if none is. */
  valueAt(address: number): Value {
    return new Snapshot(this.#branch.space, new Ref(address)).get();
  }

  /** Where two states of this repo differ, fetching what is not at hand. */
  async diff(before: Snapshot | undefined, after: Snapshot | undefined): Promise<Difference[]> {
    const { space } = this.#branch;
    const { diffSnapshots } = await loadDiff();
    return await untilThere(() => diffSnapshots(space, before, after));
  }

  /**
   * Takes a run of blocks from a peer; see {@link Log.receive}. Local writes are merged. A log of a
   * later epoch takes this one's place when it is whole.
   */
  receive(run: Run, source?: unknown): Promise<{ length: number; complete: boolean }> {
    return this.trunk.receive(run, source);
  }

  /** Takes over what another process may have written to the store; see {@link Store.watch}. */
  refresh(): Promise<void> {
    return this.trunk.refresh();
  }

  get #branch(): Branch {
    return this.trunk.branch;
  }

  get #writer(): RepoWriter {
    const { writer } = this.trunk;
    if (writer !== undefined) return writer;
    throw new StreamoError("read_only", `the repo ${this.key} is open without a signer`);
  }
}

async function writerFor(signer: Signer): Promise<(trunk: Trunk) => RepoWriter> {
  const { RepoWriter } = await loadWriter();
  return (trunk) => new RepoWriter(trunk, signer);
}
