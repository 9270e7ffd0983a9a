/** Channels of an opener for whose logs the peer keeps none, and what both have of these. */

import type { Key } from "../identity/key.ts";
import type { Position } from "../log/run.ts";
import type { Channel } from "./channel.ts";
import { isSent } from "./channel_state.ts";
import type { Message } from "./messages.ts";

/** Whoever sends on such a channel says what both have first: the peer opens its log again. */
export class Asleep {
  readonly #positions = new Map<Key, Position>();

  /** The peer keeps no channel for this log, which ends at `position` on both sides. */
  add(key: Key, position: Position): void {
    this.#positions.set(key, position);
  }

  /** The peer has parked the log: false if this side was not done with it. */
  park({ repo: { key }, state }: Channel): boolean {
    const isEqual = isSent(state) && state.acked === state.own.blocks;
    if (isEqual) this.#positions.set(key, state.own);
    // Asked again, a peer that does not take something would only refuse it again.
    return isEqual || state.phase === "refused";
  }

  /** The peer has a channel, or there is none here. */
  delete(key: Key): void {
    this.#positions.delete(key);
  }

  /** What is to be said before `data` is sent on the channel of `key`. */
  before(key: Key, channel: number, data: Message | Uint8Array): Message | undefined {
    const position = this.#positions.get(key);
    if (position === undefined) return undefined;
    this.#positions.delete(key);
    if (!(data instanceof Uint8Array) && data.type === "open") return undefined;
    return { type: "open", key, channel, have: position.blocks === 0 ? undefined : position };
  }
}
