/** The side of a conversation that opens many logs at once. */

import type { Key } from "../identity/key.ts";
import type { Position } from "../log/run.ts";
import type { Repo } from "../repo/repo.ts";
import type { Channel } from "./channel.ts";
import { encodeKeys, encodeList, hashKeys, Stands } from "./lists.ts";

/** What to do with a channel of the list: `position` is what the peer has too; else it is opened. */
export interface Outcome {
  readonly channel: Channel;
  readonly position: Position | undefined;
}

/** A list that the peer has not compared yet. */
export class ListOffer {
  readonly #channels: readonly Channel[];
  readonly #keys: readonly Key[];
  readonly #positions: (Position | undefined)[];
  readonly #stands: Stands;
  readonly #awake = new Set<Key>();
  #hasSentKeys = false;

  /** A list of channels that were not started. */
  constructor(channels: readonly Channel[]) {
    const sorted = [...channels].sort((a, b) => a.repo.key < b.repo.key ? -1 : 1);
    const { crypto } = sorted[0].repo.log;
    this.#channels = sorted;
    this.#keys = sorted.map(({ repo }) => repo.key);
    this.#stands = new Stands(crypto, sorted.length, "opener");
    this.#positions = sorted.map(({ repo }, i) => {
      const position = positionOf(repo);
      if (position !== undefined) this.#stands.set(i, position.blocks > 0 ? position : undefined);
      return position;
    });
  }

  /** The frame that names it. */
  first(): Uint8Array {
    const { crypto } = this.#channels[0].repo.log;
    return encodeList(hashKeys(crypto, this.#keys), this.#stands);
  }

  /** The frame of its keys; undefined if the peer has had them. */
  keys(): Uint8Array | undefined {
    if (this.#hasSentKeys) return undefined;
    this.#hasSentKeys = true;
    return encodeKeys(this.#keys);
  }

  /** The peer has a channel for `key` already: what it says about the list is older. */
  leave(key: Key): void {
    this.#awake.add(key);
  }

  /** What follows from the peer's answer; `malformed` if it does not fit. */
  outcomes(compared: Uint8Array): Outcome[] {
    const differing = this.#stands.differing(compared);
    return this.#channels.flatMap((channel, i): Outcome[] => {
      if (this.#awake.has(channel.repo.key)) return [];
      return [{ channel, position: differing.has(i) ? undefined : this.#positions[i] }];
    });
  }
}

/** Where the log of `repo` ends, if a head covers all of it. */
function positionOf({ log, trunk }: Repo): Position | undefined {
  // What is kept aside is offered where a log is opened.
  if (trunk.asides.length > 0) return undefined;
  const isWhole = log.staged === undefined && log.length === (log.head?.blocks ?? 0);
  return isWhole ? log.position() : undefined;
}
