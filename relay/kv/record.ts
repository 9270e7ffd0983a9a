/**
 * What is held of one key, as one value. Numbers are big-endian:
 *
 *     record = version(u8 = 1) epoch(u32) has-head(u8) [head(157)]
 *              frontier-size(u8) *hash(32) logs(u8) *log
 *     log    = epoch(u32) id(8) lineage(8) length(u64) bytes(u64)
 */

import { concat, readU32, readU64, writeU32, writeU64 } from "../../core/bytes.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import { decodeHead, encodeHead, HEAD_BYTES, trustStoredHead } from "../../core/log/head.ts";
import { frontierSize, HASH_BYTES } from "../../core/log/merkle.ts";
import type { StoredHead } from "../../core/log/store.ts";
import { ID_BYTES, type KvLog } from "./layout.ts";

const VERSION = 1;
const LOG_BYTES = 4 + 2 * ID_BYTES + 8 + 8;
/** Most epochs of one key at a time: each is dropped when a higher one is complete. */
export const MAX_LOGS = 32;

/** The decoded record. */
export interface KvRecord {
  readonly stored: StoredHead;
  /** The logs of `stored.epoch` and of lower epochs that were not dropped yet. */
  readonly logs: readonly KvLog[];
}

/** The log of `epoch`, if it is held. */
export function logOf(record: KvRecord | undefined, epoch: number): KvLog | undefined {
  return record?.logs.find((log) => log.epoch === epoch);
}

/** The value for a record. */
export function encodeRecord({ stored, logs }: KvRecord): Uint8Array<ArrayBuffer> {
  const { head, epoch, frontier } = stored;
  const start = new Uint8Array(6);
  start[0] = VERSION;
  writeU32(start, 1, epoch);
  start[5] = head === undefined ? 0 : 1;
  return concat([
    start,
    head === undefined ? new Uint8Array(0) : encodeHead(head),
    new Uint8Array([frontier.length]),
    ...frontier,
    new Uint8Array([logs.length]),
    ...logs.map(encodeLog),
  ]);
}

/** The record of a value; `damaged` if it is none. */
export function decodeRecord(key: Key, value: unknown): KvRecord {
  try {
    if (value instanceof Uint8Array) return decode(key, value);
  } catch (error) {
    throw damagedRecord(key, error);
  }
  throw damagedRecord(key);
}

function decode(key: Key, value: Uint8Array): KvRecord {
  const reader = new Reader(value);
  const version = reader.take(1)[0];
  if (version !== VERSION) throw new RangeError(`its version is ${version}, not ${VERSION}`);
  const epoch = readU32(reader.take(4), 0);
  const hasHead = reader.take(1)[0] === 1;
  const head = hasHead ? trustStoredHead(decodeHead(reader.take(HEAD_BYTES))) : undefined;
  const frontier = Array.from({ length: reader.take(1)[0] }, () => reader.take(HASH_BYTES).slice());
  const logs = Array.from({ length: reader.take(1)[0] }, () => decodeLog(reader.take(LOG_BYTES)));
  reader.finish();
  const current = logs.find((log) => log.epoch === epoch);
  const isWhole = current !== undefined && frontierSize(current.length) === frontier.length &&
    (head === undefined || head.key === key);
  if (!isWhole) throw new RangeError("its parts do not fit together");
  const { length, bytes } = current;
  return { stored: { head, epoch, length, bytes, frontier }, logs };
}

function encodeLog(log: KvLog): Uint8Array {
  const bytes = new Uint8Array(LOG_BYTES);
  writeU32(bytes, 0, log.epoch);
  bytes.set(log.id, 4);
  bytes.set(log.lineage, 4 + ID_BYTES);
  writeU64(bytes, 4 + 2 * ID_BYTES, log.length);
  writeU64(bytes, 12 + 2 * ID_BYTES, log.bytes);
  return bytes;
}

function decodeLog(bytes: Uint8Array): KvLog {
  return {
    epoch: readU32(bytes, 0),
    id: bytes.slice(4, 4 + ID_BYTES),
    lineage: bytes.slice(4 + ID_BYTES, 4 + 2 * ID_BYTES),
    length: readU64(bytes, 4 + 2 * ID_BYTES),
    bytes: readU64(bytes, 12 + 2 * ID_BYTES),
  };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError("it ends too early");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  finish(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError("it ends too late");
  }
}

function damagedRecord(key: Key, cause?: unknown): StreamoError {
  const reason = cause instanceof Error ? cause.message : "it is not bytes";
  const message = `what the database holds of ${key} is damaged: ${reason}`;
  return new StreamoError("damaged", message, { key }, { cause });
}
