/** Reads tiles, and finds entries in them. */

import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import { HASH_BYTES } from "../../core/log/merkle.ts";
import { type KvLog, leafKey, type LogName, tileKey, tilesKey } from "./layout.ts";
import {
  areEntries,
  decodeEntry,
  type Entry,
  ENTRY_BYTES,
  entryLeaf,
  entryStart,
  TILE_ENTRIES,
} from "./tile.ts";

/** The first `count` entries of a tile, in an array with room for all. */
interface Tile {
  readonly bytes: Uint8Array;
  count: number;
  /** The append that wrote it, of a complete one. */
  readonly append: Uint8Array | undefined;
}

/** A log, and whose it is. */
export interface LogOfKey extends KvLog, LogName {}

/** Most tiles kept: 512 are 8 MB. */
const MAX_TILES = 512;

/**
 * What tiles say may be newer than the head that the caller has read, if another process has replaced
 * a tail since: `misses` tells whether the database was asked, and so whether to compare again.
 * All methods throw `damaged` when something is not there or not right, which is also what it looks
 * like when another process has just replaced it: the caller reads the head again and compares.
 */
export class Tiles {
  readonly #kv: Deno.Kv;
  /** By lineage and number, the longest unused first. Within a lineage no entry ever changes. */
  readonly #cache = new Map<string, Tile>();
  /** How often something was read that was not in memory. */
  misses = 0;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /** The entries [from, to), which the log must hold. */
  async entries(log: LogOfKey, from: number, to: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let number = Math.floor(from / TILE_ENTRIES); number * TILE_ENTRIES < to; number++) {
      const { bytes } = await this.#tile(log, number);
      const first = number * TILE_ENTRIES;
      const end = Math.min(to, first + TILE_ENTRIES);
      for (let index = Math.max(from, first); index < end; index++) {
        entries.push(decodeEntry(bytes, index - first));
      }
    }
    return entries;
  }

  /** The leaf hashes of blocks [from, to). */
  async leaves(log: LogOfKey, from: number, to: number): Promise<Uint8Array> {
    const out = new Uint8Array((to - from) * HASH_BYTES);
    for (let number = Math.floor(from / TILE_ENTRIES); number * TILE_ENTRIES < to; number++) {
      const { bytes } = await this.#tile(log, number);
      const first = number * TILE_ENTRIES;
      const end = Math.min(to, first + TILE_ENTRIES);
      for (let index = Math.max(from, first); index < end; index++) {
        out.set(entryLeaf(bytes, index - first), (index - from) * HASH_BYTES);
      }
    }
    return out;
  }

  /** The entry of the block that holds the byte at `address`. */
  async find(log: LogOfKey, address: number): Promise<Entry | undefined> {
    if (address < 0 || address >= log.bytes) return undefined;
    let low = 0;
    let high = Math.ceil(log.length / TILE_ENTRIES);
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const { bytes } = await this.#tile(log, middle);
      if (entryStart(bytes, 0) <= address) low = middle;
      else high = middle;
    }
    const { bytes } = await this.#tile(log, low);
    let first = 0;
    let end = Math.min(TILE_ENTRIES, log.length - low * TILE_ENTRIES);
    while (end - first > 1) {
      const middle = (first + end) >>> 1;
      if (entryStart(bytes, middle) <= address) first = middle;
      else end = middle;
    }
    return decodeEntry(bytes, first);
  }

  /** The append that wrote tile `number`, which is complete. */
  async appendOf(log: LogOfKey, number: number): Promise<Uint8Array> {
    const tile = await this.#tile(log, number);
    if (tile.append === undefined) throw damagedTile(log.key, number);
    return tile.append;
  }

  async #tile(log: LogOfKey, number: number): Promise<Tile> {
    const id = `${log.lineage.toHex()}/${number}`;
    const count = Math.min(TILE_ENTRIES, log.length - number * TILE_ENTRIES);
    let tile = this.#cache.get(id);
    if (count === TILE_ENTRIES) {
      if (tile?.append === undefined) tile = await this.#readComplete(log, number);
    } else {
      tile ??= { bytes: new Uint8Array(TILE_ENTRIES * ENTRY_BYTES), count: 0, append: undefined };
      if (tile.count < count) await this.#readSlots(log, number, tile, count);
    }
    this.#cache.delete(id);
    this.#cache.set(id, tile);
    if (this.#cache.size > MAX_TILES) this.#dropOldest();
    return tile;
  }

  async #readComplete(log: LogOfKey, number: number): Promise<Tile> {
    this.misses++;
    const { value: append } = await this.#kv.get(tilesKey(log, number));
    if (!(append instanceof Uint8Array)) throw damagedTile(log.key, number);
    const { value: bytes } = await this.#kv.get(tileKey(log, number, append));
    const isTile = bytes instanceof Uint8Array && areEntries(bytes, number, 0, TILE_ENTRIES);
    if (!isTile) throw damagedTile(log.key, number);
    return { bytes, count: TILE_ENTRIES, append };
  }

  async #readSlots(log: LogOfKey, number: number, tile: Tile, count: number): Promise<void> {
    this.misses++;
    const range = { start: leafKey(log, tile.count), end: leafKey(log, count) };
    let slot = tile.count;
    for await (const { value } of this.#kv.list(range, { batchSize: TILE_ENTRIES })) {
      if (!(value instanceof Uint8Array) || value.length !== ENTRY_BYTES) break;
      tile.bytes.set(value, slot * ENTRY_BYTES);
      slot++;
    }
    const isWhole = slot === count && areEntries(tile.bytes, number, 0, count);
    if (!isWhole) throw damagedTile(log.key, number);
    tile.count = Math.max(tile.count, count);
  }

  #dropOldest(): void {
    for (const id of this.#cache.keys()) {
      this.#cache.delete(id);
      return;
    }
  }
}

function damagedTile(key: Key, number: number): StreamoError {
  const message = `what the database holds of ${key} is damaged: tile ${number} is not whole`;
  return new StreamoError("damaged", message, { key, tile: number });
}
