/** Reads records, and remembers which version of them was seen last. */

import type { Key } from "../../core/identity/key.ts";
import { headKey } from "./layout.ts";
import { decodeRecord, type KvRecord } from "./record.ts";

/** A record as the database had it. */
export interface Versioned {
  readonly record: KvRecord;
  readonly versionstamp: string;
}

/** Most records remembered. */
const MAX_SEEN = 1024;

/** What was seen last is good for guessing what a commit will find; reads ask the database. */
export class KvRecords {
  readonly #kv: Deno.Kv;
  readonly #seen = new Map<Key, Versioned>();

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /** What the database holds now. */
  async read(key: Key): Promise<Versioned | undefined> {
    const { value, versionstamp } = await this.#kv.get(headKey(key));
    if (versionstamp === null) {
      this.#seen.delete(key);
      return undefined;
    }
    const seen = this.#seen.get(key);
    if (seen?.versionstamp === versionstamp) return seen;
    return this.remember(key, { record: decodeRecord(key, value), versionstamp });
  }

  /** What was read or written last. */
  seen(key: Key): Versioned | undefined {
    return this.#seen.get(key);
  }

  /** Remembers a version that was read or written. */
  remember(key: Key, versioned: Versioned): Versioned {
    this.#seen.delete(key);
    this.#seen.set(key, versioned);
    if (this.#seen.size > MAX_SEEN) {
      for (const oldest of this.#seen.keys()) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return versioned;
  }

  /** Forgets what was seen. */
  forget(key: Key): void {
    this.#seen.delete(key);
  }
}
