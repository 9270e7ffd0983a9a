/** A log read as values and history; writable with a signer. */

import { untilThere } from "../codec/chunks.ts";
import type { ListRange, Range } from "../codec/container.ts";
import { type Path, Ref, type Step, type Value } from "../codec/value.ts";
import { StreamoError } from "../errors.ts";
import { defaultCrypto } from "../identity/default_crypto.ts";
import type { Key } from "../identity/key.ts";
import type { Signer } from "../identity/signer.ts";
import { compareHeads, type VerifiedHead } from "../log/head.ts";
import type { Advance } from "../log/advance.ts";
import { Log } from "../log/log.ts";
import type { Run } from "../log/run.ts";
import type { Store } from "../log/store.ts";
import { systemClock } from "../platform.ts";
import { Serial } from "../serial.ts";
import { Branch, type PublishedEvent } from "./branch.ts";
import { laterWins } from "./conflict.ts";
import { type Difference, diffSnapshots } from "./diff.ts";
import { sameItem } from "./diff_map.ts";
import { Draft, type Stored } from "./draft.ts";
import { mergeBranches } from "./merge_branches.ts";
import type { RepoOptions, WriteOptions } from "./options.ts";
import { readBytes } from "./read_bytes.ts";
import type { LogRecord } from "./record.ts";
import { passOn, repoEmitter, type RepoEvents } from "./repo_events.ts";
import { withSource } from "./sparse.ts";
import { type ByteRange, Snapshot, type Stat } from "./snapshot.ts";
import { type ByteStream, storeIn, storeStream, UPLOAD_STEP_BYTES } from "./upload.ts";

/** One key's repo. Reads are of the newest state; writes need a signer. */
export class Repo {
  /** Whose repo this is. */
  readonly key: Key;
  /** What signs; undefined where the repo is open to read. */
  readonly signer: Signer | undefined;
  readonly #store: Store;
  readonly #options: Required<Pick<RepoOptions, "crypto" | "clock" | "onConflict">> & RepoOptions;
  readonly #events = repoEmitter();
  readonly #serial = new Serial();
  #branch: Branch;
  #flushing: Promise<VerifiedHead | undefined> | undefined;
  #stopLog: () => void;

  private constructor(store: Store, log: Log, signer: Signer | undefined, options: RepoOptions) {
    this.key = log.key;
    this.signer = signer;
    this.#store = store;
    const { crypto = log.crypto, clock = systemClock, onConflict = laterWins } = options;
    this.#options = { ...options, crypto, clock, onConflict };
    this.#branch = new Branch(log, { isWritable: signer !== undefined });
    this.#stopLog = passOn(log, this.#events);
  }

  /**
   * Opens what `store` holds of a key: writable with a signer, else to read. Reads the head and its
   * newest record, never the whole log; asking for a key that is not there creates nothing.
   */
  static async open(store: Store, who: Signer | Key, options: RepoOptions = {}): Promise<Repo> {
    const [key, signer]: [Key, Signer?] = typeof who === "string" ? [who] : [who.key, who];
    const crypto = options.crypto ?? defaultCrypto();
    const from = withSource(store, options, crypto, signer !== undefined);
    const log = await Log.open(from, key, { crypto, cacheBytes: options.cacheBytes });
    const repo = new Repo(store, log, signer, options);
    await repo.#branch.follow();
    return repo;
  }

  /** Calls `listener` on every `name`; the result stops it. */
  on<Name extends keyof RepoEvents>(
    name: Name,
    listener: (event: RepoEvents[Name]) => void,
  ): () => void {
    return this.#events.on(name, listener);
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
  get snapshot(): Snapshot {
    return this.#branch.snapshot;
  }

  /** The value at the path, decoded and frozen. */
  get(...path: Step[]): Value {
    return this.snapshot.get(...path);
  }

  /** Whether there is a value at the path. */
  has(...path: Step[]): boolean {
    return this.snapshot.has(...path);
  }

  /** Keys of the map at `path`, in order. */
  keys(path?: Path, range?: Range): Generator<string> {
    return this.snapshot.keys(path, range);
  }

  /** Keys and values of the map at `path`, in order. */
  entries(path?: Path, range?: Range): Generator<[string, Value]> {
    return this.snapshot.entries(path, range);
  }

  /** Elements of the list at `path`, in order. */
  elements(path?: Path, range?: ListRange): Generator<Value> {
    return this.snapshot.elements(path, range);
  }

  /** Entries, elements or bytes at the path. */
  size(...path: Step[]): number {
    return this.snapshot.size(...path);
  }

  /** What stands at the path, without its content. */
  stat(...path: Step[]): Stat | undefined {
    return this.snapshot.stat(...path);
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

  /** `set(value)` sets the whole value, `set(...path, value)` what is at the path. One record. */
  set(...pathAndValue: [...Step[], unknown]): void {
    this.transaction((draft) => draft.set(...pathAndValue));
  }

  /** Sets what `change` makes of the value at the path. One record. */
  update(...pathAndChange: [...Step[], (value: Value) => unknown]): void {
    this.transaction((draft) => draft.update(...pathAndChange));
  }

  /** Deletes the key or element at the path. One record. */
  delete(...path: Step[]): void {
    this.transaction((draft) => draft.delete(...path));
  }

  /** Appends to the list at `path`. One record. */
  push(path: Path, ...values: unknown[]): void {
    this.transaction((draft) => draft.push(path, ...values));
  }

  /** Inserts into the list at `path`, before the element at index `at`. One record. */
  insert(path: Path, at: number, ...values: unknown[]): void {
    this.transaction((draft) => draft.insert(path, at, ...values));
  }

  /** In the list at `path`: removes `remove` elements from `at` on, inserts others. One record. */
  splice(path: Path, at: number, remove?: number, ...values: unknown[]): void {
    this.transaction((draft) => draft.splice(path, at, remove, ...values));
  }

  /**
   * All changes that `change` makes, as one record. If it throws, nothing is changed. Without a
   * change and without a message there is no record.
   */
  transaction(change: (draft: Draft) => void, { message = "" }: WriteOptions = {}): void {
    this.#checkWritable();
    const draft = new Draft(this.#branch.space, this.snapshot.root);
    change(draft);
    const root = draft.settle();
    if (sameItem(root, this.snapshot.root) && message === "") return;
    this.#append({ root, message });
  }

  /** Publishes an event: a record that carries `value` and leaves the state as it is. */
  publish(value: unknown, { message = "" }: WriteOptions = {}): void {
    this.#checkWritable();
    const draft = new Draft(this.#branch.space, undefined);
    draft.set(value);
    this.#append({ root: this.snapshot.root, message, event: draft.settle(), hasEvent: true });
  }

  /** Stores the content of `stream` in bounded memory; a transaction can then set it at a path. */
  async store(stream: ByteStream): Promise<Stored> {
    this.#checkWritable();
    const branch = this.#branch;
    return await storeStream(branch, stream, () => {
      // Once another branch has taken the place of this one, the rest waits here to be copied over.
      const isStep = branch.log.pendingBytes >= UPLOAD_STEP_BYTES && branch === this.#branch;
      return isStep ? this.flush() : undefined;
    });
  }

  /** The same for any value: many large ones can be written one by one, then set in one record. */
  async storeValue(value: unknown): Promise<Stored> {
    this.#checkWritable();
    const branch = this.#branch;
    const stored = await storeIn(branch, value);
    if (branch.log.pendingBytes >= UPLOAD_STEP_BYTES) await this.flush();
    return stored;
  }

  /** Sets the content of `stream` at `path`. One record. */
  async putBytes(path: Path, stream: ByteStream, options?: WriteOptions): Promise<void> {
    const stored = await this.store(stream);
    this.transaction((draft) => draft.set(...path, stored), options);
  }

  /** Signs and stores everything written so far; gives the durable head. */
  flush(): Promise<VerifiedHead | undefined> {
    this.#checkWritable();
    this.#flushing ??= this.#serial.run(() => {
      this.#flushing = undefined;
      return this.#flushNow();
    });
    return this.#flushing;
  }

  /** The records, newest first. */
  history(): Generator<LogRecord> {
    return this.#branch.history();
  }

  /** The events, oldest first: the last so many, or since a time. */
  events(range?: { last?: number; since?: Date }): PublishedEvent[] {
    return this.#branch.events(range);
  }

  /** The state as of a record, a sequence number, or a time; undefined before the first record. */
  at(when: LogRecord | number | Date): Snapshot | undefined {
    const record = this.recordAt(when);
    return record && new Snapshot(this.#branch.space, record.root);
  }

  /** The newest record at or before a sequence number or a time. */
  recordAt(when: LogRecord | number | Date): LogRecord | undefined {
    return this.#branch.recordAt(when);
  }

  /** The value whose chunk is at `address`, as {@link Stat.address} gave it; `malformed` if none is. */
  valueAt(address: number): Value {
    return new Snapshot(this.#branch.space, new Ref(address)).get();
  }

  /** Where two states of this repo differ. */
  diff(before: Snapshot | undefined, after: Snapshot | undefined): Difference[] {
    return diffSnapshots(this.#branch.space, before, after);
  }

  /** Takes a run of blocks from a peer; see {@link Log.receive}. Local writes are merged. */
  receive(run: Run, source?: unknown): Promise<{ length: number; complete: boolean }> {
    return this.#serial.run(async () => {
      const received = await this.log.receive(run, source);
      if (received.complete) await this.#follow();
      return received;
    });
  }

  /**
   * Lets `log`, a branch of this one that holds what a peer has written instead, take its place. With
   * a signer what was written here is merged into it first, and signed.
   */
  replace(log: Log, source?: unknown): Promise<void> {
    return this.#serial.run(async () => {
      if (!await this.log.makeWay(log)) {
        throw new StreamoError("conflict", `the log of ${this.key} has changed its past meanwhile`);
      }
      const sharedBytes = log.sealedBytes;
      if (this.signer !== undefined) return await this.#merge(log, sharedBytes, this.head);
      if (this.head !== undefined && compareHeads(log.head!, this.head) > 0) {
        throw new StreamoError(
          "stale",
          `a head of ${log.head!.blocks} blocks loses to the one held`,
        );
      }
      const branch = new Branch(log, { isWritable: false });
      await branch.follow();
      const news = await this.#adopt(log, source);
      this.#swap(branch, sharedBytes);
      this.#events.emit("advance", news);
    });
  }

  /** Takes over what another process may have written to the store; see {@link Store.watch}. */
  refresh(): Promise<void> {
    return this.#serial.run(async () => {
      if (await this.log.refresh()) await this.#follow();
    });
  }

  #checkWritable(): void {
    if (this.signer === undefined) {
      throw new StreamoError("read_only", `the repo ${this.key} is open without a signer`);
    }
  }

  #append(content: Parameters<Branch["append"]>[0]): void {
    const before = this.snapshot;
    const record = this.#branch.append(content, this.#options.clock());
    this.#events.emit("change", { record, before, isLocal: true });
    // Starts after this tick: all writes of one tick share a block and a signature.
    if (this.#flushing !== undefined) return;
    this.flush().catch((error) => this.#events.emit("failed", error));
  }

  async #flushNow(): Promise<VerifiedHead | undefined> {
    for (;;) {
      try {
        const branch = this.#branch;
        return await branch.log.seal(this.signer!, () => branch.record?.address);
      } catch (error) {
        if (!(error instanceof StreamoError && error.code === "conflict")) throw error;
        await this.#overtaken();
      }
    }
  }

  /** The store has another log than this one extends: goes on from there, with the writes made here. */
  async #overtaken(): Promise<void> {
    const { crypto, cacheBytes } = this.#options;
    const log = await Log.open(this.#store, this.key, { crypto, cacheBytes });
    if (!await this.log.isExtendedBy(log)) {
      throw new StreamoError(
        "closed",
        `another process replaced the log of ${this.key}; reopen it`,
      );
    }
    // An append whose answer was lost may have been stored: those blocks are not merged once more.
    await this.#merge(log, await this.log.sharedBytes(log));
  }

  /** Stores a held branch; until that is certain, this log's own blocks are not read from the store. */
  async #adopt(log: Log, source: unknown): Promise<Advance> {
    const { stored } = this.log;
    stored.cut(log.sealedBytes);
    try {
      return await log.adopt(source);
    } catch (error) {
      stored.cut(Infinity);
      throw error;
    }
  }

  /** After the head moved on: makes its record the state, or merges what was written meanwhile. */
  async #follow(): Promise<void> {
    const before = this.snapshot;
    const isNew = !this.log.isDirty && await this.#branch.follow();
    if (this.log.isDiverged && this.signer !== undefined) await this.#flushNow();
    if (isNew) {
      this.#events.emit("change", { record: this.#branch.record!, before, isLocal: false });
    }
  }

  /** Makes `log`, which has all below `sharedBytes` too, the log that goes on, with the writes made here. */
  async #merge(log: Log, sharedBytes: number, replaced?: VerifiedHead): Promise<void> {
    const theirs = new Branch(log);
    await theirs.follow();
    const { clock, onConflict } = this.#options;
    const merge = () => {
      mergeBranches(this.#branch, theirs, { now: clock(), replaced, sharedBytes, onConflict });
      this.#swap(theirs, sharedBytes);
    };
    await untilThere(merge);
    if (theirs.log.isDirty) await theirs.log.seal(this.signer!, () => theirs.record?.address);
    if (theirs.record !== undefined) {
      this.#events.emit("merged", { record: theirs.record, replaced });
    }
  }

  #swap(branch: Branch, sharedBytes: number): void {
    const before = this.snapshot;
    // Older snapshots read what is at hand, or say that a block is missing: never other bytes.
    this.log.stored.cut(sharedBytes);
    this.#stopLog();
    this.#stopLog = passOn(branch.log, this.#events);
    this.#branch = branch;
    this.#events.emit("replaced", { sharedBytes });
    const { record } = branch;
    if (record !== undefined) this.#events.emit("change", { record, before, isLocal: false });
  }
}
