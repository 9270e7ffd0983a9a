/** The appends and drops of a KV store. */

import { StreamoError } from "../../core/errors.ts";
import type { Crypto } from "../../core/identity/crypto.ts";
import type { Key } from "../../core/identity/key.ts";
import type { Block } from "../../core/log/block.ts";
import { appendBase, checkJoin } from "../../core/log/check_append.ts";
import { sameStored } from "../../core/log/head.ts";
import { leafOf } from "../../core/log/merkle.ts";
import type { StoredHead } from "../../core/log/store.ts";
import { type AppendPlan, planAppend } from "./append_plan.ts";
import { ring } from "./bells.ts";
import { commit, commitAll, deleteBelow, fitsOneCommit, mutate, type Mutation } from "./commits.ts";
import {
  asidePieces,
  asidesOf,
  blockKey,
  headKey,
  type KvLog,
  newId,
  prefixesOf,
  tileKey,
} from "./layout.ts";
import { encodeRecord, type KvRecord, logOf, MAX_LOGS } from "./record.ts";
import type { KvRecords, Versioned } from "./records.ts";
import { TILE_ENTRIES } from "./tile.ts";
import type { LogOfKey, Tiles } from "./tiles.ts";

/** The commit that swaps the head names each tile that an append completes: 400 fit. */
const MAX_TILES = 400;

/** An append ready to be committed. */
interface Prepared {
  readonly record: KvRecord;
  readonly plan: AppendPlan;
  /** What to delete when it is committed: a replaced tail. */
  readonly replaced: readonly Mutation[];
  /** Logs of higher epochs that are given up. */
  readonly dropped: readonly LogOfKey[];
}

/** Writes to one key run one after the other, which spares this process conflicts with itself. */
export class KvWriter {
  readonly #kv: Deno.Kv;
  readonly #records: KvRecords;
  readonly #tiles: Tiles;
  readonly #crypto: Crypto;
  readonly #queues = new Map<Key, Promise<void>>();

  constructor(kv: Deno.Kv, records: KvRecords, tiles: Tiles, crypto: Crypto) {
    this.#kv = kv;
    this.#records = records;
    this.#tiles = tiles;
    this.#crypto = crypto;
  }

  /** See `Store.append`. */
  async append(
    key: Key,
    expected: StoredHead | undefined,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<void> {
    const base = appendBase(blocks, next);
    await this.#serialize(key, async () => {
      const held = await this.#expect(key, expected);
      const prepared = await this.#prepare(key, held, base, blocks, next);
      await this.#commit(key, held, prepared);
    });
  }

  /** See `Store.drop`. */
  async drop(key: Key, beforeEpoch: number): Promise<void> {
    await this.#serialize(key, async () => {
      // Another process may write at the same time: the drop is then tried on what it left.
      while (!await this.#tryDrop(key, beforeEpoch));
    });
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#queues.values());
  }

  async #serialize(key: Key, act: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queues.set(key, promise);
    try {
      await before;
      await act();
    } finally {
      if (this.#queues.get(key) === promise) this.#queues.delete(key);
      resolve();
    }
  }

  async #expect(
    key: Key,
    expected: StoredHead | undefined,
  ): Promise<Versioned | undefined> {
    const seen = this.#records.seen(key);
    if (seen !== undefined && sameStored(seen.record.stored, expected)) return seen;
    const held = await this.#records.read(key);
    if (!sameStored(held?.record.stored, expected)) throw conflict(key);
    return held;
  }

  async #prepare(
    key: Key,
    held: Versioned | undefined,
    base: number,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<Prepared> {
    try {
      return await this.#decide(key, held?.record, base, blocks, next);
    } catch (error) {
      // What looks damaged may have been replaced since `held` was read.
      if (!(error instanceof StreamoError) || error.code !== "damaged") throw error;
      const now = await this.#records.read(key);
      throw now?.versionstamp === held?.versionstamp ? error : conflict(key);
    }
  }

  async #decide(
    key: Key,
    record: KvRecord | undefined,
    base: number,
    blocks: readonly Block[],
    next: StoredHead,
  ): Promise<Prepared> {
    const found = logOf(record, next.epoch);
    const old: LogOfKey | undefined = found && { ...found, key };
    const length = old?.length ?? 0;
    const start = blocks.length > 0 ? blocks[0].start : next.bytes;
    checkJoin(base, length, start, await this.#startOf(old, base));
    const isFork = base < length;
    const log: LogOfKey = {
      key,
      epoch: next.epoch,
      id: old?.id ?? newId(),
      lineage: old !== undefined && !isFork ? old.lineage : newId(),
      length: next.length,
      bytes: next.bytes,
    };
    const append = newId();
    const entries = blocks.map((block) => {
      const { index, start, bytes } = block;
      const leaf = leafOf(this.#crypto, block);
      return { index, start, length: bytes.length, append, leaf };
    });
    const kept = old === undefined ? [] : await this.#keptEntries(old, base, next.length);
    const plan = planAppend({ log, append, blocks, entries, kept });
    if (plan.tiles > MAX_TILES) {
      const message = `cannot append ${blocks.length} blocks at once to ${key}`;
      throw new StreamoError("too_large", message, { limit: MAX_TILES * TILE_ENTRIES });
    }
    const logs = record?.logs ?? [];
    const dropped = logs.filter((log) => log.epoch > next.epoch).map((log) => ({ ...log, key }));
    const others = logs.filter((log) => log.epoch < next.epoch);
    if (others.length >= MAX_LOGS) {
      throw new StreamoError("too_large", `too many epochs of ${key} were not dropped`);
    }
    return {
      record: { stored: next, logs: [...others, log] },
      plan,
      replaced: old !== undefined && isFork ? await this.#tailOf(old, base) : [],
      dropped,
    };
  }

  async #startOf(log: LogOfKey | undefined, index: number): Promise<number> {
    if (log === undefined) return index === 0 ? 0 : -1;
    if (index >= log.length) return index === log.length ? log.bytes : -1;
    return (await this.#tiles.entries(log, index, index + 1))[0].start;
  }

  /** Entries before `base` that have to be written again, with the rest of their tile. */
  async #keptEntries(log: LogOfKey, base: number, length: number) {
    const tile = Math.floor(base / TILE_ENTRIES);
    const isCompleted = Math.floor(length / TILE_ENTRIES) > tile;
    const inSlots = Math.floor(log.length / TILE_ENTRIES) === tile;
    if (!isCompleted && inSlots) return [];
    return await this.#tiles.entries(log, tile * TILE_ENTRIES, base);
  }

  /** Deletes the blocks of `log` from `base` on, and the tiles that they change. */
  async #tailOf(log: LogOfKey, base: number): Promise<Mutation[]> {
    const entries = await this.#tiles.entries(log, base, log.length);
    const mutations = entries.map(({ index, append }) => ({ key: blockKey(log, index, append) }));
    const tiles = Math.floor(log.length / TILE_ENTRIES);
    for (let number = Math.floor(base / TILE_ENTRIES); number < tiles; number++) {
      const append = await this.#tiles.appendOf(log, number);
      mutations.push({ key: tileKey(log, number, append) });
    }
    return mutations;
  }

  async #commit(key: Key, held: Versioned | undefined, prepared: Prepared): Promise<void> {
    const { record, plan, replaced, dropped } = prepared;
    const together = [...plan.content, ...plan.final];
    const isOne = fitsOneCommit(together);
    if (!isOne) await this.#writeContent(plan.content);
    const isDone = await this.#swap(key, held, record, isOne ? together : plan.final);
    if (!isDone) {
      if (!isOne) await this.#deleteContent(plan.content);
      throw conflict(key);
    }
    await commitAll(this.#kv, replaced);
    for (const log of dropped) await this.#deleteLog(log);
  }

  async #writeContent(content: readonly Mutation[]): Promise<void> {
    try {
      await commitAll(this.#kv, content);
    } catch (error) {
      await this.#deleteContent(content).catch((second) => {
        throw new AggregateError([error, second], "an append failed, and its undoing");
      });
      throw error;
    }
  }

  async #deleteContent(content: readonly Mutation[]): Promise<void> {
    await commitAll(this.#kv, content.map(({ key }) => ({ key })));
  }

  /** The one commit that counts; false if what is held is no longer `held`. */
  async #swap(
    key: Key,
    held: Versioned | undefined,
    record: KvRecord | undefined,
    mutations: readonly Mutation[],
  ): Promise<boolean> {
    const operation = this.#kv.atomic()
      .check({ key: headKey(key), versionstamp: held?.versionstamp ?? null });
    mutate(operation, mutations);
    if (record === undefined) operation.delete(headKey(key));
    else operation.set(headKey(key), encodeRecord(record));
    // Until the answer is here, nothing is known of what is held.
    this.#records.forget(key);
    const result = await commit(ring(operation, key));
    if (result.ok && record !== undefined) {
      this.#records.remember(key, { record, versionstamp: result.versionstamp });
    }
    return result.ok;
  }

  async #tryDrop(key: Key, beforeEpoch: number): Promise<boolean> {
    const held = await this.#records.read(key);
    if (held === undefined) return true;
    const { stored, logs } = held.record;
    const isGone = (log: KvLog) => log.epoch < beforeEpoch;
    const dropped = logs.filter(isGone);
    if (dropped.length === 0) return true;
    if (stored.epoch < beforeEpoch) {
      if (!await this.#swap(key, held, undefined, [])) return false;
      for (const prefix of [asidesOf(key), asidePieces(key)]) await deleteBelow(this.#kv, prefix);
      for (const log of dropped) await this.#deleteLog({ ...log, key });
      return true;
    }
    if (stored.head !== undefined && stored.head.epoch < beforeEpoch) {
      // A head is only held with its blocks.
      const headless = { stored: { ...stored, head: undefined }, logs };
      return await this.#swap(key, held, headless, []) && await this.#tryDrop(key, beforeEpoch);
    }
    // The log is named until its blocks are gone: if this process dies, the next one goes on.
    for (const log of dropped) await this.#deleteLog({ ...log, key });
    return await this.#swap(key, held, { stored, logs: logs.filter((log) => !isGone(log)) }, []);
  }

  async #deleteLog(log: LogOfKey): Promise<void> {
    for (const prefix of prefixesOf(log)) await deleteBelow(this.#kv, prefix);
  }
}

function conflict(key: Key): StreamoError {
  return new StreamoError("conflict", `the head of ${key} is not the one expected`, { key });
}
