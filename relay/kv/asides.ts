/** What is kept beside the log of a key, in pieces that fit the database. */

import { concat } from "../../core/bytes.ts";
import { StreamoError } from "../../core/errors.ts";
import type { Key } from "../../core/identity/key.ts";
import { commit, commitAll, deleteBelow, type Mutation } from "./commits.ts";
import { asideKey, asidePieces, asidesOf, newId } from "./layout.ts";

const PIECE_BYTES = 60 * 1024;

/** The value of an aside's name: which pieces are its own, and how many. */
interface Entry {
  readonly id: Uint8Array;
  readonly pieces: number;
}

/** Pieces are written first, under a number that nothing points to; then the name points to them. */
export class KvAsides {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /** See `Store.asides`. */
  async names(key: Key): Promise<string[]> {
    const names: string[] = [];
    for await (const entry of this.#kv.list({ prefix: asidesOf(key) })) {
      names.push(String(entry.key[2]));
    }
    return names;
  }

  /** See `Store.aside`. */
  async read(key: Key, name: string): Promise<Uint8Array | undefined> {
    for (;;) {
      const { value, versionstamp } = await this.#kv.get<Entry>(asideKey(key, name));
      if (value === null) return undefined;
      const pieces: Uint8Array[] = [];
      const prefix = asidePieces(key, value.id);
      for await (const piece of this.#kv.list<Uint8Array>({ prefix }, { batchSize: 64 })) {
        pieces.push(piece.value);
      }
      if (pieces.length === value.pieces) return concat(pieces);
      // Another process may have replaced it meanwhile.
      if ((await this.#kv.get(asideKey(key, name))).versionstamp !== versionstamp) continue;
      const message = `what the database keeps aside of ${key} is damaged: "${name}" is not whole`;
      throw new StreamoError("damaged", message, { key });
    }
  }

  /** See `Store.keepAside`. */
  async keep(key: Key, name: string, bytes: Uint8Array | undefined): Promise<void> {
    const id = newId();
    const mutations: Mutation[] = [];
    for (let at = 0; bytes !== undefined && at < bytes.length; at += PIECE_BYTES) {
      const value = bytes.slice(at, at + PIECE_BYTES);
      mutations.push({ key: [...asidePieces(key, id), mutations.length], value });
    }
    await commitAll(this.#kv, mutations);
    const { value: old, versionstamp } = await this.#kv.get<Entry>(asideKey(key, name));
    const swap = this.#kv.atomic().check({ key: asideKey(key, name), versionstamp });
    if (bytes === undefined) swap.delete(asideKey(key, name));
    else swap.set(asideKey(key, name), { id, pieces: mutations.length });
    const { ok } = await commit(swap);
    if (!ok) {
      await deleteBelow(this.#kv, asidePieces(key, id));
      return await this.keep(key, name, bytes);
    }
    if (old !== null) await deleteBelow(this.#kv, asidePieces(key, old.id));
  }
}
