/** What writes in a repo: loaded when one is opened with its signer, because most pages only read. */

import { encode } from "../codec/encode.ts";
import type { Item, Path, Value } from "../codec/value.ts";
import { untilThere } from "../codec/chunks.ts";
import { StreamoError } from "../errors.ts";
import type { Signer } from "../identity/signer.ts";
import type { VerifiedHead } from "../log/head.ts";
import type { Log } from "../log/log.ts";
import type { Branch } from "./branch.ts";
import { BranchWriter, type RecordContent } from "./branch_writer.ts";
import type { CompactOptions } from "./compaction.ts";
import { Draft, Stored } from "./draft.ts";
import type { WriteOptions } from "./options.ts";
import type { LogRecord } from "./record.ts";
import { sameItem } from "./same_item.ts";
import { isConflict, type Trunk } from "./trunk.ts";
import { type ByteStream, storeIn, storeStream, type UploadTo } from "./upload.ts";

/** Bytes of a long upload that are signed and stored at a time. */
const UPLOAD_STEP_BYTES = 4 * 2 ** 20;
/** Bytes that wait for a later epoch to arrive; more do not wait. */
const WAITING_BYTES = 4 * 2 ** 20;

/** The methods of `Repo` that need a signer, of which it has the words. */
export class RepoWriter {
  readonly #trunk: Trunk;
  readonly #signer: Signer;
  #flushing: Promise<VerifiedHead | undefined> | undefined;
  /** Whether there is anybody who may have a part of this log, or of one before. */
  #isShared = false;
  /** The newest epoch of which somebody else is known to have a head, with all that it covers. */
  #passedOn = -1;
  /** What goes on and needs the epochs that it began with. */
  #keepers = 0;

  /** Writes to whichever branch of `trunk` is the newest. */
  constructor(trunk: Trunk, signer: Signer) {
    this.#trunk = trunk;
    this.#signer = signer;
  }

  /** What a branch of `log` is written with. */
  writerOf(log: Log): BranchWriter {
    return new BranchWriter(log);
  }

  /** See `Repo.transaction`. */
  transaction(change: (draft: Draft) => void, { message = "", cites }: WriteOptions = {}): void {
    const draft = new Draft(this.#branch.space, this.#root);
    change(draft);
    const root = draft.settle();
    if (sameItem(root, this.#root) && message === "" && cites === undefined) return;
    this.#append({ root, message, cites: this.#item(cites) });
  }

  /** See `Repo.publish`. */
  publish(value: unknown, { message = "", cites }: WriteOptions = {}): void {
    const draft = new Draft(this.#branch.space, undefined);
    draft.set(value);
    const event = draft.settle();
    const root = this.#root;
    this.#append({ root, message, event, hasEvent: true, cites: this.#item(cites) });
  }

  /** See `Repo.store`. */
  store(stream: ByteStream): Promise<Stored> {
    const branch = this.#branch;
    return this.#keepOld(() =>
      storeStream(uploadTo(branch), stream, () => this.#flushStep(branch))
    );
  }

  /** See `Repo.storeValue`. */
  async storeValue(value: unknown): Promise<Stored> {
    const branch = this.#branch;
    const stored = await storeIn(uploadTo(branch), value);
    await this.#flushStep(branch);
    return stored;
  }

  /** See `Repo.putBytes`. */
  putBytes(path: Path, stream: ByteStream, options?: WriteOptions): Promise<void> {
    return this.#keepOld(async () => {
      const stored = await this.store(stream);
      await untilThere(() => this.transaction((draft) => draft.set(...path, stored), options));
    });
  }

  /** See `Repo.restore`. */
  restore(when: LogRecord | number | Date, options?: WriteOptions): void {
    const { space, log } = this.#branch;
    const record = this.#branch.recordAt(when);
    if (record === undefined) {
      const text = when instanceof Date ? when.toISOString() : when;
      throw new StreamoError("not_found", `cannot restore ${log.key} at ${text}: no record`);
    }
    this.transaction((draft) => draft.set(new Stored(space, record.root)), options);
  }

  /** See `Repo.compact`. */
  async compact(options: CompactOptions): Promise<VerifiedHead | undefined> {
    const { keepRecords = 0 } = options;
    if (!(keepRecords >= 0)) throw new RangeError(`cannot keep ${keepRecords} records`);
    const { epoch } = this.#branch.log;
    for (;;) {
      await this.flush();
      // Another device or process may be faster.
      if (this.#branch.log.epoch > epoch) return this.#branch.log.head;
      const isDone = await this.#trunk.settle((settling) => settling.compact(options));
      if (isDone) return this.#branch.log.head;
    }
  }

  /** There are others, and they have so many blocks. */
  passOn(blocks: number): void {
    this.#isShared = true;
    const { head } = this.#branch.log;
    if (head === undefined || blocks < head.blocks || head.epoch <= this.#passedOn) return;
    this.#passedOn = head.epoch;
    this.#trunk.dropLater();
  }

  /**
   * Whether epochs before stay: for what began in them, and as another device may have compacted too, and
   * both began with what is there.
   */
  keepsBefore({ epoch }: VerifiedHead): boolean {
    return this.#keepers > 0 || this.#isShared && this.#passedOn < epoch;
  }

  /** See `Repo.flush`. */
  flush(): Promise<VerifiedHead | undefined> {
    this.#flushing ??= this.#flushLater();
    return this.#flushing;
  }

  /** The same, where what waits for the store has its turn already. */
  async flushNow(): Promise<VerifiedHead | undefined> {
    for (;;) {
      try {
        const head = await this.seal(this.#branch);
        await this.#trunk.tidy();
        return head;
      } catch (error) {
        if (!isConflict(error)) throw error;
        await this.#trunk.overtaken();
      }
    }
  }

  /** Signs and stores what `branch` has. */
  seal(branch: Branch): Promise<VerifiedHead | undefined> {
    return branch.log.seal(this.#signer, () => branch.record?.address);
  }

  /** Runs `work`; until it is through, no epoch that ends meanwhile is dropped. */
  async #keepOld<T>(work: () => Promise<T>): Promise<T> {
    this.#keepers++;
    try {
      return await work();
    } finally {
      this.#keepers--;
      this.#trunk.dropLater();
    }
  }

  get #branch(): Branch {
    return this.#trunk.branch;
  }

  get #root(): Item {
    return this.#branch.snapshot.root;
  }

  /** Appends a record, to be stored at the end of this tick. */
  #append(content: RecordContent): void {
    const { events, options } = this.#trunk;
    const before = this.#branch.snapshot;
    const record = this.#branch.append(content, options.clock());
    events.emit("change", { record, before, isLocal: true });
    // Starts after this tick: all writes of one tick share a block and a signature.
    if (this.#flushing !== undefined) return;
    this.flush().catch((error) => events.emit("failed", error));
  }

  async #flushLater(): Promise<VerifiedHead | undefined> {
    const trunk = this.#trunk;
    while (trunk.raising !== undefined && this.#branch.log.pendingBytes < WAITING_BYTES) {
      await trunk.raising.ended;
    }
    return await trunk.inTurn(() => {
      this.#flushing = undefined;
      return this.flushNow();
    });
  }

  #flushStep(branch: Branch): Promise<unknown> | undefined {
    // Once another branch has taken the place of this one, the rest waits here to be copied over.
    const isStep = branch.log.pendingBytes >= UPLOAD_STEP_BYTES && branch === this.#branch;
    return isStep ? this.flush() : undefined;
  }

  #item(value: Value): Item {
    return value === undefined ? undefined : encode(this.#branch.space, value);
  }
}

function uploadTo({ space, log, writer }: Branch): UploadTo {
  return { space, log, writer: writer! };
}
