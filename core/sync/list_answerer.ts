/** The side of a conversation that a list of logs is asked of. */

import { equal } from "../bytes.ts";
import { malformed } from "../codec/reader.ts";
import { StreamoError } from "../errors.ts";
import type { Key } from "../identity/key.ts";
import type { StoredHead } from "../log/store.ts";
import type { Registry } from "../repo/registry.ts";
import { KnownLists } from "./known_lists.ts";
import { hashKeys, type ListFrame, Stands } from "./lists.ts";
import type { Message } from "./messages.ts";

/** Heads that are read from the store at once. */
const READ_AT_ONCE = 64;
/** Policies that are asked at once: that of a relay asks other relays, which takes round trips. */
const ASKED_AT_ONCE = 16 * READ_AT_ONCE;

/** What it needs of its conversation. */
export interface ListAnswererOptions {
  readonly registry: Registry;
  readonly send: (data: Message | Uint8Array) => void;
  /** Whether the peer may have the log of `key`. */
  readonly mayHave: (key: Key) => Promise<boolean>;
  /** The peer follows `keys`, as far as they have no channel; `too_large` past the limit. */
  readonly follow: (keys: readonly Key[]) => void;
  /** Whether nothing has happened to the log of `key` since it was followed. */
  readonly isQuiet: (key: Key) => boolean;
  /** Lets others have their turn. */
  readonly pause: () => Promise<void>;
}

type Phase = "none" | "asking" | "comparing" | "compared" | "settled";

/** One list a conversation: whoever connects opens what it followed before, once. */
export class ListAnswerer {
  readonly #options: ListAnswererOptions;
  #asked: Extract<ListFrame, { type: "list" }> | undefined;
  #phase: Phase = "none";

  /** Nothing was asked for yet. */
  constructor(options: ListAnswererOptions) {
    this.#options = options;
  }

  /** Whether it is still open which logs of the list are equal. */
  get isOpen(): boolean {
    return this.#phase !== "none" && this.#phase !== "settled";
  }

  /** The peer names a list; the end of it is an answer, or that its keys are asked for. */
  async onList(list: Extract<ListFrame, { type: "list" }>): Promise<void> {
    this.#move("none", "asking");
    this.#asked = list;
    const keys = KnownLists.of(this.#options.registry).get(list.hash);
    if (keys === undefined) this.#options.send({ type: "keys" });
    else await this.#compare(keys);
  }

  /** The keys came. */
  async onKeys(keys: readonly Key[]): Promise<void> {
    const { registry } = this.#options;
    const hash = this.#asked?.hash;
    if (hash === undefined || !equal(hashKeys(registry.crypto, keys), hash)) {
      throw malformed("keys of a list that has another hash");
    }
    KnownLists.of(registry).add(hash, keys);
    await this.#compare(keys);
  }

  /** The peer has opened what differs. */
  onSettled(): void {
    this.#move("compared", "settled");
  }

  async #compare(keys: readonly Key[]): Promise<void> {
    this.#move("asking", "comparing");
    const { send, follow, pause } = this.#options;
    const { groups } = this.#asked!;
    this.#asked = undefined;
    // What happens to a log from now on wakes it: what is read below is not older.
    follow(keys);
    const stands = new Stands(this.#options.registry.crypto, keys.length, "answerer");
    stands.checkGroups(groups);
    const { isQuiet, mayHave } = this.#options;
    for (let from = 0; from < keys.length; from += ASKED_AT_ONCE) {
      const asked = keys.slice(from, from + ASKED_AT_ONCE);
      const may = await Promise.all(asked.map((key) => isQuiet(key) && mayHave(key)));
      for (let at = 0; at < asked.length; at += READ_AT_ONCE) {
        const read = asked.slice(at, at + READ_AT_ONCE);
        await Promise.all(
          read.map((key, i) => may[at + i] && this.#look(stands, from + at + i, key)),
        );
        // Stores with synchronous reads would keep everybody waiting.
        await pause();
      }
    }
    this.#move("comparing", "compared");
    send(stands.compare(groups));
  }

  async #look(stands: Stands, index: number, key: Key): Promise<void> {
    const { registry: { store }, isQuiet } = this.#options;
    try {
      const stored = await store.head(key);
      // What is kept aside may have to be offered, which `open` does.
      const isAlone = (await store.asides(key)).length === 0;
      if (isWhole(stored) && isAlone && isQuiet(key)) stands.set(index, stored?.head);
    } catch (error) {
      // The peer opens it by itself then, and is told what is wrong with it.
      if (!(error instanceof StreamoError)) throw error;
    }
  }

  #move(from: Phase, to: Phase): void {
    if (this.#phase !== from) throw malformed(`a list is ${to} that is not ${from}`);
    this.#phase = to;
  }
}

/** Whether the head covers all blocks that are there, or there are none. */
function isWhole(stored: StoredHead | undefined): boolean {
  return stored === undefined ||
    stored.head?.epoch === stored.epoch && stored.head.blocks === stored.length;
}
